"""A visit entered on the wrong patient is moved to the right one, with everything entered at it, until it is signed.

What belongs to a body cannot move by itself: each lesion seen at the visit is either one of the other patient's, or new
there, or its entry is left out. Everything is decided before, checked as it would stand afterwards, and done at once.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.codebook.items import item_fields
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.quality.services import close_removed
from calcinosis_registry.records.models import record_kinds
from lesions.models import PRESENT, Lesion, LesionObservation, LesionStatus
from lesions.models.links import LesionLink
from lesions.signed_content import canonical, contents_of
from patients.models import Patient, PatientRecord, Visit, VisitState, VisitType
from patients.services import after_save

NEW, DROP = "new", "drop"
# Of a lesion that is entered anew for the other patient: what follows a body, not the lesion itself.
NOT_COPIED = frozenset({"number", "first_recorded", "target", "index_treated", "lineage"})


@dataclass
class Concerned:
    """A lesion of the patient the visit stands with, and what the visit says of it."""

    lesion: Lesion
    found_here: bool
    observation: LesionObservation | None

    @property
    def can_be_new(self) -> bool:
        return self.found_here or self.observation is None or self.observation.status_change in PRESENT


@dataclass
class Plan:
    """What would move. ``problems``: why it cannot, whatever is chosen for the lesions."""

    visit: Visit
    target: Patient
    records: list[PatientRecord] = field(default_factory=list)
    lesions: list[Concerned] = field(default_factory=list)
    theirs: list[Lesion] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    shown: str = ""


def plan_move(*, visit: Visit, target: Patient) -> Plan:
    """Look at everything, change nothing."""
    plan = Plan(visit, target, theirs=list(Lesion.objects.filter(patient=target).order_by("number")))
    plan.shown = hashlib.sha256(canonical(contents_of([visit.pk])[visit.pk])).hexdigest()
    plan.problems += _standing_problems(visit, target)
    _gather(plan)
    found = Lesion.objects.filter(visit=visit)
    seen = {
        one.lesion_id: one for one in LesionObservation.objects.filter(visit=visit).select_related("visit", "lesion")
    }
    for one in seen.values():
        if one.merged_into_id is not None or one.status_change == LesionStatus.SPLIT:
            problem = _("%(lesion)s split or merged at this visit: take that back first.")
            plan.problems.append(problem % {"lesion": one.lesion.label})
    linked = {pk for record in plan.records for pk in _lesion_ids(record)}
    for lesion in Lesion.objects.filter(pk__in={*seen, *linked, *found.values_list("pk", flat=True)}).order_by(
        "number"
    ):
        one = Concerned(lesion, lesion.visit_id == visit.pk, seen.get(lesion.pk))
        plan.lesions.append(one)
        if one.found_here:
            plan.problems += _elsewhere(one.lesion, plan)
    return plan


def _standing_problems(visit: Visit, target: Patient) -> list[str]:
    found = []
    if visit.is_locked:
        found.append(_("The visit is signed: unlock it first."))
    if target.pk == visit.patient_id:
        found.append(_("The visit stands with this patient already."))
    if target.clinic_id != visit.patient.clinic_id:
        found.append(_("The patient belongs to another clinic."))
    if not target.registry_consent:
        found.append(_("The other patient has no consent to the registry in force."))
    others = Visit.objects.filter(patient=target)
    if visit.visit_type == VisitType.BASELINE and others.filter(visit_type=VisitType.BASELINE).exists():
        found.append(_("The other patient has a baseline visit already: change the type of this one first."))
    return found


def _gather(plan: Plan) -> None:
    """The records entered at the visit, and those that hang on them and belong to no other visit."""
    kinds = [model for model in record_kinds(PatientRecord) if model not in (Lesion, LesionObservation)]
    moving: dict[tuple[type, int], PatientRecord] = {}
    fresh = [row for model in kinds for row in model._default_manager.filter(visit=plan.visit).select_related("visit")]
    while fresh:
        moving |= {(type(row), row.pk): row for row in fresh}
        hanging = [row for one in fresh for row in _pointing_at(one) if (type(row), row.pk) not in moving]
        fresh = []
        for row in hanging:
            if row.visit_id in (None, plan.visit.pk):
                if not isinstance(row, LesionObservation):
                    fresh.append(row)
            else:
                plan.problems.append(
                    _("%(what)s of another visit refers to what was entered here.") % {"what": _of(row)}
                )
    plan.records = list(moving.values())
    here = [*plan.records, *LesionObservation.objects.filter(visit=plan.visit)]
    for row in here:
        for key in _keys(type(row)):
            value = getattr(row, key.attname)
            if value is not None and (key.related_model, value) not in moving:
                words = {"what": _of(row), "field": key.verbose_name}
                plan.problems.append(_("%(what)s refers to something that was not entered here (%(field)s).") % words)


def _keys(model: type[models.Model]) -> list[models.Field]:
    """Its keys to other records of the patient; lesions are decided one by one."""
    kinds = {one for one in record_kinds(PatientRecord) if one is not Lesion}
    return [one for one in model._meta.concrete_fields if one.related_model in kinds]


def _pointing_at(record: PatientRecord) -> Iterable[Any]:
    for relation in record._meta.get_fields(include_hidden=True):
        model: Any = relation.related_model
        if relation.one_to_many and issubclass(model, PatientRecord):
            yield from model._default_manager.filter(**{relation.field.name: record.pk}).select_related("visit")  # type: ignore[union-attr]


def _links(model: type[models.Model]) -> list[tuple[type[Any], str]]:
    """(link model, its key of the record) of a kind with linked lesions."""
    found: list[tuple[type[Any], str]] = []
    for relation in model._meta.get_fields(include_hidden=True):
        link: Any = relation.related_model
        if relation.one_to_many and issubclass(link, LesionLink):
            found.append((link, relation.field.name))  # type: ignore[union-attr]
    return found


def _lesion_ids(record: PatientRecord) -> list[int]:
    found = [getattr(record, "lesion_id", None)]
    for link, name in _links(type(record)):
        found += link._default_manager.filter(**{name: record.pk}).values_list("lesion_id", flat=True)
    return [pk for pk in found if pk is not None]


def _elsewhere(lesion: Lesion, plan: Plan) -> list[str]:
    """Why a lesion found at this visit cannot go with it."""
    label = {"lesion": lesion.label}
    later = LesionObservation.objects.filter(lesion=lesion).exclude(visit=plan.visit).select_related("visit").first()
    if later is not None:
        words = {**label, "day": later.visit.visit_date}
        return [_("%(lesion)s was found here and seen again on %(day)s.") % words]
    if lesion.parent_id or lesion.merged_into_id or lesion.children.exists() or lesion.merged.exists():  # type: ignore[attr-defined]
        return [_("%(lesion)s was found here and stems from, or merged with, another lesion.") % label]
    moving = {(type(row), row.pk) for row in plan.records}
    for relation in Lesion._meta.get_fields(include_hidden=True):
        model: Any = relation.related_model
        if not relation.one_to_many or model in (Lesion, LesionObservation):
            continue
        for row in model._default_manager.filter(lesion=lesion):
            owner = next((getattr(row, n) for m, n in _all_links() if m is model), row)
            if (type(owner), owner.pk) not in moving:
                return [_("%(lesion)s was found here, and %(what)s refers to it.") % {**label, "what": _of(owner)}]
    return []


def _all_links() -> list[tuple[type[Any], str]]:
    return [pair for model in record_kinds(PatientRecord) if model is not Lesion for pair in _links(model)]


def _of(record: Any) -> str:
    return f"{type(record).title()} {record}"


def move_visit(
    *, plan: Plan, choices: Mapping[int, str], reason: str, by: User, now: datetime.datetime
) -> Visit:  # fmt: skip
    """Carry out a plan made in this transaction, under the locks of both patients.

    ``choices``: {lesion: NEW, DROP or the public id of one of the other patient's lesions}. Raises ValidationError.
    """
    if plan.problems:
        raise ValidationError(plan.problems)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why the visit is moved.")})
    goes_to = _decided(plan, choices)
    old, visit = plan.visit.patient, plan.visit
    try:
        with trail.together(), trail.because(reason.strip()[:400]):
            _carry_over(plan, goes_to, now)
            told = {"patient": [old.registry_number, plan.target.registry_number]}
            trail.write([trail.event(Action.CHANGE, about=visit, patient=old.registry_number, changes=told)])
            _check(plan)
            _follow(plan, old, now)
    except IntegrityError:
        raise ValidationError(_("The other patient has the same entry already. Nothing was moved.")) from None
    return visit


def _decided(plan: Plan, choices: Mapping[int, str]) -> dict[int, str | Lesion]:
    """{lesion: NEW, DROP or the lesion it is}."""
    theirs = {one.public_id: one for one in plan.theirs}
    found: dict[int, str | Lesion] = {}
    errors: dict[str, str] = {}
    for one in plan.lesions:
        chosen = choices.get(one.lesion.pk, "")
        if chosen in theirs:
            if theirs[chosen] in found.values():
                errors[f"lesion-{one.lesion.pk}"] = _("Two lesions cannot be the same one.")
            found[one.lesion.pk] = theirs[chosen]
        elif chosen == DROP or (chosen == NEW and one.can_be_new):
            found[one.lesion.pk] = chosen
        else:
            errors[f"lesion-{one.lesion.pk}"] = _("Say what becomes of it.")
    if errors:
        raise ValidationError(errors)
    return found


def _carry_over(plan: Plan, goes_to: dict[int, str | Lesion], now: datetime.datetime) -> None:
    """Write everything past the rules, which see the whole afterwards; with an event for each row."""
    visit, target = plan.visit, plan.target
    visit.patient = target
    if visit.state == VisitState.COMPLETE:
        visit.state = VisitState.OPEN  # to be looked through with the right patient
    _write(Visit, [visit], ["patient", "state", "version"])
    becomes = _lesions_there(plan, goes_to)
    for record in plan.records:
        record.patient = target
        changed = ["patient", "version"]
        if getattr(record, "lesion_id", None) is not None:
            record.lesion = becomes[record.lesion_id]  # type: ignore[attr-defined]
            changed.append("lesion")
        _write(type(record), [record], changed)
        for link, name in _links(type(record)):
            _relink(link, name, record, becomes)
    for one in plan.lesions:
        _carry_observation(one, becomes[one.lesion.pk], visit, now)
        if one.found_here and goes_to[one.lesion.pk] != NEW:
            # It was never this patient's; its entry stands with the other lesion, or in the history.
            close_removed(one.lesion, because=_("Record removed."), now=now)
            one.lesion.delete()


def _lesions_there(plan: Plan, goes_to: dict[int, str | Lesion]) -> dict[int, Lesion | None]:
    """{lesion: which lesion of the other patient it is now, None for an entry left out}."""
    number = Lesion.objects.next_number(plan.target)
    found: dict[int, Lesion | None] = {}
    for one in plan.lesions:
        chosen, lesion = goes_to[one.lesion.pk], one.lesion
        if chosen == DROP or isinstance(chosen, Lesion):
            found[lesion.pk] = chosen if isinstance(chosen, Lesion) else None
            continue
        if one.found_here:
            lesion.patient, lesion.number = plan.target, number
            _write(Lesion, [lesion], ["patient", "number", "version"])
            found[lesion.pk] = lesion
        else:
            found[lesion.pk] = _copied(lesion, plan, number)
        number += 1
    return found


def _copied(lesion: Lesion, plan: Plan, number: int) -> Lesion:
    names = [one.name for one in item_fields(Lesion) if one.name not in {*NOT_COPIED, *Lesion.MAINTAINED}]
    there = Lesion(**{name: getattr(lesion, name) for name in names})
    there.patient, there.visit, there.number = plan.target, plan.visit, number
    there.first_recorded = plan.visit.visit_date
    there.first_noticed = None
    there.save()
    return there


def _carry_observation(one: Concerned, there: Lesion | None, visit: Visit, now: datetime.datetime) -> None:
    seen = one.observation
    if seen is None:
        return
    if there is None:
        seen.visit = visit
        close_removed(seen, because=_("Record removed."), now=now)
        seen.delete()
        return
    if there.visit_id == visit.pk:
        seen.status_change = LesionStatus.NEW if not one.found_here else seen.status_change
    elif seen.status_change == LesionStatus.NEW:
        seen.status_change = ""  # known there already: what changed since last time is asked again
    seen.patient, seen.lesion, seen.visit = visit.patient, there, visit
    _write(LesionObservation, [seen], ["patient", "lesion", "status_change", "version"])


def _relink(link: type[Any], name: str, record: PatientRecord, becomes: Mapping[int, Lesion | None]) -> None:
    for row in link._default_manager.filter(**{name: record.pk}):
        there = becomes[row.lesion_id]
        if there is None:
            row.delete()
        else:
            row.lesion = there
            link._default_manager.bulk_update([row], ["lesion"])


def _write(model: type[Any], rows: list[Any], names: list[str]) -> None:
    for row in rows:
        row.version += 1
    model._default_manager.bulk_update(rows, names)


def _check(plan: Plan) -> None:
    """Every rule of every moved row, as it stands now; all problems at once."""
    problems: list[str] = []
    moved: list[Any] = [Visit.objects.get(pk=plan.visit.pk)]
    moved += Lesion.objects.filter(visit=plan.visit)
    moved += LesionObservation.objects.filter(visit=plan.visit).select_related("lesion", "visit")
    moved += [type(row)._default_manager.get(pk=row.pk) for row in plan.records]
    for row in moved:
        try:
            row.verify()
            if hasattr(row, "check_links"):
                row.check_links(row.lesions.all())
        except ValidationError as error:
            problems += [f"{_of(row)}: {message}" for message in error.messages]
    if problems:
        raise ValidationError(problems)


def _follow(plan: Plan, old: Patient, now: datetime.datetime) -> None:
    """Questions, lesions and summaries of both patients."""
    visit, target = plan.visit, plan.target
    kept = [visit, *plan.records, *LesionObservation.objects.filter(visit=visit).select_related("lesion", "visit")]
    about = {(one._meta.label_lower, one.pk) for one in kept}
    about |= {(Lesion._meta.label_lower, pk) for pk in Lesion.objects.filter(visit=visit).values_list("pk", flat=True)}
    asked = DataQuery.objects.filter(patient=old.registry_number)
    moved = [query for query in asked if (query.model, query.object_id) in about]
    for query in moved:
        query.patient = target.registry_number
    DataQuery.objects.bulk_update(moved, ["patient"])
    after_save(patient=target, records=kept, now=now)
    rest = LesionObservation.objects.filter(patient=old).select_related("lesion", "visit")
    after_save(patient=old, records=[*Visit.objects.filter(patient=old), *rest], now=now)
