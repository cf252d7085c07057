"""The doors: media socket, webhooks, admin port, HTTP client."""
