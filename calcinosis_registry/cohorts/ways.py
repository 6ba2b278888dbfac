"""From one kind of record to another, and the day a record happened on."""

from __future__ import annotations

from functools import cache

from django.db import models

from calcinosis_registry.cohorts.items import Kind, askable
from calcinosis_registry.cohorts.links import PLAIN_KEYS
from calcinosis_registry.cohorts.structure import Level, levels
from patients.models import Visit

# The item that says when; what is not here happened on the day of its visit.
DATES = {
    "diagnosis": "diagnosed_on", "antibody": "tested_on", "cause": "occurred", "differential": "decided_on",
    "subsetchange": "subset_date", "laboratoryresult": "collected_on", "instrumentscore": "completed_on",
    "lesion": "first_recorded", "biopsy": "taken_on", "treatmentcourse": "start", "procedure": "performed_on",
    "adverseevent": "onset", "woundcare": "start", "physiotherapy": "start", "complication": "onset",
    "imagingstudy": "study_date", "imagingmeasure": "measured_on", "visit": "visit_date",
}  # fmt: skip


def day_of(level: Level, dated: str = "") -> str:
    """The lookup of the day a row happened on; "" for what has none (the patient)."""
    if dated:
        return dated.split(".")[1]
    if level.kind in DATES:
        return DATES[level.kind]
    return f"{level.visit}__visit_date" if level.visit and level.model is not Visit else ""


def date_items(level: Level) -> list[str]:
    """The items of a record that may say when it was."""
    return [
        one.key
        for one in askable().values()
        if one.level is level
        and one.kind in (Kind.DATE, Kind.PARTIAL_DATE)
        and not isinstance(one.field, models.DateTimeField)
    ]


@cache
def above(kind: str) -> dict[str, str]:
    """{kind of the row a row points at: name of the key}: an observation's lesion and visit."""
    found: dict[str, str] = {}
    model = levels()[kind].model
    for one in model._meta.concrete_fields:
        target = one.related_model._meta.model_name if one.is_relation else ""  # type: ignore[union-attr]
        if target in levels() and target not in (kind, "patient"):
            if target not in found or one.name in PLAIN_KEYS:
                found[target] = one.name
    return found


@cache
def below(kind: str) -> dict[str, str]:
    """{kind of the rows that point at a row: name of their relation}; many-to-many too (treatments of a lesion)."""
    found: dict[str, str] = {}
    for other in levels():
        if kind in above(other):
            found[other] = above(other)[kind]
            continue
        for one in levels()[other].model._meta.many_to_many:
            if one.related_model._meta.model_name == kind and other != kind:  # type: ignore[union-attr]
                found[other] = one.name
    return found
