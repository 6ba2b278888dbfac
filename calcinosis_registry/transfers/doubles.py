"""One person registered twice at a clinic: two registrations become one record, and can be taken apart again.

What belongs to the double goes to the record row by row, past the rules, which see the whole afterwards. Where the
double's answer is chosen, the two change places: so nothing is lost, and changing places again is the way back.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Transfer
from calcinosis_registry.codebook.items import item_fields
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.identity.services import likely_duplicates
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.quality.services import close_removed
from calcinosis_registry.records.display import words
from calcinosis_registry.records.models import record_kinds
from calcinosis_registry.rights.erasure import lock_all
from calcinosis_registry.transfers.obstacles import obstacles
from lesions.models import Lesion
from patients.models import Diagnosis, Merger, Patient, PatientRecord, Visit, VisitState
from patients.services import SCOPES, after_save, apply_consents

RECORD, DOUBLE = "record", "double"
IDENTITY = ("given_name", "family_name", "hospital_number", "national_number", "contact")


@dataclass(frozen=True)
class Answer:
    """One field of the person, as each registration has it. ``name`` is that of its choice in the form."""

    label: str
    name: str
    model: type[Any]
    field: str
    record: str
    double: str

    @property
    def differs(self) -> bool:
        return self.record != self.double

    @property
    def offered(self) -> str:
        """What is proposed: the record's own answer, unless it has none."""
        return DOUBLE if self.double and not self.record else RECORD


