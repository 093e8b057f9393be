"""The simulated Amazon SES."""
