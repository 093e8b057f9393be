"""The console, in a browser and behind it."""
