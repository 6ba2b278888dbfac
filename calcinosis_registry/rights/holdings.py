"""Where a person is in the register: every row that leads to the patient, found from the models themselves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Transfer
from calcinosis_registry.rights.models import ErasureRequest, PersonalFile
from patients.models import Patient

PACKAGES = frozenset({"calcinosis_registry", "patients", "lesions"})
# Columns that hold a registry number, in rooms that know no patients.
NUMBER_COLUMNS = ("registry_number", "patient")
# Told apart below: they outlive the person, without a word about them.
OUTLIVING = frozenset({Event, ErasureRequest, PersonalFile, Transfer})

Rows = dict[type[models.Model], set[Any]]


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]


@cache
def keys_to_persons() -> dict[type[models.Model], tuple[models.Field, ...]]:
    """{model: its foreign keys that lead, over however many steps, to a patient}; in an order that ends."""
    found: dict[type[models.Model], tuple[models.Field, ...]] = {Patient: ()}
    while True:
        fresh = {
            model: keys
            for model in our_models()
            if model not in found and model not in OUTLIVING and (keys := _keys(model, found))
        }
        if not fresh:
            return {model: _keys(model, found) for model in found}
        found |= fresh


def _keys(model: type[models.Model], known: Iterable[type[models.Model]]) -> tuple[models.Field, ...]:
    known = set(known)
    return tuple(one for one in model._meta.concrete_fields if one.is_relation and one.related_model in known)


@cache
def number_columns() -> dict[type[models.Model], str]:
    """{model without such a key: its column with the registry number}."""
    return {
        model: field.name
        for model in our_models()
        if model not in OUTLIVING and model not in keys_to_persons()
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField) and field.name in NUMBER_COLUMNS
    }


def holdings(patient: Patient) -> Rows:
    """{model: keys of the rows about this person}."""
    found: Rows = {Patient: {patient.pk}}
    count = 0
    while count != (count := sum(map(len, found.values()))):
        for model, keys in keys_to_persons().items():
            for key in keys:
                near = found.get(key.related_model)  # type: ignore[arg-type]
                if near:
                    pks = model._base_manager.filter(**{f"{key.name}__in": near}).values_list("pk", flat=True)
                    found.setdefault(model, set()).update(pks)
    # A second registration of the person leads to the record, and has a number of its own.
    numbers = Patient._base_manager.filter(pk__in=found[Patient]).values_list("registry_number", flat=True)
    for model, column in number_columns().items():
        pks = model._base_manager.filter(**{f"{column}__in": list(numbers)}).values_list("pk", flat=True)
        found[model] = set(pks)
    return {model: pks for model, pks in found.items() if pks}
