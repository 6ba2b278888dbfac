"""What must hold between a visit and its lesions, wherever the visit is changed (clinical-model 12.3 (3), 12.4 (3–5)).

Handed to ``patients.models.visit.RULES`` at start. Whatever is refused here is refused on every page and in code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from lesions import agreement
from lesions.models import Lesion, LesionObservation, LesionStatus, Lineage, Procedure
from lesions.models.observation import excised_without_procedure, there_again
from patients.models import Visit, on_or_before


def visit_errors(visit: Visit) -> dict[str, str]:
    """{field: what is wrong} of a saved visit beside the lesions found and seen at it."""
    changed = visit.changed_fields()
    if "visit_date" in changed:
        return _found_later(visit) | _moved(visit)
    if "calcinosis_present" in changed and not visit.saved_whole:
        return _absent(visit, LesionObservation.objects.filter(visit=visit.pk))
    return {}


def _found_later(visit: Visit) -> dict[str, str]:
    """The lesions found at a visit move with its date, but not past another visit that saw them."""
    day = visit.visit_date
    found = Lesion.objects.filter(patient=visit.patient_id, visit=visit.pk)
    seen = LesionObservation.objects.filter(lesion__in=found, visit__visit_date__lt=day).exclude(visit=visit.pk)
    if earlier := seen.select_related("visit", "lesion").order_by("visit__visit_date").first():
        message = _("%(lesion)s, found at this visit, was seen on %(day)s already.")
        return {"visit_date": message % {"lesion": earlier.lesion, "day": earlier.visit.visit_date}}
    for lesion in found:
        if not on_or_before(lesion.first_noticed, day):
            message = _("%(lesion)s, found at this visit, was first noticed later (%(day)s).")
            return {"visit_date": message % {"lesion": lesion, "day": lesion.first_noticed}}
    return {}


def _moved(visit: Visit) -> dict[str, str]:
    """What was seen at a visit stays possible on its new day."""
    at_it = list(LesionObservation.objects.filter(visit=visit.pk).select_related("lesion"))
    for one in at_it:
        if one.lesion.visit_id != visit.pk and one.lesion.first_recorded > visit.visit_date:
            message = _("%(lesion)s, seen at this visit, was recorded later (%(day)s).")
            return {"visit_date": message % {"lesion": one.lesion, "day": one.lesion.first_recorded}}
    if visit.saved_whole or not at_it:
        return {}  # the rows of the page may change with it: save_visit looks at both
    if errors := _absent(visit, at_it):
        return errors
    seen = observations_by_lesion([one.lesion_id for one in at_it])
    for rows in seen.values():
        for row in rows:
            if row.visit_id == visit.pk:
                row.visit = visit
    told = course_errors([row for rows in seen.values() for row in rows if row.visit_id == visit.pk], seen)
    return {"visit_date": next(iter(told.values()))} if told else {}


def _absent(visit: Visit, seen: Iterable[LesionObservation]) -> dict[str, str]:
    if any(agreement.contradicts(visit.calcinosis_present, one.status_change) for one in seen):
        return {"calcinosis_present": _("“No”, but a lesion is recorded as present. One of the two is wrong.")}
    return {}


def observations_by_lesion(lesions: Iterable[int]) -> dict[int, list[LesionObservation]]:
    """{lesion: its observations} of these lesions."""
    found: dict[int, list[LesionObservation]] = {}
    for one in LesionObservation.objects.filter(lesion__in=set(lesions)).select_related("visit", "lesion"):
        found.setdefault(one.lesion_id, []).append(one)
    return found


def procedures_of(lesions: Iterable[int]) -> dict[int, list[Procedure]]:
    """{lesion: the procedures on it}."""
    wanted = set(lesions)
    found: dict[int, list[Procedure]] = {one: [] for one in wanted}
    for procedure in Procedure.objects.filter(lesions__in=wanted).distinct().prefetch_related("lesions"):
        for lesion in procedure.lesions.all():
            found.setdefault(lesion.pk, []).append(procedure)
    return found


def course_errors(
    changed: Sequence[LesionObservation], seen: Mapping[int, Sequence[LesionObservation]]
) -> dict[LesionObservation, str]:
    """{changed observation: what is wrong} beside ``seen``, all observations of each lesion, and the procedures."""
    found: dict[LesionObservation, str] = {}
    excised = [one for one in changed if one.status_change == LesionStatus.EXCISED]
    done = procedures_of(one.lesion_id for one in excised) if excised else {}
    for one in changed:
        back = agreement.back_again(agreement.in_order(seen.get(one.lesion_id, ())))
        if back is not None:
            found[one] = there_again(*back)
        elif one in excised and not agreement.removed_by(done[one.lesion_id], one.visit.visit_date):
            found[one] = excised_without_procedure(one)
    return found


def lineage_errors(
    visit: Visit, seen: Mapping[int, Sequence[LesionObservation]]
) -> dict[LesionObservation, str]:  # fmt: skip
    """{observation at the visit: what is wrong} between split and merged lesions. ``seen``: all of the patient's."""
    at_it = {one.lesion_id: one for rows in seen.values() for one in rows if one.visit_id == visit.pk}
    found_here = [one.lesion for one in at_it.values() if one.lesion.visit_id == visit.pk]
    split_off = {one.parent_id: one for one in found_here if one.lineage == Lineage.SPLIT}
    found: dict[LesionObservation, str] = {}
    for pk, one in at_it.items():
        told = {"lesion": one.lesion.label}
        if one.status_change == LesionStatus.MERGED and one.merged_into_id is not None:
            there = agreement.is_there_on(seen.get(one.merged_into_id, ()), visit.visit_date)
            if not there and one.merged_into is not None:
                message = _("%(other)s is not there at this visit: nothing can have merged into it.")
                found[one] = message % {"other": one.merged_into.label}
        elif one.status_change == LesionStatus.SPLIT and pk not in split_off:
            found[one] = _("Split: add each part that came off as a new lesion, “split from” %(lesion)s.") % told
        elif pk in split_off and one.status_change not in (LesionStatus.SPLIT, ""):
            message = _("%(part)s was split off %(lesion)s at this visit: answer “split”, or take the split back.")
            found[one] = message % {**told, "part": split_off[pk].label}
    return found


def check_whole(
    visit: Visit, changed: Sequence[LesionObservation], seen: Mapping[int, Sequence[LesionObservation]], *, moved: bool
) -> None:
    """After visit and lesions were written together. Raises ValidationError; lesions by ``l3-status_change``."""
    at_it = [one for rows in seen.values() for one in rows if one.visit_id == visit.pk]
    errors = _absent(visit, at_it)
    keys = {one.pk for one in changed}
    told = course_errors([one for one in at_it if moved or one.pk in keys], seen)
    # A merge concerns the lesion it went into, a split the parts: a change of either is a change of both.
    touched = {one.lesion_id for one in changed} | {one.lesion.parent_id for one in changed}
    told |= {
        one: message
        for one, message in lineage_errors(visit, seen).items()
        if moved or touched & {one.lesion_id, one.merged_into_id}
    }
    errors |= {f"l{one.lesion.number}-status_change": message for one, message in told.items()}
    if errors:
        raise ValidationError(errors)
