"""What the simulated caller says: data only."""
