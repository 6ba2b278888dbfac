"""The columns of a table: which stored values each needs, and what it says of them in a coded dataset."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.catalogue import Entry, calculated, codes_of, entry
from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import Privacy, item_fields, item_key
from calcinosis_registry.codebook.partial_dates import Precision
from calcinosis_registry.cohorts.links import Link, links_of, numbered
from calcinosis_registry.cohorts.structure import SHAREABLE, Level, levels
from lesions.models import Lesion
from patients.models import Diagnosis, LaboratoryResult, Patient, Visit, VisitState

if TYPE_CHECKING:
    import pyarrow

OLDEST_SHOWN = 90  # trust.md: ages from 90 on are one group


class HasKind(Protocol):
    """A Level, or a Table."""

    @property
    def kind(self) -> str: ...


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


class Rule(enum.StrEnum):
    """How a cell comes from the stored values (cohorts/expressions.py)."""

    PATIENT = "patient"
    CLINIC = "clinic"
    NUMBER = "number"  # of the row itself
    LINK = "link"  # the number of the row a key points at
    PLAIN = "plain"
    DATE = "date"
    EARLIEST = "earliest"  # the three of a date known as far as it is
    LATEST = "latest"
    PRECISION = "precision"
    AGE = "age"
    VERY_OLD = "very old"
    UNIT = "unit"  # the canonical unit of an analyte
    WORKED_OUT = "worked out"  # from several records (cohorts/snapshot/worked_out.py)


YES_NO = (("1", __("Yes")), ("0", __("No")))
PRECISIONS = (
    (Precision.DAY, __("known to the day")),
    (Precision.MONTH, __("known to the month")),
    (Precision.YEAR, __("known to the year")),
    (Precision.UNKNOWN, __("explicitly unknown")),
)


@dataclass(frozen=True)
class Column:
    """``rule`` makes the cell of the stored values ``paths``; ``field``: the item it shows, if any.

    ``codes``: (code, label) pairs of a coded column. ``digits``: (all, after the point) of a decimal, a float without
    them. ``missing``: what an empty cell means. ``calculated``: the key in the codebook of a value worked out from
    other records. ``told``: the codebook's entry as it was when a cohort was frozen.
    """

    name: str
    label: str
    paths: tuple[str, ...]
    rule: Rule
    kind: Kind = Kind.TEXT
    field: models.Field | None = None
    unit: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    digits: tuple[int, int] | None = None
    missing: str = ""
    calculated: str = ""
    told: Entry | None = None

    @property
    def about(self) -> Entry | None:
        """The codebook's entry of the item."""
        return self.told or (entry(self.field) if self.field is not None else calculated().get(self.calculated))

    @property
    def is_text(self) -> bool:
        """Typed by people: leaves by explicit choice only."""
        return self.kind is Kind.TEXT and self.about is not None and self.about.privacy == Privacy.FREE_TEXT

    @property
    def is_quasi(self) -> bool:
        """Declared as what could tell a person from others."""
        return self.rule in (Rule.AGE, Rule.CLINIC) or (self.about is not None and self.about.privacy == Privacy.QUASI)

    @property
    def arrow_type(self) -> pyarrow.DataType:
        import pyarrow as pa  # heavy

        if self.kind is Kind.DATE:
            return pa.date32()
        if self.kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.INTEGER):
            return pa.int64()
        if self.kind is Kind.DECIMAL:
            return pa.decimal128(*self.digits) if self.digits else pa.float64()
        return pa.string()

    def key(self, of: HasKind) -> str:
        """What a project's scope calls it: the codebook item, or ``patient.age_at_visit`` of what is derived here."""
        told = self.told.key if self.told else item_key(self.field) if self.field else ""
        return self.calculated or told or f"{of.kind}.{self.name}"

    @property
    def is_key(self) -> bool:
        """Says which row it is, and nothing of the person."""
        return self.rule in (Rule.PATIENT, Rule.NUMBER, Rule.LINK)


def scope_items() -> dict[str, dict[str, str]]:
    """{record in words: {key: label}} of everything a project may have in scope, free text too."""
    found: dict[str, dict[str, str]] = {}
    for level in levels().values():
        columns = columns_of(level, include_text=True)
        found[level.title] = {
            one.key(level): _capital(one.field.verbose_name) if one.field else one.label for one in columns
        }
    return found


