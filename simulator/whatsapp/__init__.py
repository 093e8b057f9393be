"""The simulated WhatsApp channel: AWS End User Messaging Social."""
