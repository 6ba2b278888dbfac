"""A second reader reads blind: nothing anywhere tells the first reading before the second is finished."""

from __future__ import annotations

import io
import json
import zipfile
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.exports.models import Export
from lesions.models import HandScore, ImagingMeasure, ImagingStudy, SecondReading
from lesions.second_reading import ask, take
from tests.factories import (
    CohortFactory,
    ImagingFileFactory,
    ImagingMeasureFactory,
    LesionFactory,
    MembershipFactory,
    a_reading,
    project_of,
)
from tests.lesions.readings.hands import SITE, TOTAL, told_by, typed

EVERYBODY = {"join": "all", "conditions": []}


def pages_with_scores(study: ImagingStudy, first: HandScore) -> dict[str, str]:
    patient = study.patient
    return {
        "patient page": patient.get_absolute_url(),
        "course": reverse("lesions:patient_course", args=[patient.public_id]),
        "history of the patient": reverse("lesions:patient_history", args=[patient.public_id]),
        "study page": study.get_absolute_url(),
        "history of the study": reverse("patients:record_history", args=["imagingstudy", study.public_id]),
        "score page": reverse("lesions:hand_score", args=[study.public_id]),
        "record": reverse("patients:record", args=["handscore", first.public_id]),
        "history of the reading": reverse("patients:record_history", args=["handscore", first.public_id]),
        "work list": reverse("home"),
        "readings": reverse("lesions:readings"),
        "agreement": reverse("reports:agreement", args=[patient.clinic.public_id]),
        "agreement, numbers": reverse("reports:agreement_csv", args=[patient.clinic.public_id]),
        "search": reverse("patients:list") + f"?q={patient.registry_number}",
        "rights": reverse("rights:person", args=[patient.public_id]),
    }


def admin_pages(first: HandScore) -> list[str]:
    site = first.ratings.first()
    return [
        reverse("admin:lesions_handscore_changelist"),
        reverse("admin:lesions_handscore_change", args=[first.pk]),
        reverse("admin:lesions_handscoresite_changelist"),
        reverse("admin:lesions_handscoresite_change", args=[site.pk]),
    ]


def numbers_in(text: str) -> set[str]:
    return {one for one in (TOTAL, f"{TOTAL}.00", f"{SITE} %", "1333") if f">{one}" in text or f" {one}" in text}


def test_the_first_reading_is_shown_to_others_and_nowhere_to_its_second_reader(
    client_of, study, first, asked, colleague, clinician
):
    own, second = client_of(clinician), client_of(colleague)
    seen = {name for name, at in pages_with_scores(study, first).items() if numbers_in(told_by(own, at))}
    assert {"patient page", "study page", "history of the reading"} <= seen, "the probe sees nothing at all"
    shown = {
        name: found
        for name, at in pages_with_scores(study, first).items()
        if (found := numbers_in(told_by(second, at)))
    }
    assert not shown


# What the first reader drew on the radiograph, and a number typed; and what the second reader draws.
HEADER = {
    "modality": "DX", "pixel_spacing": [0.1, 0.1], "pixel_spacing_from": "ImagerPixelSpacing", "study_date": None,
    "burned_in": None, **dict.fromkeys(("body_part", "region", "laterality", "view", "device"), ""),
}  # fmt: skip
DRAWN, TYPED, OWN = "33.7", "77.31", "12.9"


def a_line(client, file, mm: str, lesion) -> ImagingMeasure:
    points = [[10, 10], [10 + float(mm) * 10, 10]]
    sent = {"kind": "LENGTH", "frame": "0", "points": json.dumps(points), "lesion": lesion.public_id}
    assert client.post(reverse("lesions:imaging_measures", args=[file.public_id]), sent).status_code == 201
    return ImagingMeasure.objects.latest("pk")


def pages_with_measures(study, file, lesion, drawn) -> dict[str, str]:
    patient = study.patient
    return {
        "study": study.get_absolute_url(),
        "compared": reverse("lesions:imaging_compare", args=[patient.public_id]) + f"?right={file.public_id}",
        "pictures of the lesion": reverse("lesions:lesion_pictures", args=[lesion.public_id]),
        "what is drawn, as JSON": reverse("lesions:imaging_measures", args=[file.public_id]),
        "record": reverse("patients:record", args=["imagingmeasure", drawn.public_id]),
        "history of the measurement": reverse("patients:record_history", args=["imagingmeasure", drawn.public_id]),
    }


