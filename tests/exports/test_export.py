"""The file a researcher takes home: who and what is in it, who may have it, and what is written down about it."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import zipfile
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pyarrow import parquet

from calcinosis_registry.codebook.catalogue import calculated
from calcinosis_registry.codebook.items import Privacy, codebook_models, item_fields
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.exports import package
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import ExportRefused, exports_of, path_of
from calcinosis_registry.exports.writers import FORMATS
from calcinosis_registry.records.models import Draft
from tests.cohorts.register import cohort_of, patients, project_of
from tests.exports.made import export, files, table
from tests.factories import (
    DiagnosisFactory,
    IdentityFactory,
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
)
from tests.sent_forms import sent_by

pytestmark = pytest.mark.django_db


# ---- who is in it


def test_only_consented_patients_of_the_projects_clinics_leave(cohort, researcher, north, south):
    patients(north, 2)
    patients(north, 1, research_consent=False)
    patients(south, 3)
    made = export(cohort, researcher)
    inside = {row["patient"] for row in table(made, "patients")}
    assert made.patients == len(inside) == 2
    for name in made.row_counts:
        assert {row["patient"] for row in table(made, name)} <= inside


def test_a_withdrawn_consent_removes_the_patient_from_the_next_export_and_names_the_earlier_one(
    cohort, researcher, north
):
    patient = patients(north, 1)[0]
    before = export(cohort, researcher)
    patient.research_consent = False
    patient.save()
    assert table(export(cohort, researcher), "patients") == []
    assert list(exports_of(patient)) == [before]


def test_a_consent_withdrawn_while_a_file_is_made_stops_that_file(cohort, researcher, north, settings, monkeypatch):
    """The data are read, and before the file has its place somebody withdraws: no file, no line in the ledger."""
    first, *_others = patients(north, 3)
    pack = package.pack

    def withdrawn_meanwhile(*told):
        first.research_consent = False
        first.save()
        pack(*told)

    monkeypatch.setattr(package, "pack", withdrawn_meanwhile)
    with pytest.raises(ExportRefused, match="withdrawn while the file was being made"):
        export(cohort, researcher)
    assert not Export.objects.exists() and not list(settings.EXPORTS_DIR.iterdir())
    monkeypatch.setattr(package, "pack", pack)
    assert export(cohort, researcher).patients == 2


def test_a_file_made_before_a_withdrawal_is_not_taken_after_it(cohort, researcher, north, proven):
    first, *_others = patients(north, 2)
    made = export(cohort, researcher)
    client, address = proven(researcher), reverse("exports:download", args=[made.public_id])
    answer = client.post(address)
    assert answer.status_code == 200 and b"".join(answer.streaming_content)
    first.research_consent = False
    first.save()
    refused = client.post(address)
    assert refused.status_code == 410 and "withdrew the consent" in refused.content.decode()
    assert list(exports_of(first)) == [made], "and the ledger names the export"
    again = export(cohort, researcher)
    assert client.post(reverse("exports:download", args=[again.public_id])).status_code == 200


def test_records_of_unsigned_visits_are_left_out_unless_asked_for(cohort, researcher, north):
    patient = PatientFactory(clinic=north)
    signed = VisitFactory(patient=patient, state="SIGNED", visit_date=datetime.date(2026, 2, 2))
    unsigned = VisitFactory(patient=patient, visit_date=datetime.date(2026, 5, 5), pain_nrs=9)
    lesion = LesionFactory(patient=patient)
    LesionObservationFactory(lesion=lesion, visit=unsigned, status_change="STABLE", ulcerated="N")
    TreatmentCourseFactory(patient=patient, visit=unsigned, agent="WARFARIN")
    TreatmentCourseFactory(patient=patient, agent="DILTIAZEM")
    made = export(cohort, researcher)
    assert [row["visit_no"] for row in table(made, "visits")] == ["1"]
    assert table(made, "observations") == []
    assert [row["agent"] for row in table(made, "treatments")] == ["DILTIAZEM"]
    everything = export(cohort, researcher, all_visits=True)
    assert [row["state"] for row in table(everything, "visits")] == [signed.state, "OPEN"]
    assert len(table(everything, "observations")) == 1 and len(table(everything, "treatments")) == 2


def test_a_lesions_last_status_comes_from_signed_visits_alone(cohort, researcher, north):
    patient = PatientFactory(clinic=north)
    lesion = LesionFactory(patient=patient, first_recorded=datetime.date(2026, 1, 1))
    for day, status, state in ((3, "STABLE", "SIGNED"), (9, "RESOLVED", "OPEN")):
        visit = VisitFactory(patient=patient, visit_date=datetime.date(2026, 1, day))
        LesionObservationFactory(lesion=lesion, visit=visit, status_change=status)
        visit.state = state
        visit.save()
    assert table(export(cohort, researcher), "lesions")[0]["current_status"] == "STABLE"


# ---- what is in it

CANARY = "Zzyzx"


def fill_with_canaries(clinic):
    """A patient whose every text and identity says the canary, with one record of each common kind."""
    patient = PatientFactory(clinic=clinic, genetic_diagnosis=CANARY, birth_date=PartialDate(1951, 7, 23))
    IdentityFactory(
        patient=patient, family_name=f"{CANARY}-family", given_name=f"{CANARY}-given", hospital_number=f"{CANARY}-1"
    )
    DiagnosisFactory(patient=patient, other_criteria=CANARY)
    visit = VisitFactory(patient=patient, note=f"{CANARY} came late")
    lesion = LesionFactory(patient=patient, site="OTHER", laterality="", site_text=CANARY)
    LesionObservationFactory(lesion=lesion, visit=visit, infection="SUSPECTED", organism=CANARY)
    ImagingStudyFactory(patient=patient, indication=CANARY, report_text=CANARY, study_uid=f"1.2.{CANARY}")
    TreatmentCourseFactory(patient=patient, agent="OTHER", agent_other=CANARY)
    visit.state = "SIGNED"
    visit.save()
    return patient


@pytest.mark.parametrize("format", FORMATS)
def test_no_identity_and_no_text_is_in_a_coded_export(format, cohort, researcher, north):
    patient = fill_with_canaries(north)
    made = export(cohort, researcher, format=format)
    content, pseudonym = b"", made.people.get().pseudonym
    for name, data in files(made).items():
        content += data
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                content += b"".join(book.read(part) for part in book.namelist())
        if name.endswith(".parquet"):
            content += str(parquet.read_table(io.BytesIO(data)).to_pylist()).encode()
    assert pseudonym.encode() in content
    for canary in (CANARY, patient.registry_number, patient.public_id, "1951", "NOR-", north.public_id):
        assert canary.encode() not in content


def test_free_text_comes_by_explicit_choice_and_identity_never(cohort, researcher, north):
    patient = fill_with_canaries(north)
    made = export(cohort, researcher, include_text=True)
    assert table(made, "visits")[0]["note"] == f"{CANARY} came late"
    content = b"".join(files(made).values())
    for canary in (f"{CANARY}-family", f"{CANARY}-given", f"{CANARY}-1", f"1.2.{CANARY}", patient.registry_number):
        assert canary.encode() not in content


def test_every_item_that_may_leave_has_a_column_and_no_other_has(cohort, researcher):
    made = export(cohort, researcher)
    items = {row["item"] for row in csv.DictReader(io.StringIO(files(made)["codebook.csv"].decode())) if row["item"]}
    declared = {
        f"{model._meta.model_name}.{field.name}": field.item.privacy
        for model in codebook_models()
        for field in item_fields(model)
    }
    shareable = {key for key, privacy in declared.items() if privacy in (Privacy.CLINICAL, Privacy.DATE, Privacy.QUASI)}
    assert items == shareable | set(calculated())


def test_the_codebook_describes_every_column_of_every_table(cohort, researcher):
    made = export(cohort, researcher)
    described = [
        (row["table"], row["column"]) for row in csv.DictReader(io.StringIO(files(made)["codebook.csv"].decode()))
    ]
    for name in made.row_counts:
        header = next(csv.reader(io.StringIO(files(made)[f"{name}.csv"].decode())))
        assert header == [column for other, column in described if other == name]


def test_tables_are_linked_by_numbers_within_the_patient(cohort, researcher, north):
    patient = PatientFactory(clinic=north)
    visit = VisitFactory(patient=patient, visit_date=datetime.date(2026, 3, 1))
    LesionFactory(patient=patient)
    second = LesionFactory(patient=patient, site="ELBOW")
    course = TreatmentCourseFactory(patient=patient, agent="DOXYCYCLINE")
    course.lesions.set([second])
    LesionObservationFactory(lesion=second, visit=visit, antibiotic=course)
    visit.state = "SIGNED"
    visit.save()
    made = export(cohort, researcher)
    seen, lesions = table(made, "observations")[0], table(made, "lesions")
    assert (seen["visit_no"], seen["lesion_no"], seen["antibiotic_treatment_no"]) == ("1", "2", "1")
    assert [row["site"] for row in lesions if row["lesion_no"] == seen["lesion_no"]] == ["ELBOW"]
    assert [(row["treatment_no"], row["lesion_no"]) for row in table(made, "treatments_lesions")] == [("1", "2")]


def test_intervals_between_full_dates_are_exact_and_no_date_is_the_real_one(cohort, researcher, north):
    patient = PatientFactory(clinic=north)
    for day in (datetime.date(2025, 3, 1), datetime.date(2026, 2, 28)):
        VisitFactory(patient=patient, visit_date=day, state="SIGNED")
    TreatmentCourseFactory(patient=patient, start=PartialDate(2025, 3, 11))
    made = export(cohort, researcher)
    first, second = (datetime.date.fromisoformat(row["visit_date"]) for row in table(made, "visits"))
    start = datetime.date.fromisoformat(table(made, "treatments")[0]["start_earliest"])
    assert (second - first).days == 364 and (start - first).days == 10
    assert 1 <= (datetime.date(2025, 3, 1) - first).days <= 364


@pytest.mark.parametrize(("typed", "days"), [("2014", 364), ("2014-03", 27)])
def test_a_partial_date_keeps_its_precision_and_does_not_tell_the_shift(typed, days, cohort, researcher, north):
    patient = PatientFactory(clinic=north)
    DiagnosisFactory(patient=patient, first_calcinosis=PartialDate.parse(typed))
    row = table(export(cohort, researcher), "diagnoses")[0]
    earliest = datetime.date.fromisoformat(row["first_calcinosis_earliest"])
    latest = datetime.date.fromisoformat(row["first_calcinosis_latest"])
    assert (latest - earliest).days >= days and earliest.day == 1 and (latest + datetime.timedelta(days=1)).day == 1
    assert row["first_calcinosis_precision"] == ("year" if days == 364 else "month")


def test_an_unknown_date_is_an_answer_and_an_unanswered_one_is_empty(cohort, researcher, north):
    for value in (PartialDate(), PartialDate(2001)):
        DiagnosisFactory(patient=PatientFactory(clinic=north), first_raynaud=value)
    rows = table(export(cohort, researcher), "diagnoses")
    assert {row["first_raynaud_precision"] for row in rows} == {"unknown", "year"}
    assert {row["subset_date_precision"] for row in rows} == {""}


def test_ages_from_90_on_are_one_group(cohort, researcher, north):
    today = timezone.localdate()
    for years in (89, 97):
        patient = PatientFactory(clinic=north, birth_date=PartialDate(today.year - years, 1, 1))
        VisitFactory(patient=patient, visit_date=datetime.date(today.year, 1, 5), state="SIGNED")
    made = export(cohort, researcher)
    told = {(row["age_at_visit"], row["age_at_visit_90_plus"]) for row in table(made, "visits")}
    assert told == {("89", "0"), ("90", "1")}


def test_another_project_knows_the_same_patient_by_another_name(researcher, coordinator, north):
    patients(north, 1)
    names = set()
    for title in ("One", "Two"):
        cohort = cohort_of(researcher, project_of(researcher, coordinator, north, title=title))
        names.add(table(export(cohort, researcher), "patients")[0]["patient"])
    assert len(names) == 2


def test_a_cell_that_looks_like_a_formula_is_text(cohort, researcher, north):
    VisitFactory(patient=PatientFactory(clinic=north), note='=HYPERLINK("http://x")', state="SIGNED")
    VisitFactory(patient=PatientFactory(clinic=north), note="-5", state="SIGNED")
    VisitFactory(patient=PatientFactory(clinic=north), note='two\nlines, "quoted"', state="SIGNED")
    notes = {row["note"] for row in table(export(cohort, researcher, include_text=True), "visits")}
    assert notes == {'\'=HYPERLINK("http://x")', "-5", 'two\nlines, "quoted"'}


def test_values_come_back_as_they_were_typed(cohort, researcher, north):
    patient = PatientFactory(clinic=north, sex_at_birth="M")
    DiagnosisFactory(patient=patient, diagnostic_basis=("XRAY", "EXAM"))
    VisitFactory(patient=patient, weight_kg=Decimal("61.5"), pain_nrs=0, patient_global_not_done=True, state="SIGNED")
    made = export(cohort, researcher)
    visit = table(made, "visits")[0]
    assert (visit["weight_kg"], visit["pain_nrs"], visit["patient_global_not_done"]) == ("61.5", "0", "1")
    assert visit["physician_global"] == ""
    assert table(made, "patients")[0]["sex_at_birth"] == "M"
    assert set(table(made, "diagnoses")[0]["diagnostic_basis"].split(";")) == {"EXAM", "XRAY"}


def test_the_same_data_make_the_same_bytes(cohort, researcher, north):
    patients(north, 3)
    for format in ("csv", "xlsx"):
        one, other = (files(export(cohort, researcher, format=format)) for _time in range(2))
        one.pop("manifest.json"), other.pop("manifest.json")
        assert one == other


def test_the_workbook_holds_the_rows_of_the_csv(cohort, researcher, north):
    patients(north, 2)
    book = load_workbook(io.BytesIO(files(export(cohort, researcher, format="xlsx"))["tables.xlsx"]))
    rows = list(book["visits"].values)
    plain = table(export(cohort, researcher), "visits")
    assert [row[0] for row in rows[1:]] == [row["patient"] for row in plain]
    assert list(rows[0]) == list(plain[0])
    column = rows[0].index("visit_date")
    assert [f"{row[column]:%Y-%m-%d}" for row in rows[1:]] == [row["visit_date"] for row in plain]


def test_the_manifest_says_what_why_and_the_checksum_of_every_file(cohort, researcher, north):
    patients(north, 2)
    made = export(cohort, researcher)
    inside = files(made)
    manifest = json.loads(inside["manifest.json"])
    assert manifest["rows"]["patients"] == 2 and manifest["patients"] == 2 and manifest["visits"] == "signed"
    assert manifest["cohort"]["in_words"] == "Every patient." and manifest["reason"] == "analysis"
    assert manifest["project"]["title"] == "Course of calcinosis" and manifest["smallest_group"]["size"] == 2
    assert manifest["software"]["version"]
    listed = {one["name"]: one["sha256"] for one in manifest["files"]}
    assert listed == {n: hashlib.sha256(d).hexdigest() for n, d in inside.items() if n != "manifest.json"}
    assert hashlib.sha256(path_of(made).read_bytes()).hexdigest() == made.sha256


def test_what_is_typed_and_not_saved_is_in_no_export(cohort, researcher, clinician, client_of, north):
    patient = patients(north, 1)[0]
    client = client_of(clinician)
    url = reverse("lesions:visit_new", args=[patient.public_id])
    client.post("/drafts/", sent_by(client.get(url)) | {"note": "Unsaved remark", "weight_kg": "61.7"})
    inside = b"".join(files(export(cohort, researcher)).values())
    draft = Draft.objects.get()
    for never in (b"Unsaved remark", b"61.7", draft.content.encode(), draft.public_id.encode(), b"draft"):
        assert never not in inside


def test_verify_files_reads_the_zips_too(cohort, researcher, settings, tmp_path, capsys):
    settings.FILES_DIR = tmp_path / "files"
    for name in ("sound", "changed", "gone"):
        path = path_of(export(cohort, researcher, reason=name))
        if name == "changed":
            path.write_bytes(path.read_bytes()[:-1] + b"x")
        if name == "gone":
            path.unlink()
    (settings.EXPORTS_DIR / "nobodys.zip").write_bytes(b"PK")
    with pytest.raises(CommandError, match="1 missing, 1 corrupt, 1 without a record"):
        call_command("verify_files")
    assert "orphan: exports/nobodys.zip" in capsys.readouterr().out
