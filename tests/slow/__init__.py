"""
Tests that wait for real time to pass; trial finds them only by their names.

Run each as ``python -m twisted.trial tests.slow.NAME``.
"""
