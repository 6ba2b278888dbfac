"""What becomes of a lesion's identity at a visit, and taking it back while the visit is not signed.

A lesion keeps its number through everything (clinical-model 6.1): one that splits stays, and each part that came off is
a new lesion with it as parent; one that merges is over, and says into which it went; what comes back after it was gone
is a new lesion with the old one as parent.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.quality.services import close_removed
from lesions.models import Lesion, LesionObservation, LesionStatus, Lineage
from patients.models import Visit
from patients.services import after_save, removal_problem

MERGE, SPLIT, FOUND = "merge", "split", "found"


@dataclass(frozen=True)
class Undo:
    """What can be taken back in the row of a lesion. ``others``: the lesion it merged into, or the parts split off."""

    kind: str
    others: tuple[Lesion, ...] = ()

    @property
    def labels(self) -> str:
        return ", ".join(one.label for one in self.others)


def undo_of(
    visit: Visit, lesion: Lesion, current: LesionObservation | None, lesions: Iterable[Lesion]
) -> Undo | None:  # fmt: skip
    """``current``: the lesion's observation at the visit; ``lesions``: all that stand there."""
    if visit.pk is None or visit.is_locked or current is None or current.pk is None:
        return None
    if current.status_change == LesionStatus.MERGED:
        into = current.merged_into_id or lesion.merged_into_id
        return Undo(MERGE, tuple(one for one in lesions if one.pk == into))
    if current.status_change == LesionStatus.SPLIT:
        return Undo(SPLIT, tuple(one for one in lesions if is_part(one, lesion, visit)))
    return Undo(FOUND) if lesion.visit_id == visit.pk else None


def is_part(one: Lesion, of: Lesion, visit: Visit) -> bool:
    """Was ``one`` split off ``of`` at this visit?"""
    return one.parent_id == of.pk and one.lineage == Lineage.SPLIT and one.visit_id == visit.pk


def undo(*, visit: Visit, lesion: Lesion, by: User, now: datetime.datetime) -> str:
    """Take back what the visit says of the lesion's identity; says in words what was done.

    After a merge or a split the lesion is to be answered anew. Raises ValidationError where it cannot be.
    """
    if visit.is_locked:
        raise ValidationError(_("The visit is signed: unlock it first. Nothing was changed."))
    with trail.together():
        rows = {one.lesion_id: one for one in LesionObservation.objects.filter(visit=visit).select_related("lesion")}
        current, known = rows.get(lesion.pk), [one.lesion for one in rows.values()]
        found = undo_of(visit, lesion, current, known)
        if found is None or current is None:
            raise ValidationError(_("There is nothing to take back for %(lesion)s.") % {"lesion": lesion.label})
        words = _words(found, lesion)
        with trail.because(words):
            if found.kind == FOUND:
                _remove(lesion, current, now)
            else:
                for part in found.others if found.kind == SPLIT else ():
                    _remove(part, rows[part.pk], now)
                current.status_change, current.merged_into = "", None
                current.visit.saved_whole = True  # the lesion's other rows are settled below
                current.save()
            rest = LesionObservation.objects.filter(patient=visit.patient).select_related("lesion", "visit")
            after_save(patient=visit.patient, records=[visit, *rest], now=now)
    return words


def _words(found: Undo, lesion: Lesion) -> str:
    told = {"lesion": lesion.label, "others": found.labels}
    if found.kind == MERGE:
        return _("Merge of %(lesion)s into %(others)s taken back.") % told
    if found.kind == SPLIT:
        return _("Split of %(lesion)s taken back; %(others)s removed.") % told
    return _("%(lesion)s removed: entered by mistake.") % told


def _remove(lesion: Lesion, seen: LesionObservation, now: datetime.datetime) -> None:
    """A lesion that was found at the visit by mistake; its number stays taken, its values stay in the trail."""
    for record in (seen, lesion):
        if problem := removal_problem(record):
            raise ValidationError(f"{lesion.label}: {problem}")
        close_removed(record, because=_("Record removed."), now=now)
        record.delete()
