"""What is typed and not saved: kept for its writer, unreadable to everybody else, gone when it is saved."""

from __future__ import annotations

import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.records.drafts import drop_drafts_of
from calcinosis_registry.records.models import Draft, Submission
from calcinosis_registry.rights.models import Basis
from calcinosis_registry.rights.services import confirm_erasure, request_erasure
from lesions.models import HandScore, ImagingStudy
from patients.models import Diagnosis, Patient, Visit
from tests.factories import DiagnosisFactory, LesionFactory, PatientFactory, VisitFactory
from tests.patients.test_register import filled
from tests.sent_forms import sent_by

KEEP = "/drafts/"
REGISTER = "/patients/register/"
HARD = 'Überbein 🦴\r\n"quotes" <b>&amp; ½ mm\t' + "ž" * 300


@pytest.fixture
def patient(north) -> Patient:
    return PatientFactory(clinic=north)


@pytest.fixture
def clara(client_of, clinician) -> Client:
    return client_of(clinician)


def slip(client: Client, address: str) -> dict[str, str]:
    """What the page carries hidden: whose it is, and which form."""
    keeping = client.get(address).context["keeping"]
    return {"draft": keeping.page.signed(), "submission": keeping.submission, "draft_from": keeping.restored_from}


def type_into(client: Client, address: str, typed: dict[str, Any], **more: str) -> dict[str, Any]:
    """Open a page, type, and let the script keep it. Returns the whole form."""
    form = slip(client, address) | typed | more
    assert client.post(KEEP, form).json() == {"kept": True}
    return form


def new_visit(patient: Patient) -> str:
    return reverse("lesions:visit_new", args=[patient.public_id])


def pages(patient: Patient) -> list[tuple[str, dict[str, Any]]]:
    """One page of every sort that keeps drafts, with something half-typed in it."""
    diagnosis = DiagnosisFactory(patient=patient)
    visit = VisitFactory(patient=patient)
    course = reverse("patients:record_add", args=[patient.public_id, "treatmentcourse"])
    return [
        (new_visit(patient), {"visit_date": "2026-02-3", "note": HARD}),
        (visit.get_absolute_url(), {"visit_date": "12.", "weight_kg": "7o"}),
        (REGISTER, {"identity-family_name": "Duarte", "person-birth_date": "196", "identity-contact": "x"}),
        (reverse("patients:record", args=["diagnosis", diagnosis.public_id]), {"first_calcinosis": "20-"}),
        (f"{course}?visit={visit.public_id}", {"start": "about 201", "agent_other": "½"}),
        (reverse("patients:visit_missed", args=[patient.public_id]), {"visit_date": "soon"}),
    ]


def test_every_page_offers_and_restores_its_draft_as_it_was_typed(clara, patient):
    for address, typed in pages(patient):
        type_into(clara, address, typed)
        again = clara.get(address)
        (draft,) = again.context["keeping"].offers
        assert draft.restore_url in again.content.decode().replace("&amp;", "&")
        restored = clara.get(draft.restore_url)
        assert {name: restored.context["keeping"].bound[name] for name in typed} == typed
        shown = restored.content.decode()
        for value in typed.values():
            if value != HARD:
                assert f'value="{value}"' in shown, (address, value)
        assert "field-error" not in shown and "errorlist" not in shown, address
        compared = clara.get(draft.compare_url)
        assert compared.status_code == 200 and "In the draft" in compared.content.decode()


def test_a_restored_visit_has_its_new_lesions_opened_parts_and_odd_values(clara, patient):
    LesionFactory(patient=patient)
    typed = {
        "visit_date": "2026-02-01", "pain_nrs": "7", "skinsigns-more": "1", "l1-status_change": "LARGER",
        "l1-length_mm": "12,", "l1-more": "1", "new-3-site": "ELBOW", "new-3-laterality": "L",
        "new-3-first_noticed": "20x", "new-3-seen-length_mm": "4",
    }  # fmt: skip
    type_into(clara, new_visit(patient), typed)
    page = clara.get(Draft.objects.get().restore_url).context["page"]
    (row,), (new,) = page.rows, page.new
    assert (page.form["pain_nrs"].value(), row.form["status_change"].value()) == ("7", "LARGER")
    assert (row.form["length_mm"].value(), bool(row.form.folded)) == ("12,", True)
    assert (new.lesion["site"].value(), new.lesion["first_noticed"].value()) == ("ELBOW", "20x")
    assert new.observation["length_mm"].value() == "4"
    assert [part.kind for part in page.parts if part.form] == ["skinsigns"]


def test_a_save_takes_the_draft_with_it_and_a_refused_one_leaves_it(clara, patient):
    form = type_into(clara, new_visit(patient), {"visit_date": "2026-02-01", "visit_type": "FOLLOW_UP"})
    wrong = form | {"visit_date": "2999-01-01"}
    assert clara.post(new_visit(patient), wrong).status_code == 200
    assert Draft.objects.count() == 1
    assert clara.post(new_visit(patient), form).status_code == 302
    assert (Draft.objects.count(), Visit.objects.count()) == (0, 1)


