"""The rules and words of the domain: messages, plans, statuses, errors. Standard library only."""