@dataclass
class Pair:
    """Two registrations side by side. ``problems``: why they cannot become one as things stand."""

    record: Patient
    double: Patient
    answers: list[Answer] = field(default_factory=list)
    counts: list[tuple[str, int, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    shown: str = ""

    @property
    def differing(self) -> list[Answer]:
        return [one for one in self.answers if one.differs]


def kinds_that_follow() -> list[type[Any]]:
    """Every kind of row with a patient of its own, but the one a patient has once."""
    return [Visit, *(one for one in record_kinds(PatientRecord) if one is not Diagnosis)]


def all_kinds() -> list[type[Any]]:
    return [*kinds_that_follow(), Diagnosis]


def side_by_side(*, record: Patient, double: Patient) -> Pair:
    """Look at both, change nothing."""
    pair = Pair(record, double)
    for model, names in _compared():
        mine, theirs = _of(model, record), _of(model, double)
        if mine is None or theirs is None:
            continue
        for name in names:
            column: Any = model._meta.get_field(name)
            told = [words(column, getattr(one, name)) for one in (mine, theirs)]
            choice = f"{model._meta.model_name}-{name}"
            pair.answers.append(Answer(capfirst(str(column.verbose_name)), choice, model, name, *told))
    for model in all_kinds():
        rows = model._default_manager
        count = [rows.filter(patient=one).count() for one in (record, double)]
        if any(count):
            pair.counts.append((model.title(), *count))
    pair.problems = _problems(record, double)
    seen = [(one.name, one.record, one.double) for one in pair.answers], pair.counts, record.version, double.version
    pair.shown = hashlib.sha256(repr(seen).encode()).hexdigest()
    return pair


def _compared() -> list[tuple[type[Any], Iterable[str]]]:
    found: list[tuple[type[Any], Iterable[str]]] = [(Identity, IDENTITY)]
    for model in (Patient, Diagnosis):
        skipped = {"visit", *model.MAINTAINED}
        found.append((model, [one.name for one in item_fields(model) if one.editable and one.name not in skipped]))
    return found


def _of(model: type[Any], patient: Patient) -> Any:
    if model is Patient:
        return patient
    key = {"registry_number": patient.registry_number} if model is Identity else {"patient": patient}
    return model._default_manager.filter(**key).first()


def _problems(record: Patient, double: Patient) -> list[str]:
    if record.pk == double.pk:
        return [_("That is the same registration.")]
    found = []
    if record.clinic_id != double.clinic_id:
        found.append(_("The two are at different clinics: one of them moves first."))
    if record.merged_into_id or double.merged_into_id:
        found.append(_("One of them belongs to another record already."))
    if doubles_of(double):
        said = _("%(number)s has taken in another registration: let it be the one that stays.")
        found.append(said % {"number": double.registry_number})
    if Transfer.objects.offered().filter(registry_number__in=[record.registry_number, double.registry_number]).exists():
        found.append(_("One of them is offered to another clinic: take the offer back first."))
    for one in (record, double):
        found += [f"{one.registry_number}: {why}" for why in obstacles(one)]
    signed = Visit.objects.filter(patient=double, state=VisitState.SIGNED).values_list("visit_date", flat=True)
    said = _("%(number)s: the visit of %(date)s is signed, and what is signed says whose it is. Unlock it first.")
    found += [said % {"number": double.registry_number, "date": day} for day in signed]
    if all(Visit.objects.filter(patient=one, visit_type="BASELINE").exists() for one in (record, double)):
        found.append(_("Both have a baseline visit: change the type of one of them first."))
    return found


def merge(
    *, record: Patient, double: Patient, choices: Mapping[str, str], shown: str, reason: str, by: User,
    now: datetime.datetime,
) -> Merger:  # fmt: skip
    """Make one record of two. Raises ValidationError in words; then nothing is changed."""
    if not (reason := reason.strip()[:400]):
        raise ValidationError({"reason": _("Say how you know that it is the same person.")})
    try:
        with transaction.atomic():
            record, double = _both(record, double)
            pair = side_by_side(record=record, double=double)
            if pair.problems:
                raise ValidationError(pair.problems)
            if shown != pair.shown:
                raise ValidationError(_("One of the two was changed meanwhile: look at both again."))
            with trail.together(), trail.because(reason):
                return _merge(pair, choices, reason, by, now)
    except IntegrityError:
        raise ValidationError(
            _("Both have the same entry (the same study, for example): remove one of the two first.")
        ) from None


def _both(record: Patient, double: Patient) -> tuple[Patient, Patient]:
    """Both as they are now, and nobody else at them; always in the same order."""
    rows = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("clinic").order_by("pk")
    found = {one.pk: one for one in rows.filter(pk__in=[record.pk, double.pk])}
    if record.pk not in found or double.pk not in found:
        raise ValidationError(_("There is no such patient any more."))
    lock_all(*found.values())
    return found[record.pk], found[double.pk]


def _merge(pair: Pair, choices: Mapping[str, str], reason: str, by: User, now: datetime.datetime) -> Merger:
    record, double = pair.record, pair.double
    done = Merger(record=record, double=double, by=by, at=now, reason=reason)
    wanted = [one for one in pair.differing if choices.get(one.name, RECORD) == DOUBLE]
    done.swapped = _swap(record, double, [(one.model, one.field) for one in wanted])
    number = Lesion.objects.next_number(record)
    rows: dict[type[Any], list[Any]] = {
        model: list(model._default_manager.filter(patient=double).order_by("pk")) for model in kinds_that_follow()
    }
    if _of(Diagnosis, record) is None:
        rows[Diagnosis] = list(Diagnosis.objects.filter(patient=double))
    done.moved = {model._meta.label_lower: [one.pk for one in some] for model, some in rows.items() if some}
    done.numbers = {str(one.pk): one.number for one in rows[Lesion]}
    numbers = {one.pk: number + place for place, one in enumerate(rows[Lesion])}
    double.merged_into = record
    _write(Patient, [double], ["merged_into"])
    _hand_over(rows, record, numbers)
    _verify(rows)
    done.save()
    _follow(double, record, rows, now)
    return done


def _swap(record: Patient, double: Patient, fields: Iterable[tuple[type[Any], str]]) -> dict[str, list[str]]:
    """Let the two change places in these fields. The record keeps to its rules; the double is nobody's to change."""
    done: dict[str, list[str]] = {}
    pairs: dict[type[Any], tuple[Any, Any]] = {}
    for model, name in fields:
        mine, theirs = pairs.setdefault(model, (_of(model, record), _of(model, double)))
        mine_was = getattr(mine, name)
        setattr(mine, name, getattr(theirs, name))
        setattr(theirs, name, mine_was)
        done.setdefault(model._meta.label_lower, []).append(name)
    for model, (mine, theirs) in pairs.items():
        if model is Identity:
            theirs.remember_keys()
            models_of = [*IDENTITY, "family_key", "given_key", "hospital_key"]
            model._default_manager.bulk_update([theirs], models_of)
            mine.save()
        else:
            mine.save()
            _write(model, [theirs], done[model._meta.label_lower])
    return done


def _hand_over(rows: Mapping[type[Any], list[Any]], to: Patient, numbers: Mapping[int, int]) -> None:
    for model, some in rows.items():
        for one in some:
            one.patient = to
            if model is Lesion:
                one.number = numbers[one.pk]
        _write(model, some, ["patient", "number"] if model is Lesion else ["patient"])


def _write(model: type[Any], rows: list[Any], names: list[str]) -> None:
    for one in rows:
        one.version += 1
    model._default_manager.bulk_update(rows, [*names, "version"])


def _verify(rows: Mapping[type[Any], list[Any]]) -> None:
    """Every rule of every row that moved, as it stands now; all problems at once."""
    problems = []
    for model, some in rows.items():
        related = [one.name for one in model._meta.concrete_fields if one.is_relation]
        for one in model._default_manager.filter(pk__in=[row.pk for row in some]).select_related(*related):
            try:
                one.verify()
            except ValidationError as error:
                problems += [f"{model.title()} {one}: {message}" for message in error.messages]
    if problems:
        raise ValidationError(problems)


def _follow(before: Patient, now_of: Patient, rows: Mapping[type[Any], list[Any]], now: datetime.datetime) -> None:
    """Questions, consents, lesions and summaries of both follow what changed hands."""
    about = {(model._meta.label_lower, one.pk) for model, some in rows.items() for one in some}
    asked = DataQuery.objects.filter(patient=before.registry_number)
    moved = [one for one in asked if (one.model, one.object_id) in about]
    for query in moved:
        query.patient = now_of.registry_number
    DataQuery.objects.bulk_update(moved, ["patient"])
    for one in (before, now_of):
        _recheck(one, now)


def _recheck(patient: Patient, now: datetime.datetime) -> None:
    """Everything that is worked out from a patient's records, after many of them came or went."""
    if patient.merged_into_id is not None:
        # Nobody's to open or to count; past the rules, which may not fit what changed places with the record.
        close_left(patient, now)
        columns = [f"{scope}_consent" for scope in SCOPES]
        for name in columns:
            setattr(patient, name, False)
        _write(Patient, [patient], columns)
        after_save(patient=patient, records=[], now=now)
        return
    rows: list[Any] = [patient]
    for model in all_kinds():
        related = [one.name for one in model._meta.concrete_fields if one.is_relation]
        rows += model._default_manager.filter(patient=patient).select_related(*related)
    apply_consents(patient=patient)
    after_save(patient=patient, records=rows, now=now)


def close_left(double: Patient, now: datetime.datetime) -> None:
    """What is asked about the double itself has nothing left to ask about."""
    for left in (double, *Diagnosis.objects.filter(patient=double)):
        close_removed(left, because=_("The registration belongs to another record now."), now=now)


def alike(patient: Patient) -> list[str]:
    """Registry numbers of the clinic's people with the same name, national or hospital number."""
    identity = Identity.objects.filter(registry_number=patient.registry_number).first()
    if identity is None:
        return []
    here, _elsewhere = likely_duplicates(clinic=patient.clinic, identity=identity)
    return [one.registry_number for one in here if one.pk != identity.pk]


def doubles_of(patient: Patient) -> list[Patient]:
    return list(Patient.objects.filter(merged_into=patient).order_by("pk"))


def take_back(*, merger: Merger, reason: str, by: User, now: datetime.datetime) -> Merger:
    """Put everything back where it was. Raises ValidationError naming what happened since that stands against it."""
    if not (reason := reason.strip()[:400]):
        raise ValidationError({"reason": _("Say why they are two people after all.")})
    with transaction.atomic():
        record, double = _both(merger.record, merger.double)
        merger = Merger.objects.get(pk=merger.pk)
        if merger.taken_back_at is not None or double.merged_into_id != record.pk:
            raise ValidationError(_("It has been taken back already."))
        rows: dict[type[Any], list[Any]] = {
            model: list(model._default_manager.filter(pk__in=merger.moved.get(model._meta.label_lower, [])))
            for model in all_kinds()
        }
        if problems := _against(merger, record, rows):
            raise ValidationError(problems)
        with trail.together(), trail.because(reason):
            double.merged_into = None
            _write(Patient, [double], ["merged_into"])
            _hand_over(rows, double, {int(pk): number for pk, number in merger.numbers.items()})
            fields = [(apps.get_model(label), name) for label, names in merger.swapped.items() for name in names]
            _swap(record, double, fields)
            merger.taken_back_by, merger.taken_back_at = by, now
            merger.save()
            _follow(record, double, rows, now)
    return merger


def _against(merger: Merger, record: Patient, rows: Mapping[type[Any], list[Any]]) -> list[str]:
    """What happened since that stands against taking it apart."""
    found = obstacles(record)
    there = {(model, one.pk) for model, some in rows.items() for one in some if one.patient_id == record.pk}
    for model, some in rows.items():
        came = len(merger.moved.get(model._meta.label_lower, []))
        if gone := came - sum((model, one.pk) in there for one in some):
            words_ = {"what": model._meta.verbose_name_plural, "count": gone}
            found.append(_("%(count)s of the %(what)s that came with it were removed or moved since.") % words_)
    said = _("The visit of %(date)s was signed since: unlock it first.")
    found += [said % {"date": one.visit_date} for one in rows[Visit] if one.is_locked]
    found += _across(record, there)
    found += _answered_since(merger)
    return found


def _across(record: Patient, there: set[tuple[type[Any], int]]) -> list[str]:
    """Entries made since that tie what came with the double to what was the record's own."""
    found: list[str] = []
    kinds = all_kinds()
    for model in kinds:
        keys = [one for one in model._meta.concrete_fields if one.related_model in kinds]
        for one in model._default_manager.filter(patient=record):
            tied = [(key.related_model, getattr(one, key.attname)) for key in keys if getattr(one, key.attname)]
            tied += _links_of(one)
            if any((end in there) != ((model, one.pk) in there) for end in tied):
                found.append(_("%(what)s ties the two together.") % {"what": f"{model.title()} {one}"})
    return found


def _links_of(row: Any) -> list[tuple[type[Any], int]]:
    lesions = getattr(row, "lesions", None)
    return [(Lesion, pk) for pk in lesions.values_list("pk", flat=True)] if lesions is not None else []


def _answered_since(merger: Merger) -> list[str]:
    """Answers that changed places then, and were changed after that."""
    done = Event.objects.of_record(Merger, merger.pk).filter(action=Action.CREATE).values_list("pk", flat=True)[:1]
    found = []
    for label, names in merger.swapped.items():
        model = apps.get_model(label)
        row = _of(model, merger.record)
        later = Event.objects.of_record(model, row.pk).filter(pk__gt=done, action=Action.CHANGE) if row else []
        changed = {name for event in later for name in event.changes}
        said = _("%(field)s was changed since.")
        found += [
            said % {"field": capfirst(str(model._meta.get_field(name).verbose_name))}  # type: ignore[union-attr]
            for name in names if name in changed
        ]  # fmt: skip
    return found
