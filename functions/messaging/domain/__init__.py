"""The domain: messages, plans, statuses, errors. Standard library only."""
