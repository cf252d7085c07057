"""What callers of the local agent say, in two voices; see docs/local-agent.rst."""
