"""The message editor: a request as a form, its preview, its problems at their fields, sending."""
