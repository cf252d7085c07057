"""Services elsewhere, played for tests and demos; they share no code with ours."""