def test_a_draft_that_arrives_after_its_save_is_not_offered(clara, patient):
    form = type_into(clara, new_visit(patient), {"visit_date": "2026-02-01", "visit_type": "FOLLOW_UP"})
    clara.post(new_visit(patient), form)
    assert clara.post(KEEP, form).json() == {"kept": False}
    assert not Draft.objects.exists()
    # Gone back and typed on: that is something new.
    assert clara.post(KEEP, form | {"note": "more"}).json() == {"kept": True}


def test_of_two_drafts_of_a_page_the_later_stands_whatever_arrives_last(clara, patient):
    form = type_into(clara, new_visit(patient), {"note": "late"}, typed_at="1700000000900")
    assert clara.post(KEEP, form | {"note": "early", "typed_at": "1700000000100"}).json() == {"kept": False}
    assert Draft.objects.get().data()["note"] == "late"


def test_two_tabs_are_two_drafts_and_one_that_was_restored_follows_its_page(clara, patient):
    type_into(clara, new_visit(patient), {"note": "first tab"}, typed_at="1")
    type_into(clara, new_visit(patient), {"note": "second tab"}, typed_at="2")
    offers = clara.get(new_visit(patient)).context["keeping"].offers
    assert [draft.data()["note"] for draft in offers] == ["second tab", "first tab"]
    type_into(clara, offers[0].restore_url, {"note": "second tab, on"}, typed_at="3")
    assert {draft.data()["note"] for draft in Draft.objects.all()} == {"first tab", "second tab, on"}


def test_a_draft_typed_on_in_its_own_tab_survives_the_page_it_was_restored_to(clara, patient):
    first = type_into(clara, new_visit(patient), {"note": "first"}, typed_at="1")
    restored = slip(clara, Draft.objects.get().restore_url)
    clara.post(KEEP, first | {"note": "first, typed on", "typed_at": "5"})
    clara.post(KEEP, restored | {"note": "elsewhere", "typed_at": "6"})
    assert {draft.data()["note"] for draft in Draft.objects.all()} == {"first, typed on", "elsewhere"}


def test_only_its_writer_sees_a_draft(clara, client_of, assistant, stranger, clinician, patient):
    type_into(clara, new_visit(patient), {"note": "zebra crossing"})
    draft = Draft.objects.get()
    for other in (assistant, stranger):
        client = client_of(other)
        assert client.post(reverse("records:draft_discard", args=[draft.public_id])).status_code == 404
        answer = client.get(draft.restore_url)
        assert answer.status_code == 404 or (answer.context["keeping"].gone and b"zebra" not in answer.content)
    assert b"Draft of" not in client_of(assistant).get(new_visit(patient)).content
    assert b"Drafts to finish" not in client_of(assistant).get("/").content
    # Nor its writer any longer, once the role there is over.
    Membership.objects.get(user=clinician).delete()
    assert clara.post(reverse("records:draft_discard", args=[draft.public_id])).status_code == 404


def test_a_slip_of_somebody_else_or_a_forged_one_keeps_nothing(clara, client_of, assistant, monitor, patient):
    theirs = slip(client_of(assistant), new_visit(patient))
    assert clara.post(KEEP, theirs | {"note": "x"}).status_code == 409
    forged = theirs["draft"][:-1] + ("B" if theirs["draft"].endswith("A") else "A")
    assert clara.post(KEEP, {"draft": forged, "note": "x"}).status_code == 422
    assert clara.post(KEEP, {"note": "x"}).status_code == 422
    assert Client().post(KEEP, theirs | {"note": "x"}).status_code == 302
    assert not Draft.objects.exists()


