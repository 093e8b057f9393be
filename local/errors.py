"""Why the local stack does not run."""


class CannotRun(Exception):
    """The stack cannot come up, or stay up; the text is one sentence that says what to do."""
