"""A cascade of three services: one hears, one thinks, one speaks."""
