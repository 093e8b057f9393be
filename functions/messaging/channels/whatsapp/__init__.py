"""WhatsApp by AWS End User Messaging Social."""
