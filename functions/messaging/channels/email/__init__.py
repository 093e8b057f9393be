"""Email with Amazon SES."""
