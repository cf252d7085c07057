"""What people do with finished recordings."""
