"""Whose patients a person may count or take, and how exactly. Figures of others are protected here and nowhere else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.policy import grants, may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.models import ProjectClinic, ResearchProject
from lesions.blinding import blind_patients

SMALLEST_SHOWN = 8  # trust.md, "Who sees what": 1 to 7 are never shown
ROUNDED_TO = 5
HIDDEN_BELOW = 10  # what is said of a hidden one: 0 to 7 always, 8 and 9 now and then


@dataclass(frozen=True)
class Scope:
    """``clinics``: ids, None for every clinic. ``exact``: figures as they are; otherwise protected.

    ``items``: the keys (columns.scope_items) that may be asked, seen and taken; None for all.
    """

    clinics: frozenset[int] | None
    exact: bool
    project: ResearchProject | None = None
    items: frozenset[str] | None = None

    def shows(self, key: str) -> bool:
        return self.items is None or key in self.items

    def count(self, number: int, cell: Cell | None = None) -> Count:
        """``cell``: whom the number counts; without it two overlapping numbers may give a small one away."""
        return Count(number) if self.exact else protected(number, cell)


@dataclass(frozen=True)
class Cell:
    """Which patients a number counts, told in a way the database can add up: the same for the same patients."""

    total: int
    mixed: int

    @classmethod
    def of(cls, patients: Iterable[int]) -> Cell:
        keys = list(patients)
        return cls(sum(keys), sum(key * key % MIXED for key in keys))


MIXED = 1_000_003


@dataclass(frozen=True)
class Count:
    """A number as it may be shown; None where it is too small to be."""

    number: int | None
    rounded: bool = False
    below: int = SMALLEST_SHOWN  # what a hidden one is certainly less than

    @property
    def text(self) -> str:
        if self.number is None:
            return _("fewer than %(n)s") % {"n": self.below}
        return _("about %(n)s") % {"n": f"{self.number:,}"} if self.rounded and self.number else f"{self.number:,}"

    @property
    def short(self) -> str:
        """For a cell of a table."""
        return f"<{self.below}" if self.number is None else f"{self.number:,}"


def protected(number: int, cell: Cell | None = None) -> Count:
    """As people outside an approved project may see it (docs/decisions/0020).

    Rounded to a multiple of 5, up or down by a lot that is drawn with a key outside the database from whom it counts:
    the same patients always give the same answer, others an independent one, and the mean error is 0. Hidden below 8
    before or after the lot, nobody at all too.
    """
    if cell is None:  # of a table whose cells nobody can choose: a plain rule, and 0 is 0
        hidden = 0 < number < SMALLEST_SHOWN
        return Count(None if hidden else ROUNDED_TO * round(number / ROUNDED_TO), rounded=True)
    moved = number + _lot(number, cell)
    hidden = number < SMALLEST_SHOWN or moved < SMALLEST_SHOWN
    return Count(None if hidden else ROUNDED_TO * round(moved / ROUNDED_TO), rounded=True, below=HIDDEN_BELOW)


def _lot(number: int, cell: Cell) -> int:
    """-2 to 2, each as likely."""
    return _drawn(f"count|{number}", cell) % ROUNDED_TO - ROUNDED_TO // 2


def lot(value: str, cell: Cell) -> float:
    """0 to 1, of a value that is worked out from these patients: the same for the same value of the same patients."""
    return _drawn(f"value|{value}", cell) / 2**64


def _drawn(told: str, cell: Cell) -> int:
    key = f"{told}|{cell.total}|{cell.mixed}".encode()
    return int.from_bytes(hmac.new(settings.PSEUDONYM_KEY.encode(), key, hashlib.sha256).digest()[:8], "big")


def scope_of(user: User, project: ResearchProject | None = None) -> Scope:
    """Inside an approved project in force its members see its clinics exactly.

    Elsewhere figures cover the clinics where the person may count, exactly only where they may read the records too.
    Who has a radiograph to read blind gets no exact figures: they could be asked for the other reading.
    """
    exact = not blind_patients(user)
    if project is not None and may(user, Permission.COUNT_COHORTS) and project.lets(user, timezone.localdate()):
        clinics = frozenset(ProjectClinic.objects.filter(project=project).values_list("clinic_id", flat=True))
        items = None if project.items is None else frozenset(project.items)
        return Scope(clinics, exact=exact, project=project, items=items)
    held = grants(user).get(Permission.COUNT_COHORTS, set())
    own = grants(user).get(Permission.VIEW_RECORDS, set())
    counted = None if None in held else frozenset(one for one in held if one is not None)
    return Scope(counted, exact=exact and bool(held) and (None in own or held <= own))


def may_export(user: User, project: ResearchProject | None) -> str:
    """Why this person may not take coded rows, in a sentence; "" when they may."""
    if not may(user, Permission.EXPORT_DATASETS):
        return _("Your role does not include exports.")
    if project is None:
        return _("Coded rows leave the register only inside an approved research project; this cohort has none.")
    today = timezone.localdate()
    if project.refused_at is not None:
        return _("The project “%(title)s” was refused.") % {"title": project}
    if project.approved_at is None:
        return _("The project “%(title)s” is not approved yet.") % {"title": project}
    if today < project.valid_from or today > project.valid_until:
        return _("The project “%(title)s” is not in force today (%(start)s to %(end)s).") % {
            "title": project, "start": project.valid_from, "end": project.valid_until,
        }  # fmt: skip
    if not project.lets(user, today):
        return _("You are not a member of the project “%(title)s”.") % {"title": project}
    return ""