def every(level: Level) -> list[Column]:
    """All columns of a kind of record, its keys first; text too."""
    own = [_key(level.number, _("Number of the row, within the patient"))] if level.kind in numbered() else []
    keys = [patient_key(), *own, *(link_key(link) for link in links_of(level))]
    return [*keys, *columns_of(level, include_text=True)]


def patient_key() -> Column:
    return Column("patient", _("Patient (pseudonym)"), (), Rule.PATIENT, Kind.KEY)


def _key(name: str, label: str) -> Column:
    return Column(name, label, (), Rule.NUMBER, Kind.NUMBER)


def link_key(link: Link) -> Column:
    return Column(link.name, link.label, (), Rule.LINK, Kind.NUMBER, missing=_("none, or one left out"))


def pair_of(link: Link) -> list[Column]:
    """The columns of a table that says which lesions a record is about."""
    return [patient_key(), *(_key(one.number, one.title) for one in (link.source, link.target))]


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
        for part, words in ((Rule.EARLIEST, _("earliest")), (Rule.LATEST, _("latest"))):
            name = f"{field.name}_{part}"
            yield Column(name, f"{label}, {words}", paths, part, Kind.DATE, **told)
        named = f"{label}, {_('precision')}"
        known = said(PRECISIONS)
        yield Column(f"{field.name}_precision", named, paths, Rule.PRECISION, Kind.CODE, codes=known, **told)
    elif isinstance(field, models.DateField):
        yield Column(field.name, label, paths, Rule.DATE, Kind.DATE, **told)
    elif isinstance(field, CodesField):
        yield Column(field.name, label, paths, Rule.PLAIN, Kind.CODES, codes=codes, **told)
    elif isinstance(field, models.BooleanField):
        yield Column(field.name, label, paths, Rule.PLAIN, Kind.BOOLEAN, codes=said(YES_NO), **told)
    else:
        unit = field.item.unit  # type: ignore[attr-defined]
        digits = (field.max_digits, field.decimal_places) if isinstance(field, models.DecimalField) else None
        yield Column(field.name, label, paths, Rule.PLAIN, _kind(field), unit=unit, codes=codes, digits=digits, **told)


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


ACR_EULAR = {
    "acr_eular_min": __("ACR/EULAR 2013 score, unknown as absent"),
    "acr_eular_max": __("ACR/EULAR 2013 score, unknown as present"),
}


def _added(level: Level) -> Iterator[Column]:
    """What is derived for the dataset and is no codebook item of its own."""
    if level.model is Patient:
        yield Column("clinic", _("Clinic (pseudonym)"), (), Rule.CLINIC, Kind.KEY)
        yield Column("registered_on", _("Registered on"), ("registered_on",), Rule.DATE, Kind.DATE)
        yield from _ages("age_at_registration", _("Age at registration"), ("birth_date", "registered_on"))
    elif level.model is Visit:
        states = said(VisitState.choices)
        yield Column("state", _("State of the visit"), ("state",), Rule.PLAIN, Kind.CODE, codes=states)
        yield from _ages("age_at_visit", _("Age at the visit"), ("patient__birth_date", "visit_date"))
        yield _worked_out("outcome", "visit.outcome", Kind.CODE)
    elif level.model is Lesion:
        yield _worked_out("incident", "lesion.incident", Kind.BOOLEAN)
    elif level.model is Diagnosis:
        for name, label in ACR_EULAR.items():
            yield Column(name, str(label), (name,), Rule.PLAIN, Kind.INTEGER, missing=_("the score does not apply"))
    elif level.model is LaboratoryResult:
        # No digits: 2.35 of a column that holds five places is no 2.35000.
        yield Column("value", _("Value in the canonical unit"), ("value",), Rule.PLAIN, Kind.DECIMAL)
        yield Column("unit", _("Canonical unit (UCUM)"), ("analyte",), Rule.UNIT)


def _worked_out(name: str, key: str, kind: Kind) -> Column:
    about = calculated()[key]
    return Column(
        name, about.label, (name,), Rule.WORKED_OUT, kind, codes=about.codes, missing=about.meaning, calculated=key
    )


def _ages(name: str, label: str, paths: tuple[str, str]) -> Iterator[Column]:
    unknown = _("birth year not known")
    yield Column(name, label, paths, Rule.AGE, Kind.INTEGER, unit=_("years"), missing=unknown)
    old = label + _(": 1 for 90 or more, the age then says 90")
    yield Column(f"{name}_90_plus", old, paths, Rule.VERY_OLD, Kind.BOOLEAN, codes=said(YES_NO), missing=unknown)
