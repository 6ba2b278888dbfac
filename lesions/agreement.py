"""What a lesion's observations, its procedures and the visit's own answers must agree on. Pure; no queries.

Source: clinical-model 12.3 (3), 12.4 (4, 5). What breaks one of these is refused, on every page and in code.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions import scoring

ABSENT = "N"


class Removal(Protocol):
    """A procedure, saved or not."""

    performed_on: PartialDate | None

    @property
    def removes(self) -> bool:
        """Can it have removed a lesion?"""


class Seen(Protocol):
    """An observation, with its visit."""

    status_change: str
    visit: Any


S = TypeVar("S", bound=Seen)


def is_there(status: str) -> bool:
    """Was the lesion seen, and is it there?"""
    return status not in scoring.UNASSESSED_STATUSES and scoring.is_active(status)


def contradicts(calcinosis_present: str, status: str) -> bool:
    """Calcinosis present: no, but a lesion that is there."""
    return calcinosis_present == ABSENT and is_there(status)


def in_order(observations: Iterable[S]) -> list[S]:
    """Oldest visit first; an unsaved visit comes after those of its day."""
    return sorted(observations, key=lambda one: (one.visit.visit_date, one.visit.pk is None, one.visit.pk or 0))


def back_again(observations: Sequence[S]) -> tuple[S, S] | None:
    """The first (gone, there again) in the observations of one lesion, oldest first: that would be a recurrence."""
    gone: S | None = None
    for one in observations:
        if gone is not None and is_there(one.status_change):
            return gone, one
        if one.status_change in scoring.CLOSED_STATUSES:
            gone = gone or one
    return None


def is_there_on(observations: Iterable[Seen], day: datetime.date) -> bool:
    """Is a lesion still there after its last assessment up to ``day``? Not before it was first seen."""
    assessed = [
        one for one in in_order(observations)
        if one.visit.visit_date <= day and one.status_change not in scoring.UNASSESSED_STATUSES
    ]  # fmt: skip
    return bool(assessed) and scoring.is_active(assessed[-1].status_change)


def removed_by(procedures: Iterable[Removal], day: datetime.date) -> bool:
    """Does one of a lesion's procedures explain that it is excised on ``day``? An unknown date may be before it."""
    return any(
        one.removes and one.performed_on is not None and one.performed_on.can_be_on_or_before(day) for one in procedures
    )
