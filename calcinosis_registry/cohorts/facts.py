"""The narrow row that common questions are counted from: how it is made, kept and found out of date.

A row is right as long as nothing of the patient was saved since: every save marks the patient's summary
(``facts_stale``), and a count asks the records themselves of those who are marked (counts.py). Nothing rests on a
refresh coming in time but the speed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import models, transaction

from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.cohorts.models import Facts
from calcinosis_registry.cohorts.structure import levels
from patients.models import Patient, Summary

BITS = 60  # of one column: a signed 64-bit integer on both databases
BATCH = 500
OTHER = ""

# {item: the columns its codes have bits in}
MASKS: dict[str, tuple[str, ...]] = {
    "patient.sex_at_birth": ("sex",), "patient.smoking": ("smoking",), "diagnosis.primary_ctd": ("disease",),
    "diagnosis.ssc_subset": ("subset",), "diagnosis.diagnostic_basis": ("basis",),
    "lesion.site": ("sites", "sites_more"), "lesion.lesion_kind": ("lesion_kinds",),
    "lesion.current_status": ("lesion_statuses",), "lesionobservation.ulcerated": ("ulcerated",),
    "lesionobservation.infection": ("infection",), "treatmentcourse.agent": ("drugs", "drugs_more"),
    "imagingstudy.modality": ("modalities",), "complication.code": ("complications",),
}  # fmt: skip
MOST = {"lesionobservation.length_mm": "longest_mm", "visit.pain_nrs": "most_pain", "visit.visit_date": "last_visit_on"}
LEAST = {"visit.pain_nrs": "least_pain", "visit.visit_date": "first_visit_on"}
ROWS = {"visit": "visits", "lesion": "lesions"}
ULCERATED = "lesion.ulcerated_now"
EVER_STORED = (*MASKS, *MOST, ULCERATED)


@cache
def places() -> dict[str, dict[str, tuple[str, int]]]:
    """{item: {code: (column, bit)}}; OTHER for a stored code that the list does not have (any more)."""
    return {
        item: {code: (columns[n // BITS], 1 << n % BITS) for n, code in enumerate([*askable()[item].codes, OTHER])}
        for item, columns in MASKS.items()
    }


@cache
def fingerprint() -> int:
    """Changes with any code list, so that a row made with another one is never read with this one."""
    told = repr([(item, list(codes)) for item, codes in sorted(places().items())]).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:7], "big")


def facts_of(patients: Sequence[int]) -> list[Facts]:
    """The rows of these patients, worked out anew: one query for each kind of record."""
    found = {
        pk: Facts(patient_id=pk, codes=fingerprint(), counted_in=clinic)
        for pk, clinic in Patient.objects.filter(pk__in=patients).values_list("pk", "clinic_id")
    }
    consented = set(Patient.objects.consented_to_research().filter(pk__in=patients).values_list("pk", flat=True))
    for pk, one in found.items():
        one.counted_in = one.counted_in if pk in consented else None
    names: dict[str, list[str]] = defaultdict(list)
    for item in EVER_STORED:
        kind, name = item.split(".")
        names[kind].append(name)
    for kind, columns in names.items():
        level = levels()[kind]
        rows = level.model._default_manager.filter(level.signed(), **{f"{level.patient}__in": patients}).order_by()
        owner = "pk" if level.is_patient else f"{level.patient}_id"
        for pk, *values in rows.values_list(owner, *columns):
            _tell(found[pk], kind, dict(zip(columns, values, strict=True)))
    return list(found.values())


def _tell(facts: Facts, kind: str, row: dict[str, Any]) -> None:
    """What one record adds."""
    if kind in ROWS:
        setattr(facts, ROWS[kind], getattr(facts, ROWS[kind]) + 1)
    facts.ulcerated_lesions += bool(row.get("ulcerated_now"))
    for name, value in row.items():
        item = f"{kind}.{name}"
        if value is None:
            continue
        for code in value if isinstance(value, tuple) else (value,):
            bits = places().get(item)
            if bits and code != "":
                place = bits.get(str(code), bits[OTHER])
                setattr(facts, place[0], getattr(facts, place[0]) | place[1])
        for columns, better in ((MOST, max), (LEAST, min)):
            if (column := columns.get(item)) is not None:
                value = value if column.endswith("_on") else float(value)
                known = getattr(facts, column)
                setattr(facts, column, value if known is None else better(known, value))


def stale() -> models.QuerySet[Summary]:
    """Summaries of patients of whom something was saved since their row was made."""
    return Summary.objects.filter(facts_stale=True)


def unknown_to_facts(*, most: int) -> list[int] | None:
    """The patients whose row is late or still missing; None where they are more than ``most``."""
    last = Facts.objects.aggregate(last=models.Max("pk"))["last"] or 0
    late = set(stale().values_list("pk", flat=True)[: most + 1])
    late |= set(Patient.objects.filter(pk__gt=last).values_list("pk", flat=True)[: most + 1])
    return None if len(late) > most else sorted(late)


def refresh(*, most: int | None = None) -> int:
    """Make the rows of marked patients again. Returns how many were made."""
    done = 0
    while most is None or done < most:
        batch = list(stale().order_by("pk").values_list("pk", flat=True)[: min(BATCH, (most or BATCH))])
        if not batch:
            break
        remake(batch)
        done += len(batch)
    return done


def remake(patients: Iterable[int]) -> None:
    """The mark goes first: who saves meanwhile waits for this transaction, and marks again."""
    ids = list(patients)
    with transaction.atomic():
        Summary.objects.filter(pk__in=ids).update(facts_stale=False)
        columns = [one.name for one in Facts._meta.concrete_fields if not one.primary_key]
        Facts.objects.bulk_create(
            facts_of(ids), update_conflicts=True, unique_fields=["patient"], update_fields=columns
        )


def outdated() -> models.QuerySet[Facts]:
    """Rows made with other code lists, after an upgrade. Two ranges of the index; "unlike" would read all of it."""
    now = fingerprint()
    return Facts.objects.filter(models.Q(codes__lt=now) | models.Q(codes__gt=now))
