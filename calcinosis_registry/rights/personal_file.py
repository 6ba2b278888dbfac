"""Everything the register holds about one person, as one zip: to read, to compute with, and who did what with it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.access_report import access_to
from calcinosis_registry.clinics.scope import as_text, record_name
from calcinosis_registry.codebook.items import item_of
from calcinosis_registry.cohorts.models import Facts
from calcinosis_registry.exports.services import exports_of
from calcinosis_registry.exports.writers.csv import cell
from calcinosis_registry.records.display import words
from calcinosis_registry.rights.holdings import holdings
from lesions import storage
from lesions.models import ImagingFile
from patients.models import Patient, Summary

# Worked out from what the file holds anyway, or of use to the software alone.
LEFT_OUT = frozenset({"public_id", "version", "family_key", "given_key", "hospital_key"})
DERIVED = frozenset({Summary, Facts})


@dataclass(frozen=True)
class Line:
    name: str
    label: str
    value: Any
    text: str


@dataclass(frozen=True)
class Kind:
    """Every record of one kind; ``columns``: {name: label}."""

    name: str
    title: str
    columns: dict[str, str]
    records: list[list[Line]]


def write_personal_file(target: IO[bytes], patient: Patient, *, by: User) -> str:
    """Write the zip. Returns its SHA-256."""
    kinds = list(_kinds(patient))
    numbers = patient.numbers
    events = list(Event.objects.filter(patient__in=numbers).order_by("pk"))
    context = {
        "patient": patient, "kinds": kinds, "by": by, "made_at": timezone.now(),
        "access": access_to(Event.objects.all(), *numbers),
        "exports": exports_of(patient).select_related("project"), "events": [_told(one) for one in events],
    }  # fmt: skip
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        context["files"] = _add_files(archive, patient)
        archive.writestr("everything.html", render_to_string("rights/personal_file.html", context))
        archive.writestr("style.css", (Path(__file__).parent / "personal_file.css").read_text("utf-8"))
        archive.writestr("everything.json", _as_json(patient, kinds, events))
        for kind in kinds:
            rows = [[line.text for line in record] for record in kind.records]
            archive.writestr(f"tables/{kind.name}.csv", _as_csv(list(kind.columns), rows))
        told = [list(_told(one).values()) for one in events]
        archive.writestr("tables/trail.csv", _as_csv(["when", "who", "role", "what", "record", "values", "why"], told))
    target.seek(0)
    return hashlib.file_digest(target, "sha256").hexdigest()  # type: ignore[arg-type]


def _kinds(patient: Patient) -> Iterator[Kind]:
    for model, pks in holdings(patient).items():
        if model in DERIVED:
            continue
        fields = [one for one in model._meta.concrete_fields if not one.primary_key and one.name not in LEFT_OUT]
        rows = model._base_manager.filter(pk__in=pks).order_by("pk")
        related = [one.name for one in fields if one.is_relation]
        records = [[_line(row, field) for field in fields] for row in rows.select_related(*related)]
        title = str(model._meta.verbose_name_plural)
        columns = {one.name: _label(one) for one in fields}
        yield Kind(model._meta.model_name or "", title[:1].upper() + title[1:], columns, records)


def _label(field: models.Field) -> str:
    item, label = item_of(field), str(field.verbose_name)
    unit = f" ({item.unit})" if item is not None and item.unit else ""
    return f"{label[:1].upper()}{label[1:]}{unit}"


def _line(row: models.Model, field: models.Field) -> Line:
    if field.is_relation:
        other = getattr(row, field.name)
        text = "" if other is None else str(other)
        return Line(field.name, _label(field), text, text)
    value = getattr(row, field.attname)
    return Line(field.name, _label(field), field.value_to_string(row) if value is not None else None,
                words(field, value))  # fmt: skip


def _told(event: Event) -> dict[str, str]:
    return {
        "when": f"{event.at:%Y-%m-%d %H:%M:%S} UTC", "who": event.actor_name, "role": event.actor_role,
        "what": str(event.get_action_display()), "record": record_name(event.model),
        "values": "; ".join(f"{name}: {as_text(value)}" for name, value in event.changes.items()),
        "why": event.reason,
    }  # fmt: skip


def _as_json(patient: Patient, kinds: list[Kind], events: list[Event]) -> str:
    told = {
        "registry_number": patient.registry_number,
        "records": {
            kind.name: [{line.name: {"value": line.value, "words": line.text} for line in record}
                        for record in kind.records]
            for kind in kinds
        },
        "trail": [{**_told(one), "changes": one.changes} for one in events],
    }  # fmt: skip
    return json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


def _as_csv(header: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()  # so that spreadsheets read UTF-8


def _add_files(archive: zipfile.ZipFile, patient: Patient) -> list[dict[str, str]]:
    """The images as they are stored; one that is not there is said to be missing."""
    found = []
    files = ImagingFile._base_manager.filter(study__patient=patient.pk).select_related("study").order_by("pk")
    for number, file in enumerate(files, 1):
        name = f"files/{number:03d}-" + re.sub(r"[^A-Za-z0-9._-]+", "_", file.name)[-80:]
        path = storage.path_of(file.sha256, Path(settings.FILES_DIR))
        there = path.exists()
        if there:
            archive.write(path, name)
        found.append({"name": name if there else "", "title": f"{file.study}: {file.name}", "missing": _("missing")})
    return found
