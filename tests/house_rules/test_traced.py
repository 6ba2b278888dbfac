"""Nothing about a patient changes without an event: no untraced model, no untraced path."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from calcinosis_registry.audit.models import Event
from calcinosis_registry.audit.traced import Traced, TracedQuerySet
from calcinosis_registry.records.models import Record, record_kinds
from patients.models import Summary
from tests.house_rules.source import PACKAGES, teach

OURS = [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]
TRACED = [model for model in OURS if issubclass(model, Traced)]
CLINICAL = [model for model in OURS if model._meta.app_label in ("patients", "lesions", "identity", "quality")]

# {model that is not traced: why not}
UNTRACED = {
    Event: "the trail itself",
    Summary: "worked out from traced rows, made again by rebuild_summaries",
    apps.get_model("cohorts", "Facts"): "worked out from traced rows, made again by refresh_counts",
    apps.get_model("records", "Draft"): "not saved yet: seen by its writer only, gone when it is saved",
    apps.get_model("records", "Submission"): "which form made which record, whose own event tells the rest",
    apps.get_model("demo", "DemoRegister"): "says once that the people of this register are invented",
    apps.get_model("jobs", "Job"): "work in progress; what comes of it has its own event",
    apps.get_model("cohorts", "FrozenTable"): "the rows of a traced freeze, never edited",
    apps.get_model("cohorts", "FrozenPatient"): "written once with its traced freeze",
    apps.get_model("exports", "ExportedPatient"): "written once with its traced export; pseudonyms, no patients",
}
# {relation that does not protect the other row: why not}
UNPROTECTED = {
    "cohorts.Facts.patient": "derived from the patient alone",
    "lesions.LesionObservation.antibiotic": "removal_problem() refuses while it is set",
    "lesions.Complication.antibiotic": "removal_problem() refuses while it is set",
    "lesions.Procedure.histology": "removal_problem() refuses while it is set",
    "lesions.HandScoreSite.score": "a rating is part of its reading",
}


def test_every_model_of_ours_is_traced():
    offences = [model._meta.label for model in OURS if not issubclass(model, Traced) and model not in UNTRACED]
    assert not offences, teach("Derive it from Traced (or Record), or say here why it needs no history:", offences)


@pytest.mark.parametrize("model", TRACED, ids=lambda one: one.__name__)
def test_no_queryset_changes_rows_without_their_history(model: type[Traced]):
    assert isinstance(model._default_manager.all(), TracedQuerySet)
    with pytest.raises(TypeError, match="leaves no history"):
        model._default_manager.update(pk=1)


def test_what_a_record_links_is_linked_by_traced_rows():
    offences = [
        f"{model._meta.label}.{field.name}"
        for model in OURS
        for field in model._meta.local_many_to_many
        if not issubclass(field.remote_field.through, Traced)
    ]
    assert not offences, teach("Give the relation a through model that is Traced: set() then leaves events.", offences)


def test_no_row_of_a_patient_goes_because_another_goes():
    links = {field.remote_field.through for model in record_kinds(Record) for field in model._meta.local_many_to_many}
    offences = [
        f"{model._meta.label}.{field.name}"
        for model in CLINICAL
        if model not in links
        for field in model._meta.local_fields
        if field.is_relation
        and field.remote_field.on_delete is not models.PROTECT
        and f"{model._meta.label}.{field.name}" not in UNPROTECTED
    ]
    assert not offences, teach("on_delete=PROTECT: a cascade leaves no event. Or say here why not:", offences)


def test_the_exceptions_exist():
    for name in UNPROTECTED:
        label, _dot, field = name.rpartition(".")
        assert apps.get_model(label)._meta.get_field(field).remote_field.on_delete is not models.PROTECT
