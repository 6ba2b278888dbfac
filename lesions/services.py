"""Saving a visit with its lesions, and what follows from it. Keyword-only verbs, one transaction, bulk writes."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.codebook.fields import PartialDateField
from calcinosis_registry.codebook.items import Need, item_fields, item_of
from calcinosis_registry.quality.findings import Finding
from lesions import checks, scoring
from lesions.body_map import MAP_VERSION
from lesions.models import ImagingStudy, Lesion, LesionObservation, LesionStatus, Procedure, TreatmentCourse
from lesions.outcome import incident_lesions, outcomes
from lesions.rules import check_whole
from patients.kinds import kinds
from patients.models import NoneOrList, Patient, Summary, Visit, VisitRecord, VisitState
from patients.services import recheck_records


@dataclass
class NewLesion:
    """A lesion found at the visit, with its first observation; both unsaved."""

    lesion: Lesion
    observation: LesionObservation


@dataclass
class Removal:
    """A procedure, recorded before or with the visit, and the lesions it is now said to have removed."""

    procedure: Procedure
    lesions: list[Lesion]


@dataclass
class VisitEntry:
    """Everything one visit page saves. All of one patient; lists hold only what changed."""

    visit: Visit
    observations: list[LesionObservation] = field(default_factory=list)
    new_lesions: list[NewLesion] = field(default_factory=list)
    lesions: list[Lesion] = field(default_factory=list)
    records: list[VisitRecord] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)


def save_visit(*, entry: VisitEntry, by: User, now: datetime.datetime) -> Visit:
    """Write the whole page in one transaction. Raises ValidationError by record when a rule is broken."""
    visit, patient = entry.visit, entry.visit.patient
    visit.saved_whole = True
    with trail.together():
        moved = "visit_date" in visit.changed_fields()
        visit.save()  # refuses a signed one
        for record in entry.records:
            record.visit = visit
            record.save()
        for lesion in entry.lesions:
            lesion.save()
        _save_new_lesions(entry, patient)
        for removal in entry.removals:
            _save_removal(removal, visit)
        fresh = [new.observation for new in entry.new_lesions]
        for observation in [*entry.observations, *fresh]:
            observation.visit = visit
            observation.version += 1
            observation.verify()
        _write(LesionObservation, [*entry.observations, *fresh])
        settled = settle_lesions(patient=patient)
        check_whole(visit, [*entry.observations, *fresh], settled.seen, moved=moved)
        written = [*entry.observations, *fresh]
        beside = _beside_earlier(written, settled.seen)
        done = [removal.procedure for removal in entry.removals]
        checked = [visit, *written, *entry.records, *done]
        recheck_records(patient=patient, records=checked, now=now, known={find_beside: beside})
        summarise(patients=[patient], settled=settled)
    return visit


def _save_new_lesions(entry: VisitEntry, patient: Patient) -> None:
    if not entry.new_lesions:
        return
    # The patient's row is the queue: two visits saved at once cannot take the same number.
    Patient.objects.select_for_update().get(pk=patient.pk)
    number = Lesion.objects.next_number(patient)
    for offset, new in enumerate(entry.new_lesions):
        new.lesion.patient, new.lesion.visit = patient, entry.visit
        new.lesion.number = number + offset
        new.lesion.first_recorded = entry.visit.visit_date
        if new.lesion.map_x is not None:
            new.lesion.map_version = MAP_VERSION
        new.lesion.save()
        new.observation.lesion, new.observation.patient = new.lesion, patient


def _save_removal(removal: Removal, visit: Visit) -> None:
    procedure = removal.procedure
    if procedure._state.adding:
        procedure.visit = visit
        procedure.save()
    procedure.lesions.add(*removal.lesions)


def _write(model: type[LesionObservation], rows: list[LesionObservation]) -> None:
    added = [row for row in rows if row._state.adding]
    changed = [row for row in rows if not row._state.adding]
    if added:
        model.objects.bulk_create(added)
    if changed:
        names = [one.name for one in model._meta.concrete_fields if not one.primary_key and one.name != "public_id"]
        model.objects.bulk_update(changed, names)


@dataclass
class Settled:
    """A patient's lesions brought in line with their observations, and those observations, oldest visit first."""

    lesions: list[Lesion]
    seen: dict[int, list[LesionObservation]]


