"""What a signature would cover, as a person reads it: every record of the visit with all its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.records.display import Shown, shown
from calcinosis_registry.records.models import Record
from lesions.models import ImagingStudy, Lesion, LesionObservation
from lesions.signed_content import parts
from lesions.signing import Candidate
from patients.models import Visit


@dataclass(frozen=True)
class Line:
    """One record: what it is, and its values."""

    title: str
    values: list[Shown]


def lines_of(one: Candidate) -> list[Line]:
    """The visit first, then its lesions, then everything else in the order of the models."""
    keys: dict[str, list[int]] = {}
    for key in one.content:
        label, _colon, pk = key.partition(":")
        keys.setdefault(label, []).append(int(pk))
    found = [Line(_("Visit"), _values(one, one.visit))]
    for part in parts():
        if part.model is not Visit and part.label in keys and issubclass(part.model, Record) and part.visit == "visit":
            rows = part.model._default_manager.filter(pk__in=keys[part.label]).order_by("pk")
            relations = ["lesion"] if part.model is LesionObservation else []
            found += [_line(one, row) for row in rows.select_related("patient", *relations)]
    return found


def _line(one: Candidate, row: Any) -> Line:
    if isinstance(row, LesionObservation):
        return Line(str(row.lesion), _values(one, row))
    if isinstance(row, Lesion):
        return Line(_("%(lesion)s, first recorded at this visit") % {"lesion": row.label}, _values(one, row))
    return Line(f"{type(row).title()}: {row}", [*_values(one, row), *_belonging(row)])


def _values(one: Candidate, row: Record) -> list[Shown]:
    """Those the signature covers: not what is at its default, nor what may change later."""
    covered = one.content.get(f"{row._meta.label_lower}:{row.pk}", {})
    return [value for values in shown(row).values() for value in values if value.name in covered]


def _belonging(row: Any) -> Iterator[Shown]:
    if hasattr(row, "check_links"):
        labels = ", ".join(lesion.label for lesion in row.lesions.order_by("number"))
        if labels:
            yield Shown("lesions", _("Lesions"), labels)
    if isinstance(row, ImagingStudy) and (files := row.files.count()):
        yield Shown("files", _("Files"), str(files))
