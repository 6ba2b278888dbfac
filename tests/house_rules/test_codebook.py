"""Declared once, and completely: every clinical column means something, and says what."""

from __future__ import annotations

import pytest
from django.db import models

from calcinosis_registry.codebook.fields import CodesField
from calcinosis_registry.codebook.items import Item, Privacy, codebook_models, item_fields, item_key, item_of
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.records.models import Record, record_kinds
from tests.house_rules.source import teach

CLINICAL = [*record_kinds(Record), Identity]
ITEMS = [field for model in codebook_models() for field in item_fields(model)]

# Columns that mean nothing clinical: what a row is called, where it belongs, its state, what is worked out from others.
BOOKKEEPING = {"id", "public_id", "version"}
BOOKKEEPING_OF = {
    "patient": {
        "registry_number", "registered_on", "registry_consent", "research_consent", "images_consent", "contact_consent",
    },
    "diagnosis": {"acr_eular_min", "acr_eular_max"},
    "laboratoryresult": {"value"},
    "visit": {"state", "signed_at"},
    "identity": {"registry_number", "family_key", "given_key", "hospital_key"},
    "imagingmeasure": {"points", "frame", "measured_at"},
    "secondreading": {"asked_at", "taken_at", "shown_before", "ended_at", "given_up_why"},
}  # fmt: skip


def name_of(field: models.Field) -> str:
    return item_key(field)


def test_every_clinical_column_is_an_item_or_bookkeeping():
    offences = [
        name_of(field)
        for model in CLINICAL
        for field in model._meta.concrete_fields
        if not field.is_relation
        and item_of(field) is None
        and field.name not in BOOKKEEPING | BOOKKEEPING_OF.get(model._meta.model_name or "", set())
    ]
    assert not offences, teach(
        "Say what the column means with clinical(...), or list it as bookkeeping here:", offences
    )


def test_the_list_of_bookkeeping_names_real_columns():
    real = {
        model._meta.model_name: {one.name for one in model._meta.concrete_fields if item_of(one) is None}
        for model in CLINICAL
    }
    gone = [f"{model}.{name}" for model, names in BOOKKEEPING_OF.items() for name in names - real.get(model, set())]
    assert not gone, teach("Bookkeeping that is not, or is an item by now:", gone)


def test_every_item_has_section_source_and_label():
    offences = []
    for field in ITEMS:
        item: Item = field.item  # type: ignore[attr-defined]
        # Django makes "pain nrs" of pain_nrs when nobody gives a label.
        label = str(field._verbose_name or "")  # type: ignore[attr-defined]
        told = {"section": str(item.section), "source": item.source, "label": label}
        offences += [f"{name_of(field)}: {what}" for what, text in told.items() if not text.strip()]
    assert not offences, teach("An item without these cannot be understood by anybody else:", offences)


def values_of(field: models.Field) -> set[object] | None:
    """What a field can be, where that is a list."""
    if isinstance(field, models.BooleanField):
        return {True, False}
    if isinstance(field, CodesField):
        return {code for code, _label in field.codes}
    return {"", *(code for code, _label in field.flatchoices)} if field.choices else None


def test_only_if_names_fields_of_the_same_record_and_answers_they_have():
    offences = []
    for field in ITEMS:
        names = {one.name: one for one in field.model._meta.concrete_fields}
        for other, wanted in field.item.only_if.items():  # type: ignore[attr-defined]
            answers = wanted if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
            if other not in names or other == field.name:
                offences.append(f"{name_of(field)}: no other field {other}")
            elif (known := values_of(names[other])) is None or not set(answers) <= known:
                offences.append(
                    f"{name_of(field)}: {other} is never {sorted(set(answers) - (known or set()), key=str)}"
                )
    assert not offences, teach("A condition that is never met hides its item for ever:", offences)


def test_plausible_lies_within_possible():
    offences = []
    for field in ITEMS:
        possible, plausible = field.item.possible, field.item.plausible  # type: ignore[attr-defined]
        if possible and not possible[0] < possible[1]:
            offences.append(f"{name_of(field)}: possible {possible}")
        if plausible and (
            not plausible[0] < plausible[1]
            or (possible and not possible[0] <= plausible[0] < plausible[1] <= possible[1])
        ):
            offences.append(f"{name_of(field)}: plausible {plausible} in possible {possible}")
    assert not offences, teach("A value cannot be usual and impossible:", offences)


def test_the_database_itself_refuses_the_impossible():
    offences = [
        name_of(field)
        for field in ITEMS
        if field.item.possible  # type: ignore[attr-defined]
        and f"{field.model._meta.model_name}_{field.name}_possible"
        not in {one.name for one in field.model._meta.constraints}
    ]
    assert not offences, teach(
        "`possible` becomes a constraint by the metaclass of Record; these models lack it:", offences
    )


def test_every_code_has_a_label():
    offences = [
        f"{name_of(field)}: {code!r}"
        for field in ITEMS
        for code, label in (
            field.codes if isinstance(field, CodesField) else field.flatchoices if field.choices else []
        )
        if not str(code).strip() or not str(label).strip()
    ]
    assert not offences, teach("A code nobody can read:", offences)


def test_an_item_has_one_name():
    names = [name_of(field) for field in ITEMS]
    assert len(names) == len(set(names)), teach(
        "Two models of one name:", sorted({n for n in names if names.count(n) > 1})
    )


def test_a_long_text_leaves_the_register_only_by_explicit_choice():
    offences = [
        name_of(field)
        for field in ITEMS
        if isinstance(field, models.TextField) and field.item.privacy not in (Privacy.FREE_TEXT, Privacy.IDENTITY)  # type: ignore[attr-defined]
    ]
    assert not offences, teach("People write names into text: Privacy.FREE_TEXT.", offences)


# Checked against a list when saved, though the column has no choices.
CODED_TEXT = {"laboratoryresult.unit_original", "handscoresite.site"}


def test_words_typed_freely_are_free_text_too():
    offences = [
        name_of(field)
        for field in ITEMS
        if type(field) is models.CharField
        and field.editable
        and not field.choices
        and field.item.privacy is Privacy.CLINICAL  # type: ignore[attr-defined]
        and name_of(field) not in CODED_TEXT
    ]
    assert not offences, teach("An editable CharField without choices holds free words: Privacy.FREE_TEXT.", offences)


def test_no_item_is_a_relation():
    offences = [name_of(field) for field in ITEMS if field.is_relation]
    assert not offences, teach("A relation has no unit, codes or limits; the other record's items have:", offences)


@pytest.mark.parametrize("model", CLINICAL, ids=lambda one: one.__name__)
def test_every_record_belongs_to_a_clinic(model: type[models.Model]):
    at = model
    for step in model.clinic_path.removesuffix("_id").split("__"):  # type: ignore[attr-defined]
        field = at._meta.get_field(step)
        assert not field.null, f"{at.__name__}.{step} may be empty: such a row belongs to nobody"
        at = field.remote_field.model
    assert at._meta.label == "clinics.Clinic"
