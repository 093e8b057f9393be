"""Tests of the code that products copy."""
