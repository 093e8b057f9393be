"""The HTTP API: which requests are valid, and what a response contains."""