def test_the_database_holds_nothing_readable(clara, patient, settings):
    type_into(clara, REGISTER, {"identity-family_name": "Quasimodo", "identity-national_number": "1831"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_draft")
        row = " ".join(str(value) for value in cursor.fetchone())
    assert "Quasimodo" not in row and "1831" not in row
    draft = Draft.objects.get()
    assert draft.data()["identity-family_name"] == "Quasimodo"
    settings.DRAFT_KEY = "another key"
    assert draft.data() is None
    assert clara.get(draft.restore_url).context["keeping"].gone


def test_the_key_lies_beside_the_data_and_not_in_the_database(settings):
    assert (settings.DATA_DIR / "keys" / "draft_key").read_text() == settings.DRAFT_KEY


def test_drafts_are_purged_after_fourteen_days_and_not_offered_before_that(clara, patient):
    for address, _typed in pages(patient)[:2]:
        type_into(clara, address, {"note": "x"})
    old, young = Draft.objects.order_by("pk")
    old.updated_at = timezone.now() - datetime.timedelta(days=14, minutes=1)
    old.save()
    assert clara.get(old.address).context["keeping"].offers == []
    call_command("purge_drafts", stdout=(said := StringIO()))
    assert said.getvalue() == "1 drafts deleted\n"
    assert list(Draft.objects.all()) == [young]


def test_erasing_a_patient_takes_every_draft_about_them(clara, client_of, assistant, patient, north):
    other = PatientFactory(clinic=north)
    for client in (clara, client_of(assistant)):
        type_into(client, new_visit(patient), {"note": "x"})
        type_into(client, new_visit(other), {"note": "x"})
    form = filled()
    type_into(clara, REGISTER, form)
    clara.post(REGISTER, slip(clara, REGISTER) | form)
    registered = Patient.objects.get(public_id=form["public_id"])
    assert drop_drafts_of(patient.public_id) == 2
    assert drop_drafts_of(registered.public_id) == 1
    assert not Submission.objects.filter(patient=registered.public_id).exists()
    assert {draft.patient for draft in Draft.objects.all()} == {other.public_id}


def test_an_erasure_by_two_people_takes_the_drafts_too(
    clara, client_of, assistant, clinician, patient, settings, tmp_path
):
    settings.FILES_DIR = tmp_path
    type_into(clara, new_visit(patient), {"note": "x"})
    asked = request_erasure(patient=patient, basis=Basis.CONSENT, reason="by letter", by=clinician, now=timezone.now())
    confirm_erasure(asked=asked, by=assistant, now=timezone.now())
    assert not Draft.objects.exists()


def test_a_half_read_radiograph_is_a_draft_and_a_second_tab_asks_before_it_overwrites(clara, patient, clinician):
    study = ImagingStudy(patient=patient, modality="CR", study_date=PartialDate(2025))
    study.save()
    url = reverse("lesions:hand_score", args=[study.public_id])
    form = sent_by(clara.get(url))
    clara.post(KEEP, form | {"R-D1.DIST-coverage": "3o", "R-D2.DIST-coverage": "40"})
    restored = clara.get(Draft.objects.get().restore_url).content.decode()
    assert 'value="3o"' in restored and 'value="40"' in restored and "need your answer" not in restored
    typed = form | {"R-D1.DIST-coverage": "30", "R-D1.DIST-density": "2"}
    assert clara.post(url, typed).status_code == 302
    first, second = sent_by(clara.get(url)), sent_by(clara.get(url))
    assert clara.post(url, first | {"R-D1.DIST-coverage": "50"}).status_code == 302
    late = clara.post(url, second | {"R-D1.DIST-coverage": "60"})
    assert (late.status_code, HandScore.objects.get().total) == (409, 100)
    assert clara.post(url, sent_by(late)).status_code == 409, "both tabs changed the site: one must be chosen"
    assert clara.post(url, sent_by(late) | {"keep:R-D1.DIST": "mine"}).status_code == 302
    assert HandScore.objects.get().total == 120


def test_a_study_changed_by_two_people_is_put_together(clara, client_of, assistant, patient):
    study = ImagingStudy(patient=patient, modality="CR", study_date=PartialDate(2025))
    study.save()
    url, anna = study.get_absolute_url(), client_of(assistant)
    form = sent_by(clara.get(url))
    clara.post(KEEP, form | {"study_date": "2024-1"})
    assert "2024-1" in clara.get(Draft.objects.get().compare_url).content.decode()
    anna.post(url, sent_by(anna.get(url)) | {"study_date": "2023"})
    answer = clara.post(url, form | {"laterality": "R"})
    assert answer.status_code == 409
    saved = clara.post(url, sent_by(answer))
    assert saved.status_code == 302, dict(saved.context["form"].errors)
    study = ImagingStudy.objects.get()
    assert (study.laterality, str(study.study_date)) == ("R", "2023")


def test_a_draft_is_discarded_by_its_writer(clara, patient):
    type_into(clara, new_visit(patient), {"note": "x"})
    draft = Draft.objects.get()
    assert clara.post(reverse("records:draft_discard", args=[draft.public_id])).url == new_visit(patient)
    assert not Draft.objects.exists()
    assert "is gone" in clara.get(draft.restore_url).content.decode()


def test_a_draft_based_on_an_old_version_ends_at_the_conflict_page_and_overwrites_nothing(
    clara, client_of, assistant, patient
):
    diagnosis = DiagnosisFactory(patient=patient, first_calcinosis="2010")
    address = reverse("patients:record", args=["diagnosis", diagnosis.public_id])
    sent = sent_by(clara.get(address))
    type_into(clara, address, sent | {"first_calcinosis": "2011"})
    client_of(assistant).post(address, sent_by(client_of(assistant).get(address)) | {"first_calcinosis": "2012"})
    restored = sent_by(clara.get(Draft.objects.get().restore_url))
    assert restored["first_calcinosis"] == "2011"
    assert clara.post(address, restored).status_code == 409
    assert str(Diagnosis.objects.get().first_calcinosis) == "2012"
