"""The simulator, over HTTP."""
