"""The load test: simulated carriers by the hundred, baselines, and what they cost."""
