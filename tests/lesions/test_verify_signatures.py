"""A signed visit that was changed past the register shows on its page, and the command names it."""

from __future__ import annotations

import datetime
import io
import random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.utils import timezone

from lesions import signed_content
from lesions.models import ImagingFile, Lesion, LesionObservation, SecondReading, TreatmentLesion
from lesions.second_reading import ask
from lesions.signed_content import parts
from lesions.signing import check_visit
from patients.models import Signature, Visit, VisitState
from tests.factories import (
    ImagingFileFactory,
    ImagingStudyFactory,
    MembershipFactory,
    TreatmentCourseFactory,
    a_reading,
)
from tests.lesions.readings.hands import FIRST
from tests.lesions.signed_visits import complete_visit, sign, unlock


@pytest.fixture
def visit(proven, clinician, north) -> Visit:
    """Signed, with a course, a study and a file."""
    visit = complete_visit(north)
    course = TreatmentCourseFactory(patient=visit.patient, visit=visit)
    course.lesions.set(Lesion.objects.all())
    ImagingFileFactory(study=ImagingStudyFactory(patient=visit.patient, visit=visit))
    assert sign(proven(clinician), visit).status_code == 302
    return Visit.objects.get()


def verify() -> str:
    """What the command says; raises CommandError as it does."""
    out = io.StringIO()
    call_command("verify_signatures", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refused() -> str:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_signatures", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def past(model: type[models.Model]) -> models.QuerySet:
    """The rows without the register's own queryset, as somebody with the database has them."""
    return models.QuerySet(model)


def test_untouched_it_holds(visit):
    assert "1 signed visits match" in verify()


def test_an_altered_value_is_named_and_shown(visit, client_of, clinician):
    past(LesionObservation).filter(lesion__number=1).update(length_mm=90)
    assert "length_mm" in refused() and visit.patient.registry_number in refused()
    page = client_of(clinician).get(visit.get_absolute_url()).content.decode()
    assert "no longer matches the signature" in page
    assert "Lesion observation, longest diameter: <del>9</del> → <ins>90</ins>" in page


def test_a_radiograph_read_again_after_signing_is_no_change(proven, clinician, north):
    visit = complete_visit(north)
    study = ImagingStudyFactory(patient=visit.patient, visit=visit, modality="DX")
    a_reading(study, clinician, FIRST)
    assert sign(proven(clinician), visit).status_code == 302
    colleague = MembershipFactory(clinic=north).user
    asked = ask(study=study, reader=colleague, by=clinician, now=timezone.now())
    assert "1 signed visits match" in verify()
    past(SecondReading).filter(pk=asked.pk).update(given_up_why="no time", ended_at=timezone.now())
    assert "1 signed visits match" in verify()


def test_a_row_added_removed_or_moved_is_found(visit):
    for change in (
        lambda: past(TreatmentLesion).filter(pk=past(TreatmentLesion).first().pk).delete(),
        lambda: past(ImagingFile).update(sha256="0" * 64),
        lambda: past(Lesion).filter(number=2).update(number=7),
        lambda: past(Visit).update(visit_date=datetime.date(2026, 3, 9)),
    ):
        verify()
        with pytest.raises(RuntimeError), transaction.atomic():
            change()
            refused()
            raise RuntimeError


def test_every_column_that_is_covered_is_compared(visit):
    """A thousand random alterations, each undone again: every one is found."""
    dice = random.Random(7)
    there = [
        (part, pk, field)
        for part in parts() for pk in _rows(part, visit) for field in part.fields if not field.is_relation
    ]  # fmt: skip
    for n in range(1000):
        part, pk, field = there[n] if n < len(there) else dice.choice(there)
        row = past(part.model).filter(pk=pk)
        before = row.values_list(field.attname, flat=True).get()
        after = _other(field, before, dice)
        with connection.cursor() as cursor:
            _write(cursor, part.model, field, pk, after)
            assert _broken(), f"{part.label}.{field.name}: {before} → {after}"
            _write(cursor, part.model, field, pk, before)
    verify()


def _rows(part, visit):
    return part.model._default_manager.filter(**{part.visit: visit.pk}).values_list("pk", flat=True)


def _broken() -> bool:
    return not check_visit(Visit.objects.select_related("patient").get()).holds


def _other(field, value, dice):
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateField):
        return (value or datetime.date(2020, 1, 1)) + datetime.timedelta(days=dice.randint(1, 99))
    if isinstance(field, models.IntegerField):
        item = getattr(field, "item", None)
        low, high = item.possible if item and item.possible else (1, 10**6)
        return next(n for n in iter(lambda: dice.randint(int(low), int(high)), None) if n != value)
    if isinstance(field, models.DecimalField):
        low, high = getattr(field.item, "possible", None) or (1, 90)
        return next(n for n in (low, high, (low + high) / 2) if value is None or float(n) != float(value))
    if isinstance(field, models.JSONField):
        return [[1, 2]]
    if type(field).__name__ == "PartialDateField":
        return "1999" if str(value) != "1999" else "1998"
    if type(field).__name__ == "CodesField":
        return ("XRAY",) if value != ("XRAY",) else ("CT",)
    return "Z" if value != "Z" else "Y"


def _write(cursor, model, field, pk, value):
    table, column = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(field.column)
    stored = field.get_db_prep_save(value, connection)
    cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [stored, pk])


def test_a_signature_copied_to_another_visit_is_none(visit, proven, clinician, north):
    other = complete_visit(north)
    standing = Signature.objects.get()
    past(Visit).filter(pk=other.pk).update(state="SIGNED", signed_by=clinician, signed_at=standing.signed_at)
    assert "there is no signature" in refused()
    copy = Signature.objects.get()
    copy.pk, copy.public_id, copy.visit = None, "x" * 16, other
    past(Signature).bulk_create([copy])
    assert "signature itself was altered" in refused()


@pytest.mark.parametrize(
    "change", [{"signer_name": "Else"}, {"meaning": "AUTHOR"}, {"digest": "0" * 64}, {"content": b"x"},
               {"serialisation": 0, "content": b"", "digest": ""}, {"clinic_name": "South"}],
)  # fmt: skip
def test_an_altered_signature_is_found(visit, change):
    past(Signature).update(**change)
    assert "altered" in refused()


def test_a_state_without_its_signature_is_found(visit):
    past(Visit).update(state=VisitState.COMPLETE)
    assert "does not say that it is signed" in refused()
    past(Visit).update(state=VisitState.SIGNED, signed_by=None)
    assert "another signer" in refused()


def test_a_withdrawn_signature_is_checked_too(visit, proven, clinician):
    unlock(proven(clinician), visit)
    verify()
    past(Signature).update(meaning="AUTHOR")
    assert "withdrawn signature" in refused()


def test_a_field_added_later_leaves_old_signatures_whole(visit, monkeypatch):
    """The content leaves out what is blank or at its default: so does a column nobody has filled yet."""
    new = models.CharField("a new field", max_length=9, default="", blank=True)
    new.set_attributes_from_name("note")  # stands for a column that is blank in this visit
    part = next(one for one in parts() if one.model is Visit)
    more = signed_content.Part(Visit, "pk", tuple(one for one in part.fields if one.name != "note"))
    old = next(iter(signed_content.contents_of([visit.pk]).values()))
    monkeypatch.setattr(signed_content, "parts", lambda: (more, *(one for one in parts() if one.model is not Visit)))
    assert signed_content.contents_of([visit.pk])[visit.pk] == old
