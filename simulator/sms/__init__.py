"""The simulated AWS End User Messaging SMS."""
