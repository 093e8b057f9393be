"""The simulated voice channel: calls of AWS End User Messaging."""
