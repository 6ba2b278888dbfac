"""Saving a visit with its lesions, and what follows from it. Keyword-only verbs, one transaction, bulk writes."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Min, Q

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.quality.findings import Finding
from lesions import checks, scoring
from lesions.body_map import MAP_VERSION
from lesions.models import Lesion, LesionObservation, LesionStatus, Procedure, TreatmentCourse
from patients.models import Patient, Summary, Visit, VisitRecord, VisitState
from patients.services import recheck_records


@dataclass
class NewLesion:
    """A lesion found at the visit, with its first observation; both unsaved."""

    lesion: Lesion
    observation: LesionObservation


@dataclass
class VisitEntry:
    """Everything one visit page saves. All of one patient; lists hold only what changed."""

    visit: Visit
    observations: list[LesionObservation] = field(default_factory=list)
    new_lesions: list[NewLesion] = field(default_factory=list)
    lesions: list[Lesion] = field(default_factory=list)
    records: list[VisitRecord] = field(default_factory=list)


def save_visit(*, entry: VisitEntry, by: User, now: datetime.datetime) -> Visit:
    """Write the whole page in one transaction. Raises ValidationError by record when a rule is broken."""
    visit, patient = entry.visit, entry.visit.patient
    with trail.together():
        visit.save()
        for record in entry.records:
            record.visit = visit
            record.save()
        for lesion in entry.lesions:
            lesion.save()
        _save_new_lesions(entry, patient)
        fresh = [new.observation for new in entry.new_lesions]
        for observation in [*entry.observations, *fresh]:
            observation.visit = visit
            observation.version += 1
            observation.verify()
        _write(LesionObservation, [*entry.observations, *fresh])
        settled = settle_lesions(patient=patient)
        records = [visit, *entry.observations, *fresh, *entry.records]
        recheck_records(patient=patient, records=records, now=now)
        summarise(patients=[patient], lesions=settled)
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


def _write(model: type[LesionObservation], rows: list[LesionObservation]) -> None:
    added = [row for row in rows if row._state.adding]
    changed = [row for row in rows if not row._state.adding]
    if added:
        model.objects.bulk_create(added)
    if changed:
        names = [one.name for one in model._meta.concrete_fields if not one.primary_key and one.name != "public_id"]
        model.objects.bulk_update(changed, names)


def settle_lesions(*, patient: Patient) -> list[Lesion]:
    """Bring the maintained columns of the patient's lesions in line with their observations. Returns all lesions."""
    lesions = list(Lesion.objects.filter(patient=patient))
    seen: dict[int, list[LesionObservation]] = defaultdict(list)
    rows = LesionObservation.objects.filter(patient=patient).select_related("visit")
    for observation in rows.order_by("visit__visit_date", "visit_id"):
        seen[observation.lesion_id].append(observation)
    for lesion in lesions:
        lesion.settle(seen[lesion.pk])
    moved = [lesion for lesion in lesions if set(lesion.changed_fields()) & set(Lesion.MAINTAINED)]
    if moved:
        Lesion.objects.bulk_update(moved, Lesion.MAINTAINED)
    return lesions


def summarise(*, patients: Sequence[Patient], lesions: Sequence[Lesion] | None = None) -> None:
    """Write the summary rows of these patients. ``lesions``: all their lesions, where the caller has them."""
    ids = [patient.pk for patient in patients]
    by_patient: dict[int, list[Lesion]] = defaultdict(list)
    for lesion in Lesion.objects.filter(patient__in=ids) if lesions is None else lesions:
        by_patient[lesion.patient_id].append(lesion)
    visits = _visit_facts(ids)
    latest = _latest_visits(ids)
    ulcers = set(
        LesionObservation.objects.filter(patient__in=ids, ulcerated="Y").values_list("patient_id", flat=True).distinct()
    )
    rows = [
        _summary(pk, visits.get(pk, {}), latest.get(pk), by_patient[pk], ever_ulcer=pk in ulcers) for pk in ids
    ]  # fmt: skip
    columns = [one.name for one in Summary._meta.concrete_fields if not one.primary_key]
    Summary.objects.bulk_create(rows, update_conflicts=True, unique_fields=["patient"], update_fields=columns)


