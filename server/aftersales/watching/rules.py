"""Counts what was written, by the rule that made it, and how late time was where time acted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..engine.request import Change
from ..engine.stages import expired_key
from .figures import Figures


class Rules:
    """Hears of every change that was committed here."""

    def __init__(self, figures: Figures, late: Callable[[datetime], float]) -> None:
        """
        Args:
            late: how many seconds ago an instant was.
        """
        self._figures = figures
        self._late = late

    def announce(self, changes: Sequence[Change]) -> None:
        for change in changes:
            # what follows in another table is part of the change, and has a number of its own; a warning has none
            for rule in {event.rule for event in change.events if event.rule}:
                self._figures.transitions(change.request.kind, rule)
            if expired_key(change.action):
                self._figures.lateness(self._late(change.at))
