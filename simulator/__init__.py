"""Simulated carriers: the three provider APIs and their receipts, on this machine."""
