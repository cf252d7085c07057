"""Tests of the doubles of services elsewhere."""
