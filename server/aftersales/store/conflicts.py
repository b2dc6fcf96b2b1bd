"""Why a change could not be written. Nothing was: load again and decide again."""


class StaleVersion(Exception):
    """The request, or the clock that warns, is another since it was read."""


class OrderMoved(Exception):
    """What may be claimed of the order is another since it was read."""


class NumberTaken(Exception):
    """Another request has the number already."""


class KeyTaken(Exception):
    """The idempotency key was used before, or by somebody faster."""