def test_what_was_measured_on_the_radiograph_is_shown_nowhere_to_its_second_reader_but_what_is_theirs(
    client_of, study, asked, colleague, clinician, north
):
    lesion = LesionFactory(patient=study.patient)
    kind = {"kind_of_file": "DICOM", "media_type": "application/dicom", "has_preview": True}
    file = ImagingFileFactory(study=study, width=600, height=400, header=HEADER, **kind)
    own, second = client_of(clinician), client_of(colleague)
    drawn = a_line(own, file, DRAWN, lesion)
    ImagingMeasureFactory(study=study, value=Decimal(TYPED), lesion=lesion)
    Membership.objects.create(user=colleague, clinic=north, role=Role.ADMIN)
    pages = pages_with_measures(study, file, lesion, drawn)
    admin = reverse("admin:lesions_imagingmeasure_changelist")
    events = Event.objects.of_record(ImagingMeasure, drawn.pk)
    trails = [reverse("admin:audit_event_change", args=[one.pk]) for one in events]
    trails += [reverse("clinics:trail"), reverse("lesions:patient_history", args=[study.patient.public_id])]
    blind = {name: at for name, at in pages.items() if DRAWN not in told_by(own, at)}
    assert not blind, "the probe sees nothing there"
    patient_page = study.patient.get_absolute_url()
    assert "2 measurements" in told_by(own, patient_page)

    shown = [at for at in (*pages.values(), admin, *trails) if {DRAWN, TYPED} & told_numbers(told_by(second, at))]
    assert not shown
    assert "measurement" not in told_by(second, patient_page).partition("Imaging")[2].partition("</section>")[0]
    for name in ("redraw", "use"):
        moved = second.post(reverse(f"lesions:imaging_{name}", args=[drawn.public_id]), {"version": "1"})
        assert moved.status_code == 404

    a_line(second, file, OWN, lesion)
    assert OWN in told_by(second, pages["what is drawn, as JSON"]) and OWN in told_by(second, pages["study"])
    assert "1 measurement" in told_by(second, patient_page)
    second.post(reverse("lesions:hand_score", args=[study.public_id]), typed(finish="1"))
    assert {DRAWN, TYPED} <= told_numbers(told_by(second, pages["study"]))


def told_numbers(text: str) -> set[str]:
    return {one for one in (DRAWN, TYPED) if one in text}


def test_once_finished_both_readings_are_open_and_neither_changes_any_more(client_of, study, first, asked, colleague):
    second = client_of(colleague)
    page = second.post(reverse("lesions:hand_score", args=[study.public_id]), typed(finish="1"), follow=True)
    asked.refresh_from_db()
    assert asked.is_read and page.redirect_chain[-1][0] == asked.get_absolute_url()
    assert TOTAL in page.content.decode()
    assert asked.reading.blinded and asked.reading.reading_kind == "SECOND"
    changed = typed({"R-MC1": (10, 1)}, version="1", reason="seen now")
    late = second.post(reverse("lesions:hand_score", args=[study.public_id]), changed, follow=True)
    assert "neither is changed any more" in late.content.decode()
    assert HandScore.objects.get(pk=asked.reading.pk).total == 0
    first.refresh_from_db()
    first.rater_role = "OTHER"
    with pytest.raises(Exception, match="neither is changed"):
        first.save()


def test_a_second_reading_with_a_site_left_is_kept_and_not_finished(client_of, study, asked, colleague):
    data = {name: value for name, value in typed(finish="1").items() if not name.startswith("R-MC1")}
    page = client_of(colleague).post(reverse("lesions:hand_score", args=[study.public_id]), data, follow=True)
    assert "not finished yet" in page.content.decode()
    asked.refresh_from_db()
    assert not asked.is_read and HandScore.objects.get(rater=colleague).ratings.count() == 43


def test_nobody_sees_a_second_reading_before_it_is_finished(client_of, study, first, asked, colleague, clinician):
    score = reverse("lesions:hand_score", args=[study.public_id])
    client_of(colleague).post(score, typed({"R-D5.MID": (97, 3)}))
    text = told_by(client_of(clinician), study.get_absolute_url())
    assert "291" not in text and TOTAL in text
    assert "291" not in told_by(client_of(clinician), study.patient.get_absolute_url())


def test_an_unfinished_second_reading_is_not_in_the_score_of_record(client_of, study, first, asked, colleague):
    score = reverse("lesions:hand_score", args=[study.public_id])
    client_of(colleague).post(score, typed())
    assert [(one.total, one.of_record) for one in HandScore.objects.order_by("pk")] == [(1582, "ONLY"), (0, "")]
    client_of(colleague).post(score, typed(finish="1", version="1"))
    assert [one.of_record for one in HandScore.objects.order_by("pk")] == ["MEAN", "MEAN"]
    assert "791" in told_by(client_of(colleague), study.get_absolute_url())


def test_the_page_kept_for_others_is_not_given_to_the_second_reader(client_of, study, asked, colleague, clinician):
    """The sections of a patient page are kept between requests: whoever reads blind gets their own."""
    at = study.patient.get_absolute_url()
    assert TOTAL in told_by(client_of(clinician), at)
    assert TOTAL not in told_by(client_of(colleague), at)
    assert TOTAL in told_by(client_of(clinician), at)


def test_the_trail_withholds_the_values_of_the_first_reading(client_of, study, first, asked, colleague, north):
    Membership.objects.create(user=colleague, clinic=north, role=Role.ADMIN)
    event = Event.objects.of_record(HandScore, first.pk).first()
    client = client_of(colleague)
    for at in (reverse("clinics:trail"), reverse("admin:audit_event_change", args=[event.pk]), *admin_pages(first)):
        assert not numbers_in(told_by(client, at)), at


