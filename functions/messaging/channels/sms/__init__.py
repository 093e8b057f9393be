"""SMS by AWS End User Messaging SMS."""
