"""What hears and speaks: turns, interruptions, engines beside the service."""