def test_change_since_an_earlier_study_does_not_tell_the_first_reading(
    client_of, patient, study, first, clinician, colleague
):
    """The first reading was read blind, too: of a later study it would be the one before."""
    first.blinded = True
    first.save()
    ask(study=study, reader=colleague, by=clinician, now=timezone.now())
    later = ImagingStudy(patient=patient, modality="DX", study_date=PartialDate(2026, 4))
    later.save()
    a_reading(later, colleague, {"R-D2.DIST": (20, 1)})
    HandScore.objects.filter(rater=colleague).get()
    assert TOTAL not in told_by(client_of(colleague), reverse("lesions:hand_score", args=[later.public_id]))


def test_a_whole_file_is_not_made_by_the_second_reader(proven, patient, asked, colleague, clinician):
    at = reverse("rights:file", args=[patient.public_id])
    refused = proven(colleague).post(at, {"reason": "the patient, in person"})
    assert refused.status_code == 422 and "second reading to finish" in refused.content.decode()
    given = proven(clinician).post(at, {"reason": "the patient, in person"})
    with zipfile.ZipFile(io.BytesIO(b"".join(given.streaming_content))) as archive:
        told = json.loads(archive.read("everything.json"))
    assert told["records"]["handscore"][0]["total"]["value"] == "1582.00"


def test_an_export_with_the_patient_in_it_is_not_made_by_the_second_reader(proven, patient, asked, colleague, north):
    Membership.objects.create(user=colleague, clinic=north, role=Role.RESEARCHER)
    cohort = CohortFactory(owner=colleague, project=project_of(colleague, north), definition=EVERYBODY)
    sent = {"format": "csv", "profile": "coded", "reason": "Table 1"}
    refused = proven(colleague).post(reverse("exports:new", args=[cohort.public_id]), sent)
    assert refused.status_code == 422 and "second reading to finish" in refused.content.decode()
    assert patient.registry_number in refused.content.decode() and not Export.objects.exists()


def test_whoever_opened_the_patient_after_the_first_reading_is_not_taken_for_blind(
    client_of, study, first, colleague, clinician
):
    client_of(colleague).get(study.patient.get_absolute_url())
    asked = ask(study=study, reader=colleague, by=clinician, now=timezone.now())
    assert asked.shown_before is not None
    score = reverse("lesions:hand_score", args=[study.public_id])
    assert "tick “read blind” only if" in told_by(client_of(colleague), score)
    client_of(colleague).post(score, typed(finish="1"))
    assert not HandScore.objects.get(rater=colleague).blinded


def test_it_is_taken_by_the_first_who_wants_it(client_of, study, first, clinician, colleague, north):
    asked = ask(study=study, reader=None, by=clinician, now=timezone.now())
    third = MembershipFactory(clinic=north, role=Role.CLINICIAN).user
    assert "Radiographs to read" in told_by(client_of(colleague), reverse("home"))
    take_it = reverse("lesions:reading_take", args=[asked.public_id])
    assert client_of(colleague).post(take_it).url == reverse("lesions:hand_score", args=[study.public_id])
    late = client_of(third).post(take_it, follow=True)
    assert "Somebody else has it by now" in late.content.decode()
    own = client_of(clinician).post(take_it, follow=True)
    asked.refresh_from_db()
    assert asked.reader == colleague and own.status_code == 200


def test_given_up_with_a_reason_the_readings_open_again(client_of, study, first, asked, colleague):
    give_up = reverse("lesions:reading_give_up", args=[asked.public_id])
    client_of(colleague).post(give_up)
    asked.refresh_from_db()
    assert asked.ended_at is None
    client_of(colleague).post(give_up, {"why": "seen at the conference"})
    asked.refresh_from_db()
    assert (asked.ended_at is not None, asked.given_up_why) == (True, "seen at the conference")
    assert TOTAL in told_by(client_of(colleague), study.get_absolute_url())


@pytest.mark.parametrize("role", ["assistant", "monitor", "stranger"])
def test_only_a_clinician_of_the_clinic_is_asked(role, request, client_of, study, first, clinician):
    other = request.getfixturevalue(role)
    at = reverse("lesions:reading_ask", args=[study.public_id])
    page = client_of(clinician).post(at, {"reader": str(other.pk)}, follow=True)
    assert "clinician of the clinic" in page.content.decode() and not SecondReading.objects.exists()


def test_who_has_read_it_already_is_not_its_second_reader(client_of, study, first, clinician, colleague):
    a_reading(study, colleague)
    at = reverse("lesions:reading_ask", args=[study.public_id])
    client_of(clinician).post(at, {"reader": str(colleague.pk)})
    assert not SecondReading.objects.exists()
    client_of(clinician).post(at, {"reader": ""})
    asked = SecondReading.objects.get()
    with pytest.raises(Exception, match="read this radiograph already"):
        take(asked=asked, by=colleague, now=timezone.now())
