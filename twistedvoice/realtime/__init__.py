"""All that runs inside the 20 ms tick, and nothing else."""
