"""The columns of a table: which stored values each needs, and what it says of them in a coded dataset."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from calcinosis_registry.codebook.catalogue import calculated
from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import Privacy, item_fields
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.pseudonyms import shifted
from calcinosis_registry.cohorts.structure import SHAREABLE, Level
from lesions.models import Lesion
from patients.models import Diagnosis, LaboratoryResult, Patient, Visit

OLDEST_SHOWN = 90  # trust.md: ages from 90 on are one group


@dataclass(frozen=True)
class Person:
    """A patient as the dataset knows one."""

    pk: int
    pseudonym: str
    clinic: str
    shift: datetime.timedelta


@dataclass(frozen=True)
class Column:
    """``paths``: lookups from the row; ``say(person, *values)``: the cell; ``field``: the item it shows, if any.

    ``calculated``: the key in the codebook of a value worked out from other records; its one path is the name under
    which cohorts/calculated.py gives it.
    """

    name: str
    label: str
    paths: tuple[str, ...]
    say: Callable[..., Any]
    field: models.Field | None = None
    unit: str = ""
    calculated: str = ""


def columns_of(level: Level, *, include_text: bool) -> list[Column]:
    """The columns of one kind of record, without its linking keys, in order of declaration."""
    allowed = SHAREABLE | {Privacy.FREE_TEXT} if include_text else SHAREABLE
    found = list(_added(level))
    for field in item_fields(level.model):
        if field.item.privacy in allowed:  # type: ignore[attr-defined]
            found.extend(_of_item(field))
    return found


def _of_item(field: models.Field) -> Iterator[Column]:
    label = _capital(field.verbose_name)
    paths = (field.attname,)
    unit = field.item.unit  # type: ignore[attr-defined]
    if isinstance(field, PartialDateField):
        for part, words in (("earliest", _("earliest")), ("latest", _("latest")), ("precision", _("precision"))):
            yield Column(f"{field.name}_{part}", f"{label}, {words}", paths, PARTS[part], field)
    elif isinstance(field, models.DateField):
        yield Column(field.name, label, paths, _day, field)
    elif isinstance(field, CodesField):
        yield Column(field.name, label, paths, _codes, field)
    elif isinstance(field, models.BooleanField):
        yield Column(field.name, label, paths, _boolean, field)
    else:
        yield Column(field.name, label, paths, _plain, field, unit)


def _capital(words: Any) -> str:
    words = str(words)
    return words[:1].upper() + words[1:]


def _plain(person: Person, value: Any) -> Any:
    return None if value == "" else value


def _boolean(person: Person, value: bool | None) -> int | None:
    return None if value is None else int(value)


def _codes(person: Person, value: tuple[str, ...]) -> str | None:
    return ";".join(value) or None


def _day(person: Person, value: datetime.date | None) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        value = value.date()
    return None if value is None else value + person.shift


def _earliest(person: Person, value: PartialDate | None) -> datetime.date | None:
    return None if value is None else shifted(value, person.shift).earliest


def _latest(person: Person, value: PartialDate | None) -> datetime.date | None:
    return None if value is None else shifted(value, person.shift).latest


def _precision(person: Person, value: PartialDate | None) -> str | None:
    return None if value is None else value.precision.value


PARTS: dict[str, Callable[..., Any]] = {"earliest": _earliest, "latest": _latest, "precision": _precision}


def age(born: PartialDate | None, day: datetime.date | None) -> int | None:
    """Completed years; from the middle of the interval where the birth date is partial."""
    return None if day is None or born is None else Patient(birth_date=born).age_on(day)  # type: ignore[misc]


def _age(person: Person, born: PartialDate | None, day: datetime.date | None) -> int | None:
    years = age(born, day)
    return None if years is None else min(years, OLDEST_SHOWN)


def _very_old(person: Person, born: PartialDate | None, day: datetime.date | None) -> int | None:
    years = age(born, day)
    return None if years is None else int(years >= OLDEST_SHOWN)


def _decimal(person: Person, value: Decimal | None) -> Decimal | None:
    return None if value is None else value.normalize() if value else Decimal(0)


def _unit_of_analyte(person: Person, analyte: str) -> str:
    return LaboratoryResult(analyte=analyte).unit


def _added(level: Level) -> Iterator[Column]:
    """What is derived for the dataset and is no codebook item of its own."""
    if level.model is Patient:
        yield Column("clinic", _("Clinic (pseudonym)"), (), lambda person: person.clinic)
        yield Column("registered_on", _("Registered on"), ("registered_on",), _day)
        yield from _ages("age_at_registration", _("Age at registration"), ("birth_date", "registered_on"))
    elif level.model is Visit:
        yield Column("state", _("State: SIGNED, COMPLETE, OPEN or MISSED"), ("state",), _plain)
        yield from _ages("age_at_visit", _("Age at the visit"), ("patient__birth_date", "visit_date"))
        yield _worked_out("outcome", "visit.outcome", _plain)
    elif level.model is Lesion:
        yield _worked_out("incident", "lesion.incident", _boolean)
    elif level.model is Diagnosis:
        yield Column("acr_eular_min", _("ACR/EULAR 2013 score, unknown as absent"), ("acr_eular_min",), _plain)
        yield Column("acr_eular_max", _("ACR/EULAR 2013 score, unknown as present"), ("acr_eular_max",), _plain)
    elif level.model is LaboratoryResult:
        yield Column("value", _("Value in the canonical unit"), ("value",), _decimal)
        yield Column("unit", _("Canonical unit (UCUM)"), ("analyte",), _unit_of_analyte)


def _worked_out(name: str, key: str, say: Callable[..., Any]) -> Column:
    return Column(name, calculated()[key].label, (name,), say, calculated=key)


def _ages(name: str, label: str, paths: tuple[str, str]) -> Iterator[Column]:
    yield Column(name, label, paths, _age, unit=_("years"))
    yield Column(f"{name}_90_plus", label + _(": 1 for 90 or more, the age then says 90"), paths, _very_old)
