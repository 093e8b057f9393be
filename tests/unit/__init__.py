"""Rules, parsers, channels, store and functions, one at a time."""
