"""Draws a state machine, with the path of a message through it."""
