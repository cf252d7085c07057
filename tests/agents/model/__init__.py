"""Tests of what agents of models elsewhere share."""
