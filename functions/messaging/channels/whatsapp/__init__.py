"""WhatsApp with AWS End User Messaging Social."""
