"""Faults that a test puts in the place of a call."""


class Died(BaseException):
    """The process is gone; no handler of errors sees it."""


def dies(*_: object, **__: object) -> None:
    raise Died
