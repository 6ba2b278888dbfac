"""The lineage of a patient's lesions in words and as a picture: who split, merged, came back."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from calcinosis_registry.records.addresses import address
from lesions.body_map.marks import status_key
from lesions.body_map.render import shape
from lesions.figures import NARROW, WIDE
from lesions.figures.lineage import MERGE, RECURRENCE, SPLIT, Bond, Life, Lineage, draw_lineage
from lesions.models import Lesion
from lesions.models import Lineage as Origin

MARGIN = datetime.timedelta(days=60)


@dataclass(frozen=True)
class Families:
    """``wide`` and ``narrow``: the same picture for two widths. ``told``: the same in words, oldest first."""

    wide: str
    narrow: str
    told: list[str]


def families(lesions: Sequence[Lesion], today: datetime.date) -> Families | None:
    """The lesions that stem from one another; None where none does."""
    groups = [group for group in _groups(lesions) if len(group) > 1]
    if not groups:
        return None
    members = [lesion for group in groups for lesion in group]
    places = {lesion.pk: number for number, lesion in enumerate(members)}
    bonds = sorted(_bonds(members, places), key=lambda bond: bond.day)
    told = Lineage(
        [_life(lesion) for lesion in members], bonds, min(one.first_recorded for one in members) - MARGIN, today,
        _("Lineage of the lesions"), _("The lines below say the same in words."),
    )  # fmt: skip
    return Families(
        draw_lineage(told, WIDE, "lineage-wide"), draw_lineage(told, NARROW, "lineage-narrow"),
        [bond.title for bond in bonds],
    )  # fmt: skip


def _groups(lesions: Sequence[Lesion]) -> list[list[Lesion]]:
    """Lesions that stem from or went into one another, each family in the order it came up."""
    family = {lesion.pk: lesion.pk for lesion in lesions}

    def head(key: int) -> int:
        while family[key] != key:
            key = family[key]
        return key

    for lesion in lesions:
        for other in (lesion.parent_id, lesion.merged_into_id):
            if other in family:
                one, two = sorted((head(lesion.pk), head(other)))
                family[two] = one
    found: dict[int, list[Lesion]] = {}
    for lesion in sorted(lesions, key=lambda one: (one.first_recorded, one.number)):
        found.setdefault(head(lesion.pk), []).append(lesion)
    return list(found.values())


def _bonds(members: Sequence[Lesion], places: dict[int, int]) -> Iterator[Bond]:
    labels = {lesion.pk: lesion for lesion in members}
    for lesion in members:
        parent, into = labels.get(lesion.parent_id or 0), labels.get(lesion.merged_into_id or 0)
        day = lesion.first_recorded
        if parent is not None and lesion.lineage == Origin.SPLIT:
            words = _("%(day)s: %(lesion)s split from %(parent)s") % _names(lesion, day, parent)
            yield Bond(SPLIT, places[parent.pk], places[lesion.pk], day, words)
        elif parent is not None:
            words = _("%(day)s: %(lesion)s is a recurrence of %(parent)s") % _names(lesion, day, parent)
            if parent.closed_on is not None and parent.closed_on <= day:
                words += " " + _("after %(days)s days") % {"days": (day - parent.closed_on).days}
            yield Bond(RECURRENCE, places[parent.pk], places[lesion.pk], day, words)
        if into is not None and lesion.closed_on is not None:
            words = _("%(day)s: %(lesion)s merged into %(parent)s") % _names(lesion, lesion.closed_on, into)
            yield Bond(MERGE, places[lesion.pk], places[into.pk], lesion.closed_on, words)


def _names(lesion: Lesion, day: datetime.date, parent: Lesion) -> dict[str, object]:
    return {"day": day, "lesion": lesion.label, "parent": parent.label}


def _life(lesion: Lesion) -> Life:
    status = str(lesion.get_current_status_display()).lower()
    until = lesion.closed_on or _("now")
    title = f"{lesion.label} {lesion.where}: {lesion.first_recorded} – {until}, {status}"
    key = status_key("RESOLVED" if lesion.current_status == "MERGED" else lesion.current_status)
    merged = lesion.merged_into_id is not None  # its arrow says how it ended
    return Life(
        lesion.label, _short(lesion.where), lesion.first_recorded, lesion.closed_on, title,
        href=address("patients:record", Lesion.kind(), ..., of=lesion.public_id),
        end=None if merged else lambda x, y: shape(key, x, y, 5.5),
    )  # fmt: skip


def _short(where: str) -> str:
    return where if len(where) <= 26 else f"{where[:25]}…"