def _visit_facts(ids: list[int]) -> dict[int, dict[str, Any]]:
    attended = ~Q(state=VisitState.MISSED)
    rows = (
        Visit.objects.filter(patient__in=ids)
        .values("patient_id")
        .order_by()
        .annotate(
            visit_count=Count("pk", filter=attended),
            first_visit_on=Min("visit_date", filter=attended),
            last_visit_on=Max("visit_date", filter=attended),
            open_visits=Count("pk", filter=Q(state=VisitState.OPEN)),
            unsigned_visits=Count("pk", filter=Q(state=VisitState.COMPLETE)),
        )
    )
    return {row.pop("patient_id"): row for row in rows}


def _latest_visits(ids: list[int]) -> dict[int, Visit]:
    newest: dict[int, Visit] = {}
    for visit in Visit.objects.attended().filter(patient__in=ids).order_by("visit_date", "id"):
        newest[visit.patient_id] = visit
    return newest


def _summary(
    pk: int, facts: dict[str, Any], latest: Visit | None, lesions: list[Lesion], *, ever_ulcer: bool
) -> Summary:  # fmt: skip
    active = [lesion for lesion in lesions if lesion.is_active]
    targets = [lesion for lesion in lesions if lesion.target]
    areas = [lesion.last_area_mm2 if lesion.is_active else 0 for lesion in targets]
    missing = len(latest.missing()) if latest else 0
    asked = len([1 for name in COMPLETENESS_OF if name])
    return Summary(
        patient_id=pk,
        **facts,
        next_due_on=latest.next_visit_due if latest else None,
        lesion_count=len(lesions),
        active_lesions=len(active),
        ulcerated_lesions=sum(lesion.ulcerated_now for lesion in active),
        infected_lesions=sum(lesion.infected_now for lesion in active),
        ever_ulcer=ever_ulcer,
        pain_nrs=latest.pain_nrs if latest else None,
        burden_mm2=sum(areas) if targets and None not in areas else None,
        completeness=round(100 * (asked - missing) / asked) if latest and asked else 0,
    )


# The required answers of a visit: completeness is the share of them that the latest visit has.
COMPLETENESS_OF = tuple(
    one.name for one in Visit._meta.concrete_fields if getattr(one, "item", None) and one.item.need != "optional"
)


def follow(*, patient: Patient, records: Iterable[Any]) -> None:
    """After any saved record: lesions and summary of the patient follow."""
    summarise(patients=[patient], lesions=settle_lesions(patient=patient))


def find_beside(*, patient: Patient, records: Sequence[Any]) -> dict[Any, list[Finding]]:
    """What looks wrong beside earlier observations and other courses (lesions/checks.py)."""
    found: dict[Any, list[Finding]] = {}
    observations = [one for one in records if isinstance(one, LesionObservation)]
    if observations:
        found |= _beside_earlier(patient, observations)
    if any(isinstance(one, TreatmentCourse) for one in records):
        courses = list(TreatmentCourse.objects.filter(patient=patient))
        # Own findings too: these courses are checked again as a whole.
        known = set(records)
        found |= {course: [] if course in known else list(course.findings()) for course in courses}
        for course, finding in checks.overlapping_courses(courses):
            found[course].append(finding)
    return found


def _beside_earlier(patient: Patient, observations: list[LesionObservation]) -> dict[LesionObservation, list[Finding]]:
    earlier: dict[int, list[LesionObservation]] = defaultdict(list)
    rows = LesionObservation.objects.filter(patient=patient, lesion__in=[one.lesion_id for one in observations])
    for row in rows.select_related("visit").order_by("visit__visit_date", "visit_id"):
        earlier[row.lesion_id].append(row)
    procedures: dict[int, list[Procedure]] = defaultdict(list)
    if any(one.status_change == LesionStatus.EXCISED for one in observations):
        for procedure in Procedure.objects.filter(patient=patient).prefetch_related("lesions"):
            for lesion in procedure.lesions.all():
                procedures[lesion.pk].append(procedure)
    return {
        one: list(
            checks.observation_findings(
                one,
                [old for old in earlier[one.lesion_id] if old.visit.visit_date < one.visit.visit_date],
                checks.excisions(procedures[one.lesion_id]),
            )
        )
        for one in observations
    }


def outcome(observations: Iterable[LesionObservation]) -> str | None:
    """PROGRESSION, MIXED, IMPROVED or STABLE of one visit (clinical-model 6.3)."""
    return scoring.visit_outcome(one.status_change for one in observations)
