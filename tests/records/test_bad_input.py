"""Bad input at every form: never a server error, the field named, the typing still there, nothing half-saved."""

from __future__ import annotations

import datetime
import html
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from lesions.models import LesionObservation, TreatmentCourse
from patients.models import Patient, Visit
from tests.factories import (
    IdentityFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    VisitFactory,
)
from tests.patients.test_register import filled
from tests.records.bad_inputs import ASKED, LISTED, NO_PATH, SAVED, TABLE, Bad

OURS = [one for one in apps.get_models() if one._meta.app_label in ("patients", "lesions", "identity", "quality")]
LONG = 2000  # typing longer than this is looked for by its beginning


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


class Doors:
    """Where each form of the table is sent, with the valid rest of it."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient

    def open(self, form: str) -> tuple[str, dict[str, Any], type]:
        address, data, made = getattr(self, form.replace(" ", "_"))()
        return address, data, made

    def register(self) -> tuple[str, dict[str, Any], type]:
        model = {"another_person": "on"}
        return reverse("patients:register"), filled(**model), Patient

    def visit(self) -> tuple[str, dict[str, Any], type]:
        answers = {"visit_date": "2026-05-12", "visit_type": "FOLLOW_UP", "calcinosis_present": "N", "version": 0}
        return reverse("lesions:visit_new", args=[self.patient.public_id]), answers, Visit

    def observation(self) -> tuple[str, dict[str, Any], type]:
        lesion = LesionFactory(patient=self.patient)
        early = VisitFactory(patient=self.patient, visit_date=datetime.date(2026, 2, 1))
        size = {"length_mm": 9, "width_mm": 3, "size_method": "CALIPER"}
        LesionObservationFactory(lesion=lesion, visit=early, **size)
        seen = LesionObservationFactory(lesion=lesion, **size)
        answers = {"status_change": "STABLE", "lesion": lesion.pk, "width_mm": "3", "length_mm": "9"}
        address = reverse("patients:record", args=["lesionobservation", seen.public_id])
        answers |= {"size_method": "CALIPER", "version": seen.version, "reason": "misread"}
        return address, answers, LesionObservation

    def lesion(self) -> tuple[str, dict[str, Any], type]:
        lesion = LesionFactory(patient=self.patient)
        answers = {"site": "HAND.D1.PULP", "laterality": "R", "lesion_kind": "SINGLE", "diagnostic_basis": ["EXAM"]}
        address = reverse("patients:record", args=["lesion", lesion.public_id])
        return address, answers | {"version": lesion.version}, type(lesion)

    def course(self) -> tuple[str, dict[str, Any], type]:
        answers = {"agent": "DILTIAZEM", "route": "ORAL", "start": "2025-03", "ongoing": "N", "stop": "2025-09"}
        answers |= {"dose": "60", "dose_unit": "mg", "frequency": "BID", "version": 0}
        return (
            reverse("patients:record_add", args=[self.patient.public_id, "treatmentcourse"]),
            answers,
            TreatmentCourse,
        )

    def course_of_the_dead(self) -> tuple[str, dict[str, Any], type]:
        self.patient.death_date, self.patient.status = PartialDate(2026, 4), "DEAD"
        self.patient.save()
        address, answers, made = self.course()
        return address, answers | {"ongoing": "", "stop": ""}, made

    def patient_page(self) -> tuple[str, dict[str, Any], type]:
        VisitFactory(patient=self.patient, visit_date=datetime.date(2026, 3, 1))
        answers = {"birth_date": "1968-04", "sex_at_birth": "F", "status": "DEAD", "version": self.patient.version}
        return reverse("patients:record", args=["patient", self.patient.public_id]), answers, Patient


def stored() -> dict[str, Any]:
    """Every row of ours and every event but readings."""
    rows = {model._meta.label: sorted(model._default_manager.values_list("pk", flat=True)) for model in OURS}
    versions = {m._meta.label: list(m._default_manager.order_by("pk").values_list("version", flat=True))
                for m in OURS if any(one.name == "version" for one in m._meta.concrete_fields)}  # fmt: skip
    return rows | {"versions": versions, "events": Event.objects.exclude(action=Action.READ).count()}


def errors_of(page: Any) -> dict[str, list[str]]:
    form = page.context.get("form") or page.context["page"].form
    return {name: [str(one) for one in said] for name, said in form.errors.items()}


def value_of(bad: Bad, made: type) -> str:
    """What was stored of it."""
    name = bad.field.rpartition("-")[2]
    row = (Identity if bad.field.startswith("identity-") else made)._default_manager.latest("pk")
    return str(getattr(row, name))


def typed_for(bad: Bad, rest: dict[str, Any]) -> Any:
    return f"{rest['lesion']} " if bad.typed == "own " else bad.typed


def sent(clara: Client, address: str, data: dict[str, Any]) -> Any:
    """Posted as a browser does; a byte that is no text is sent as that byte."""
    if any(isinstance(one, str) and "\udce9" in one for one in data.values()):
        from urllib.parse import urlencode

        body = urlencode(data, doseq=True, errors="surrogateescape")
        return clara.post(address, body, content_type="application/x-www-form-urlencoded")
    return clara.post(address, data)


def test_every_row_of_the_table_is_tested_or_has_its_reason():
    tested = {bad.number for bad in TABLE}
    assert tested | set(NO_PATH) == set(LISTED)
    assert not tested & set(NO_PATH)


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: f"{bad.number} {bad.form} {bad.field} {bad.typed!r:.30}")
def test_bad_input_is_answered_beside_its_field(bad, clara, patient):
    doors = Doors(patient)
    address, rest, made = doors.open("patient page" if bad.form == "patient" else bad.form)
    typed = typed_for(bad, rest)
    before = stored()
    page = sent(clara, address, rest | {bad.field: typed} | dict(bad.beside))
    if bad.said in (SAVED, ASKED):
        assert page.status_code == 302, errors_of(page)
        assert value_of(bad, made) == (typed if bad.kept is None else bad.kept)
        assert DataQuery.objects.open().exists() or bad.said == SAVED
        return
    assert page.status_code == 200
    said = " ".join(errors_of(page).get(bad.field, ["nothing"]))
    assert any(part in said for part in bad.said.split("|")), said
    assert stored() == before
    if not is_choice(page, bad.field) and "\udce9" not in typed and len(typed) < LONG:
        assert typed.strip().splitlines()[0] in html.unescape(page.content.decode()), "it must be typed again"


def is_choice(page: Any, name: str) -> bool:
    """Chosen, not typed: a code that is none of the offered ones has no place on the page."""
    form = page.context.get("form") or page.context["page"].form
    return any(hasattr(bound.field, "choices") for bound in form if bound.html_name == name)


@pytest.mark.parametrize(
    "bad", [one for one in TABLE if one.form == "observation"], ids=lambda bad: f"{bad.typed!r:.30}"
)
def test_the_admin_answers_the_same(bad, clara, patient):
    _address, rest, _made = Doors(patient).observation()
    seen = LesionObservation.objects.latest("pk")
    address = reverse("admin:lesions_lesionobservation_change", args=[seen.pk])
    typed, before = typed_for(bad, rest), stored()
    page = clara.post(address, rest | {bad.field: typed, "reason": "x"})
    if bad.said in (SAVED, ASKED):
        assert page.status_code == 302
        return
    assert page.status_code == 200 and stored() == before
    said = " ".join(page.context["adminform"].form.errors.get(bad.field, ["nothing"]))
    assert any(part in said for part in bad.said.split("|")), said


def test_ten_megabytes_of_note_are_refused_and_still_there(clara, patient):
    address, rest, _made = Doors(patient).visit()
    page = clara.post(address, rest | {"note": "word " * 2_000_000})
    assert page.status_code == 200 and "at most 1000 characters" in str(errors_of(page)["note"])
    assert len(page.context["page"].form["note"].value()) == 10_000_000


def test_more_than_the_register_takes_is_refused_in_words(clara, patient):
    address, rest, _made = Doors(patient).visit()
    page = clara.post(address, rest | {"note": "x" * 17 * 2**20})
    assert page.status_code == 413 and "Nothing was changed" in page.content.decode()
    assert not Visit.objects.exists()


# Search


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE patients_patient; --", "%", "_", "\\", "Du%", "D_arte", "*", "\x00", "(", "\ud7ff"]
)
def test_a_search_is_literal(clara, patient, text):
    IdentityFactory(patient=patient, family_name="Duarte")
    page = clara.post(reverse("patients:search"), {"q": text}, follow=True)
    assert page.status_code == 200
    if text != "\x00":  # nothing is left of it: the whole list
        assert list(page.context["patients"]) == []
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Işık", "IŞIK"), ("Işık", "ışık"), ("Işık", "isik"), ("İnce", "ince"), ("İnce", "İNCE"), ("ince", "İnce"),
        ("Groß", "GROSS"), ("Gross", "groß"), ("Nguyễn", "nguyen"), ("Nguyen", "NGUYỄN"), ("王小明", "王"), ("Ω", "ω"),
        ("O'Brien", "o'b"), ("d'Angelo-Ñíguez", "D'ANGELO-NIG"), ("Åström", "astr"), ("Ł" * 100, "Ł" * 50),
        ("Jos\u00e9", "Jose\u0301"), ("Jose\u0301", "Jos\u00e9"), ("50% Müller", "50% m"), ("A_B", "a_b"),
    ],
)  # fmt: skip
def test_a_search_finds_a_name_however_it_is_written(clara, patient, name, asked):
    IdentityFactory(patient=patient, family_name=name)
    page = clara.post(reverse("patients:search"), {"q": asked}, follow=True)
    assert [one.pk for one in page.context["patients"]] == [patient.pk]


def test_one_name_in_two_unicode_forms_is_one_person(clara, patient):
    IdentityFactory(patient=patient, family_name="Jos\u00e9", given_name="Ana")
    again = filled(**{"identity-family_name": "Jose\u0301", "identity-given_name": "Ana"})
    page = clara.post(reverse("patients:register"), again)
    assert "may be in the register already" in page.content.decode() and Patient.objects.count() == 1
    clara.post(reverse("patients:register"), again | {"another_person": "on"})
    assert Identity.objects.latest("pk").family_name == "Jos\u00e9"


# Addresses and hosts


@pytest.mark.parametrize(
    "address",
    [
        "/patients/?page=-1", "/patients/?page_size=1000000000", "/patients/?sort=;", "/patients/?after=%00",
        "/patients/?after=" + "9" * 5000, "/patients/?before=%ff", "/patients/?clinic=%00", "/patients/?status='",
        "/patients/?id__in=" + ",".join(map(str, range(2000))), "/patients/%00/", "/visits/%00/", "/imaging/%ff/",
        "/patients/records/visit/%00/", "/patients/records/%00/x/", "/cohorts/%00/", "/exports/9999999999999999999/",
        "/reports/?cohort=%00", "/codebook/?q=%00", "/trail/?before=" + "9" * 30, "/admin/patients/visit/?p=-1",
        "/admin/patients/visit/?o=;", "/admin/patients/visit/?q=%00", "/admin/patients/visit/?id__in=1,x",
        "/admin/patients/visit/?visit_date__year=99999999999999", "/admin/patients/visit/?visit_date__gte=x",
        "/admin/patients/visit/99999999999999999999/change/", "/admin/patients/visit/%00/change/",
        "/admin/patients/visit/?id=99999999999999999999999", "/admin/patients/visit/?patient__id__exact=1e9",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_no_server_error(clara, patient, address):
    assert clara.get(address).status_code in (200, 302, 400, 403, 404)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "testserver@evil.example", "a b", ""])
def test_a_foreign_host_is_a_bad_request(clara, host):
    assert clara.get("/patients/", HTTP_HOST=host).status_code == 400 or host == ""


def test_a_forwarded_host_is_not_believed(clara):
    page = clara.get("/patients/", HTTP_X_FORWARDED_HOST="evil.example")
    assert page.status_code == 200 and b"evil.example" not in page.content
    away = Client().get("/patients/", HTTP_X_FORWARDED_HOST="evil.example")
    assert "evil.example" not in away["Location"]
