"""How a value of the engine is said in a document."""

from ..engine.clocks import Unit
from ..engine.policies import PolicyRecord
from ..engine.vocabulary import Party

UNITS = {
    Unit.HOUR.value: ("hour", "hours"),
    Unit.CAL_DAY.value: ("day", "days"),
    Unit.WORK_DAY.value: ("working day", "working days"),
}


def parties(of: Party | None) -> str:
    """`seller, platform`"""
    return ", ".join(party.title.lower() for party in of) if of else ""


def value(record: PolicyRecord) -> str:
    if isinstance(record.value, bool):
        return "on" if record.value else "off"
    if record.unit not in UNITS:
        return str(record.value)
    one, many = UNITS[record.unit]
    return f"{record.value} {one if record.value == 1 else many}"


def conditions(record: PolicyRecord) -> str:
    return ", ".join(f"{name} {told}" for name, told in record.conditions.items())


def held(record: PolicyRecord) -> str:
    """Since when and until when; nothing if always."""
    since = "" if record.valid_from.year == 1 else f"from {record.valid_from:%Y-%m-%d %H:%M} UTC"
    until = "" if record.valid_to is None else f"until {record.valid_to:%Y-%m-%d %H:%M} UTC"
    return " ".join(filter(None, (since, until)))


def first_line(function: object) -> str:
    """What a function's docstring says first."""
    return (function.__doc__ or "").strip().split("\n")[0]