def settle_lesions(*, patient: Patient) -> Settled:
    """Bring the maintained columns of the patient's lesions in line with their observations."""
    lesions = list(Lesion.objects.filter(patient=patient))
    seen = observations_of([patient.pk])
    for lesion in lesions:
        for one in seen[lesion.pk]:
            one.lesion = lesion
        lesion.settle(seen[lesion.pk])
    moved = [lesion for lesion in lesions if set(lesion.changed_fields()) & set(Lesion.FOLLOWING)]
    if moved:
        Lesion.objects.bulk_update(moved, Lesion.FOLLOWING)
    return Settled(lesions, seen)


def observations_of(ids: Sequence[int]) -> dict[int, list[LesionObservation]]:
    """{lesion: its observations, oldest visit first} of these patients."""
    seen: dict[int, list[LesionObservation]] = defaultdict(list)
    rows = LesionObservation.objects.filter(patient__in=ids).select_related("visit")
    for observation in rows.order_by("visit__visit_date", "visit_id"):
        seen[observation.lesion_id].append(observation)
    return seen


def summarise(*, patients: Sequence[Patient], settled: Settled | None = None) -> None:
    """Write the summary rows of these patients. ``settled``: all their lesions, where the caller has them."""
    ids = [patient.pk for patient in patients]
    if settled is None:
        settled = Settled(list(Lesion.objects.filter(patient__in=ids)), observations_of(ids))
    lesions: dict[int, list[Lesion]] = defaultdict(list)
    for lesion in settled.lesions:
        lesions[lesion.patient_id].append(lesion)
    visits: dict[int, list[Visit]] = defaultdict(list)
    for visit in Visit.objects.filter(patient__in=ids).order_by("visit_date", "id"):
        visits[visit.patient_id].append(visit)
    rows = [_summary(pk, visits[pk], lesions[pk], settled.seen) for pk in ids]
    columns = [one.name for one in Summary._meta.concrete_fields if not one.primary_key]
    Summary.objects.bulk_create(rows, update_conflicts=True, unique_fields=["patient"], update_fields=columns)


def _summary(
    pk: int, visits: list[Visit], lesions: list[Lesion], seen: dict[int, list[LesionObservation]]
) -> Summary:  # fmt: skip
    attended = [visit for visit in visits if visit.state != VisitState.MISSED]
    latest = attended[-1] if attended else None
    # A missed visit counts where it made a new appointment; otherwise the one before stays overdue.
    planned = next((one for one in reversed(visits) if one in attended or one.next_visit_due), None)
    active = [lesion for lesion in lesions if lesion.is_active]
    asked = len(COMPLETENESS_OF)
    return Summary(
        patient_id=pk,
        visit_count=len(attended),
        first_visit_on=attended[0].visit_date if latest else None,
        last_visit_on=latest.visit_date if latest else None,
        next_due_on=planned.next_visit_due if planned else None,
        lesion_count=len(lesions),
        active_lesions=len(active),
        ulcerated_lesions=sum(lesion.ulcerated_now for lesion in active),
        infected_lesions=sum(lesion.infected_now for lesion in active),
        ever_ulcer=any(one.ulcerated == "Y" for lesion in lesions for one in seen[lesion.pk]),
        pain_nrs=latest.pain_nrs if latest else None,
        burden_mm2=_burden(lesions, seen),
        open_visits=sum(visit.state == VisitState.OPEN for visit in visits),
        unsigned_visits=sum(visit.state == VisitState.COMPLETE for visit in visits),
        completeness=round(100 * (asked - len(latest.missing())) / asked) if latest else 0,
    )


