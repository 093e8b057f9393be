"""The simulated AWS End User Messaging Social."""
