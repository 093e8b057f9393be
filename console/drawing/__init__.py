"""Draws a state machine as it stands, with what a message did in it."""