def _burden(lesions: list[Lesion], seen: dict[int, list[LesionObservation]]) -> Decimal | None:
    """Sum of the target areas as last assessed; one unmeasured target makes it missing (product.md, "Decided")."""
    last = [
        next((one for one in reversed(seen[lesion.pk]) if one.is_assessed), None) for lesion in lesions if lesion.target
    ]
    sum_ = scoring.burden_mm2(
        (one.status_change, one.length_mm, one.width_mm) if one else ("", None, None) for one in last
    )
    return None if sum_ is None else round(sum_, 1)


# The required answers of a visit: completeness is the share of them that the latest visit has.
COMPLETENESS_OF = tuple(
    one.name for one in item_fields(Visit) if (item := item_of(one)) is not None and item.need is not Need.OPTIONAL
)


def follow(*, patient: Patient, records: Iterable[Any]) -> None:
    """After any saved record: lesions and summary of the patient follow."""
    summarise(patients=[patient], settled=settle_lesions(patient=patient))


def find_beside(*, patient: Patient, records: Sequence[Any]) -> dict[Any, list[Finding]]:
    """What looks wrong beside earlier observations and other courses (lesions/checks.py)."""
    found: dict[Any, list[Finding]] = {}
    observations = [one for one in records if isinstance(one, LesionObservation)]
    if observations:
        found |= _beside_earlier(observations, observations_of([patient.pk]))
    if any(isinstance(one, TreatmentCourse) for one in records):
        courses = list(TreatmentCourse.objects.filter(patient=patient))
        # Own findings too: these courses are checked again as a whole.
        known = set(records)
        found |= {course: [] if course in known else list(course.findings()) for course in courses}
        for course, finding in checks.overlapping_courses(courses):
            found[course].append(finding)
    return found


def _beside_earlier(
    observations: list[LesionObservation], seen: dict[int, list[LesionObservation]]
) -> dict[Any, list[Finding]]:
    return {
        one: list(
            checks.observation_findings(
                one, [old for old in seen[one.lesion_id] if old.visit.visit_date < one.visit.visit_date]
            )
        )
        for one in observations
    }


def outcome_of(*, visit: Visit, seen: Sequence[LesionObservation]) -> str | None:
    """How a visit after the first turned out. ``seen``: its observations, each with its lesion."""
    new = any(one.status_change == LesionStatus.NEW for one in seen)
    studies = list(ImagingStudy.objects.filter(patient=visit.patient_id, calcinosis_present="N")) if new else []
    incident = incident_lesions(None, {one.lesion_id: one.lesion for one in seen}, seen, studies)
    return outcomes(None, seen, incident).get(visit.pk)


# “Yes, listed” at a visit: the kinds of record that list it, the usual one first.
LISTED = {
    "treatments_changed": ("treatmentcourse", "procedure", "woundcare", "physiotherapy"),
    "complications": ("complication", "adverseevent"),
}


def unlisted(visit: Visit) -> list[tuple[str, str]]:
    """(in words, field) of what a saved visit says is listed, and nothing is: neither at it nor since the last one."""
    said = [name for name in LISTED if getattr(visit, name) == NoneOrList.LIST]
    if not said or visit.pk is None:
        return []
    earlier = Visit.objects.attended().filter(patient=visit.patient_id, visit_date__lt=visit.visit_date)
    since = earlier.aggregate(last=Max("visit_date"))["last"] or datetime.date.min
    return [
        (_("what is listed under “%(question)s”") % {"question": Visit._meta.get_field(name).verbose_name}, name)  # type: ignore[union-attr]
        for name in said
        if not any(_lists(kinds()[kind], visit, since) for kind in LISTED[name])
    ]


def _lists(model: type[Any], visit: Visit, since: datetime.date) -> bool:
    dates = [one.name for one in model._meta.concrete_fields if isinstance(one, PartialDateField)]
    return any(
        one.visit_id == visit.pk
        or any((day := getattr(one, name)) is not None and day.latest and day.latest >= since for name in dates)
        for one in model.objects.filter(patient=visit.patient_id)
    )
