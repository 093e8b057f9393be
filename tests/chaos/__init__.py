"""Breaks what the product stands on, one call at a time and at random, and looks from outside."""
