"""The simulated SMS channel: AWS End User Messaging SMS."""
