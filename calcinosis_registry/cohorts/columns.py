"""The columns of a table: which stored values each needs, and what it says of them in a coded dataset."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.catalogue import calculated, codes_of
from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import Privacy, item_fields, item_key
from calcinosis_registry.codebook.partial_dates import PartialDate, Precision
from calcinosis_registry.cohorts.pseudonyms import shifted
from calcinosis_registry.cohorts.structure import SHAREABLE, Level, levels
from lesions.models import Lesion
from patients.models import Diagnosis, LaboratoryResult, Patient, Visit, VisitState

if TYPE_CHECKING:
    import pyarrow

OLDEST_SHOWN = 90  # trust.md: ages from 90 on are one group


@dataclass(frozen=True)
class Person:
    """A patient as the dataset knows one."""

    pk: int
    pseudonym: str
    clinic: str
    shift: datetime.timedelta


class Kind(enum.StrEnum):
    """What the cells of a column are; each has one Arrow type."""

    KEY = "key"  # a pseudonym: text that is never empty
    NUMBER = "number"  # a row's number within the patient, or the number of the row it points at
    CODE = "code"
    CODES = "codes"  # several codes in one cell, joined by ";" in the order of the list
    BOOLEAN = "boolean"  # 1 or 0
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TEXT = "text"


YES_NO = (("1", __("Yes")), ("0", __("No")))
PRECISIONS = (
    (Precision.DAY, __("known to the day")),
    (Precision.MONTH, __("known to the month")),
    (Precision.YEAR, __("known to the year")),
    (Precision.UNKNOWN, __("explicitly unknown")),
)


@dataclass(frozen=True)
class Column:
    """``paths``: lookups from the row; ``say(person, *values)``: the cell; ``field``: the item it shows, if any.

    ``codes``: (code, label) pairs of a coded column. ``digits``: (all, after the point) of a decimal. ``missing``: what
    an empty cell means. ``calculated``: the key in the codebook of a value worked out from other records; its one path
    is the name under which cohorts/calculated.py gives it.
    """

    name: str
    label: str
    paths: tuple[str, ...]
    say: Callable[..., Any]
    kind: Kind = Kind.TEXT
    field: models.Field | None = None
    unit: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    digits: tuple[int, int] | None = None
    missing: str = ""
    calculated: str = ""

    @property
    def arrow_type(self) -> pyarrow.DataType:
        import pyarrow as pa  # heavy

        if self.kind is Kind.DATE:
            return pa.date32()
        if self.kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.INTEGER):
            return pa.int64()
        if self.kind is Kind.DECIMAL and self.digits:
            return pa.decimal128(*self.digits)
        return pa.string()

    def key(self, level: Level) -> str:
        """What a project's scope calls it: the codebook item, or ``patient.age_at_visit`` of what is derived here."""
        return self.calculated or (item_key(self.field) if self.field else f"{level.kind}.{self.name}")


def scope_items() -> dict[str, dict[str, str]]:
    """{record in words: {key: label}} of everything a project may have in scope, free text too."""
    found: dict[str, dict[str, str]] = {}
    for level in levels().values():
        columns = columns_of(level, include_text=True)
        found[level.title] = {
            one.key(level): _capital(one.field.verbose_name) if one.field else one.label for one in columns
        }
    return found


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
    told: Any = {"field": field, "missing": _missing(field)}
    codes = tuple(codes_of(field))
    if isinstance(field, PartialDateField):
        for part, words in (("earliest", _("earliest")), ("latest", _("latest"))):
            name = f"{field.name}_{part}"
            yield Column(name, f"{label}, {words}", paths, PARTS[part], Kind.DATE, **told)
        named = f"{label}, {_('precision')}"
        known = said(PRECISIONS)
        yield Column(f"{field.name}_precision", named, paths, _precision, Kind.CODE, codes=known, **told)
    elif isinstance(field, models.DateField):
        yield Column(field.name, label, paths, _day, Kind.DATE, **told)
    elif isinstance(field, CodesField):
        yield Column(field.name, label, paths, _codes, Kind.CODES, codes=codes, **told)
    elif isinstance(field, models.BooleanField):
        yield Column(field.name, label, paths, _boolean, Kind.BOOLEAN, codes=said(YES_NO), **told)
    else:
        unit = field.item.unit  # type: ignore[attr-defined]
        digits = (field.max_digits, field.decimal_places) if isinstance(field, models.DecimalField) else None
        yield Column(field.name, label, paths, _plain, _kind(field), unit=unit, codes=codes, digits=digits, **told)


def _kind(field: models.Field) -> Kind:
    if isinstance(field, models.DecimalField):
        return Kind.DECIMAL
    if isinstance(field, models.IntegerField):
        return Kind.INTEGER
    if isinstance(field, models.CharField | models.TextField):
        return Kind.CODE if field.choices else Kind.TEXT
    raise TypeError(f"{field} is shareable, and a dataset has no kind of column for it")


def _missing(field: models.Field) -> str:
    """What an empty cell of an item means: "unknown" is a code of its own."""
    if field.item.only_if:  # type: ignore[attr-defined]
        return _("not answered, or not asked because its condition is not met")
    return _("not answered")


def said(pairs: Iterable[tuple[Any, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(code), str(label)) for code, label in pairs)


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


PARTS: dict[str, Callable[..., Any]] = {"earliest": _earliest, "latest": _latest}
LABORATORY: Any = LaboratoryResult._meta.get_field("value")
ACR_EULAR = {
    "acr_eular_min": __("ACR/EULAR 2013 score, unknown as absent"),
    "acr_eular_max": __("ACR/EULAR 2013 score, unknown as present"),
}


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
        yield Column("clinic", _("Clinic (pseudonym)"), (), lambda person: person.clinic, Kind.KEY)
        yield Column("registered_on", _("Registered on"), ("registered_on",), _day, Kind.DATE)
        yield from _ages("age_at_registration", _("Age at registration"), ("birth_date", "registered_on"))
    elif level.model is Visit:
        states = said(VisitState.choices)
        yield Column("state", _("State of the visit"), ("state",), _plain, Kind.CODE, codes=states)
        yield from _ages("age_at_visit", _("Age at the visit"), ("patient__birth_date", "visit_date"))
        yield _worked_out("outcome", "visit.outcome", _plain, Kind.CODE)
    elif level.model is Lesion:
        yield _worked_out("incident", "lesion.incident", _boolean, Kind.BOOLEAN)
    elif level.model is Diagnosis:
        for name, label in ACR_EULAR.items():
            yield Column(name, str(label), (name,), _plain, Kind.INTEGER, missing=_("the score does not apply"))
    elif level.model is LaboratoryResult:
        digits = (LABORATORY.max_digits, LABORATORY.decimal_places)
        yield Column("value", _("Value in the canonical unit"), ("value",), _decimal, Kind.DECIMAL, digits=digits)
        yield Column("unit", _("Canonical unit (UCUM)"), ("analyte",), _unit_of_analyte)


def _worked_out(name: str, key: str, say: Callable[..., Any], kind: Kind) -> Column:
    about = calculated()[key]
    return Column(name, about.label, (name,), say, kind, codes=about.codes, missing=about.meaning, calculated=key)


def _ages(name: str, label: str, paths: tuple[str, str]) -> Iterator[Column]:
    unknown = _("birth year not known")
    yield Column(name, label, paths, _age, Kind.INTEGER, unit=_("years"), missing=unknown)
    old = label + _(": 1 for 90 or more, the age then says 90")
    yield Column(f"{name}_90_plus", old, paths, _very_old, Kind.BOOLEAN, codes=said(YES_NO), missing=unknown)
