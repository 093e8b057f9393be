"""The simulated email channel: Amazon SES."""
