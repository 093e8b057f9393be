"""The error that the launcher shows to its user."""


class CannotRun(Exception):
    """The stack cannot start or keep running; the text is one sentence that says what to do."""
