"""The tests; ``python -m twisted.trial -j2 tests`` runs them."""

from hypothesis import settings

# The same examples on every run and machine, no files, and no clock.
settings.register_profile("steady", derandomize=True, database=None, deadline=None)
settings.load_profile("steady")
