"""Stories become rows: in bulk, with their history, about two hundred patients per transaction."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.cohorts.facts import refresh
from calcinosis_registry.demo import radiograph
from calcinosis_registry.demo.models import DemoRegister
from calcinosis_registry.demo.queries import raise_queries
from calcinosis_registry.demo.readings import read_twice
from calcinosis_registry.demo.research import found_project
from calcinosis_registry.demo.staff import Staff, hire, public_id
from calcinosis_registry.demo.story import tell
from calcinosis_registry.demo.told import Dice, Told, years
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.records.models import Record
from lesions import storage
from lesions.models import Lesion, LesionObservation
from lesions.services import Settled, summarise
from lesions.signed_content import contents_of
from lesions.signing import signature_of
from patients.models import Meaning, Signature, Visit, VisitState

BATCH = 200
ACTOR = trail.Actor(name="demo", source="load_demo")
# A record comes after the records it points at.
ORDER = (
    "identity.identity", "patients.patient", "patients.consent", "patients.antibody", "patients.diagnosis",
    "patients.cause",
    "patients.differential", "patients.subsetchange", "patients.visit", "patients.laboratoryresult",
    "patients.phenotype",
    "patients.instrumentscore", "patients.plan", "patients.qualityoflife", "lesions.skinsigns",
    "lesions.distributionassessment",
    "lesions.limitedjoint", "lesions.skinscore", "lesions.myositisdamage", "lesions.prevention", "lesions.lesion",
    "lesions.treatmentcourse", "lesions.treatmentlesion", "lesions.biopsy", "lesions.procedure",
    "lesions.procedurelesion",
    "lesions.adverseevent", "lesions.woundcare", "lesions.woundcarelesion", "lesions.physiotherapy",
    "lesions.complication",
    "lesions.complicationlesion", "lesions.lesionobservation", "lesions.imagingstudy", "lesions.imaginglesion",
    "lesions.imagingfile", "lesions.imagingmeasure", "lesions.handscore", "lesions.handscoresite",
)  # fmt: skip


def load(
    *, patients: int, clinics: int, seed: int, until: datetime.date, progress: Callable[[int], None] = lambda done: None
) -> Staff:
    """Write a whole demo register. ``progress`` is told how many patients are written."""
    with trail.acting(ACTOR):
        with trail.together():
            staff = hire(clinics=clinics, seed=seed, since=until - years(10))
            DemoRegister.objects.create(seed=seed, patients=patients, clinics=clinics, until=until)
        doctors = [Told("accounts.user", {}, row=user) for user in staff.clinicians]
        places = [Told("clinics.clinic", {}, row=clinic) for clinic in staff.clinics]
        for start in range(0, patients, BATCH):
            batch = range(start, min(start + BATCH, patients))
            stories = [
                tell(seed=seed, index=n, clinic=places[n % clinics], clinician=doctors[n % clinics], until=until)
                for n in batch
            ]  # fmt: skip
            with trail.together():
                write(stories, first=start, seed=seed)
            progress(batch.stop)
        _count_on(staff.clinics)
        read_twice(staff, seed=seed, until=until)
        found_project(staff, until=until)
        refresh()
    return staff


def write(stories: list[list[Told]], *, first: int, seed: int) -> None:
    """The stories of patients ``first``, ``first`` + 1, ... as rows with history, queries and summary."""
    dice = Dice(f"{seed}:rows:{first}")
    _number(stories)
    told: dict[str, list[Told]] = defaultdict(list)
    for record in (record for story in stories for record in story):
        told[record.kind].append(record)
    unknown = set(told) - set(ORDER)
    if unknown:
        raise ValueError(f"The loader has no place for {sorted(unknown)}")
    for kind in ORDER:
        for record in told[kind]:
            _row(record, dice)
    seen = _settle(told)
    for kind in ORDER:
        _create(apps.get_model(kind), told[kind])
    rows = [record.row for kind in ORDER for record in told[kind]]
    _sign([row for row in rows if isinstance(row, Visit) and row.state == VisitState.SIGNED])
    settled = Settled([lesion for lesion, _rows in seen], {lesion.pk: rows for lesion, rows in seen})
    raise_queries(rows, settled.seen, dice)
    _keep_files(told["lesions.imagingfile"])
    summarise(patients=[record.row for record in told["patients.patient"]], settled=settled)


def _number(stories: list[list[Told]]) -> None:
    """Registry numbers, in the order of the stories."""
    for story in stories:
        patient = next(record for record in story if record.kind == "patients.patient")
        clinic: Clinic = patient["clinic"].row
        number = f"{clinic.code}-{clinic.next_number:05d}"
        clinic.next_number += 1
        for record in story:
            if record.kind in ("patients.patient", "identity.identity"):
                record.values["registry_number"] = number


def _row(one: Told, dice: Dice) -> Any:
    """The unsaved row of a record, and of those it points at."""
    if one.row is None:
        model = apps.get_model(one.kind)
        values = {name: _row(value, dice) if isinstance(value, Told) else value for name, value in one.values.items()}
        if issubclass(model, Record):
            values |= {"public_id": public_id(dice), "version": 1}
        one.row = model(**values)
        if isinstance(one.row, Identity):
            one.row.remember_keys()
    return one.row


def _settle(told: dict[str, list[Told]]) -> list[tuple[Lesion, list[LesionObservation]]]:
    """Set the maintained columns of the lesions; returns each with its observations, oldest visit first."""
    seen: dict[int, list[LesionObservation]] = defaultdict(list)
    for record in told["lesions.lesionobservation"]:
        seen[id(record.row.lesion)].append(record.row)
    found = []
    for record in told["lesions.lesion"]:
        observations = sorted(seen[id(record.row)], key=lambda one: one.visit.visit_date)
        record.row.settle(observations)
        found.append((record.row, observations))
    return found


def _create(model: type[models.Model], told: list[Told]) -> None:
    """Create the rows; those that point at rows of the same kind (a recurrence) after those they point at."""
    to_itself = [field.name for field in model._meta.concrete_fields if field.related_model is model]
    waiting = told
    while waiting:
        ready = [one for one in waiting if not any(_unsaved(one[name]) for name in to_itself)]
        if not ready:
            raise ValueError(f"{model._meta.label}: a record points at one that is not told")
        model._default_manager.bulk_create([one.row for one in ready])
        waiting = [one for one in waiting if one.row.pk is None] if to_itself else []


def _unsaved(value: Told | None) -> bool:
    return value is not None and value.row.pk is None


def _keep_files(told: list[Told]) -> None:
    """The drawn radiographs go where uploads go."""
    for record in told:
        with NamedTemporaryFile() as file:
            file.write(record.content)
            file.flush()
            sha256 = storage.store(Path(file.name), settings.FILES_DIR)
        storage.store_preview(sha256, settings.FILES_DIR, record.preview, "preview")
        storage.store_preview(sha256, settings.FILES_DIR, radiograph.small(record.preview, 320), "thumbnail")


def _sign(visits: list[Visit]) -> None:
    """A signature for each signed visit, with the event that tells of it."""
    contents = contents_of([visit.pk for visit in visits])
    given = [
        signature_of(visit, contents[visit.pk], meaning=Meaning.RESPONSIBLE, by=visit.signed_by, now=visit.signed_at)
        for visit in visits
        if visit.signed_by is not None and visit.signed_at is not None
    ]
    told = [one.told() for one in given]  # before they are there: afterwards only asking and withdrawing are told
    plain: models.QuerySet[Signature] = models.QuerySet(Signature)  # signed in bulk: one event each, as by hand
    plain.bulk_create(given)
    trail.write(told)


def _count_on(clinics: list[Clinic]) -> None:
    """The next registry number of each clinic, in the order they were made."""
    with trail.together():
        for clinic in clinics:
            clinic.save()


def today() -> datetime.date:
    return timezone.localdate()
