"""Voice with AWS End User Messaging: a phone call that reads a text to the recipient."""
