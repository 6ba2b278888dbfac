"""Clinic report and Table 1: the numbers, their denominators, who sees them how exactly."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile

import pytest
from django.utils import timezone

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.counts import count
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.scope import Scope, scope_of
from calcinosis_registry.exports.services import make_export, path_of
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.reports import figures
from calcinosis_registry.reports.frame import frame
from calcinosis_registry.reports.references import references
from calcinosis_registry.reports.statistics.comparison import quartiles
from calcinosis_registry.reports.summaries import table_one
from calcinosis_registry.reports.variables import VARIABLES
from tests.cohorts.register import EVERYONE, cohort_of, patients, project_of
from tests.factories import (
    DiagnosisFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    SummaryFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def exports_dir(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"


def lines(browser, cohort) -> dict[tuple[str, str], dict[str, str]]:
    text = browser.get(f"/reports/cohort/{cohort.public_id}/table-1.csv").content.decode()
    return {(row["variable"], row["part"]): row for row in csv.DictReader(io.StringIO(text))}


def summary_of(name):
    everything = Scope(None, exact=True)
    found = table_one(frame(build(definition=EVERYONE, scope=everything)))
    return next(one.whole for one in found if one.whole.variable.name == name)


# ---- Table 1


def test_table_one_counts_what_the_export_of_the_same_cohort_holds(client_of, researcher, coordinator, north):
    patients(north, 9)
    patients(north, 3, sex_at_birth="M", birth_date=PartialDate(1950, 5, 5))
    patients(north, 2, research_consent=False)
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    made = make_export(
        cohort=cohort, project=cohort.project, format="csv", reason="x", by=researcher, now=timezone.now()
    )
    with zipfile.ZipFile(path_of(made)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("patients.csv").decode())))
    table = lines(client_of(researcher), cohort)
    for code, label in (("F", "Female"), ("M", "Male")):
        assert int(table["sex_at_birth", label]["n"]) == len([row for row in rows if row["sex_at_birth"] == code])
    ages = [float(row["age_at_registration"]) for row in rows]
    low, middle, high = quartiles(ages)
    assert table["age", ""]["median_iqr"] == f"{middle:.1f} [{low:.1f}–{high:.1f}]"
    assert table["age", ""]["answered"] == str(len(rows)) == "12"


def test_missing_and_not_asked_are_not_in_the_denominator(north):
    for answer in ("Y", "N", "U", ""):
        DiagnosisFactory(patient=PatientFactory(clinic=north), ever_digital_ulcer=answer)
    DiagnosisFactory(patient=PatientFactory(clinic=north), primary_ctd="SLE", ssc_subset="")
    ulcer, subset = summary_of("digital_ulcer"), summary_of("ssc_subset")
    assert (ulcer.parts[0].count, ulcer.answered, ulcer.missing) == (1, 2, 3)
    assert (subset.answered, subset.missing) == (4, 0)


def test_sites_are_counted_per_patient_and_inside_their_region(north):
    one, other = PatientFactory(clinic=north), PatientFactory(clinic=north)
    PatientFactory(clinic=north)  # without a lesion: not asked
    for site in ("HAND.D1.PULP", "HAND.D1", "ELBOW"):
        LesionFactory(patient=one, site=site)
    LesionFactory(patient=other, site="KNEE")
    hands, thumb = summary_of("hands"), summary_of("thumb")
    assert (hands.parts[0].count, hands.answered) == (1, 2)
    assert (thumb.parts[0].count, thumb.answered) == (1, 1)


def test_a_feature_counts_once_a_patient_ever_had_it(north):
    patient = PatientFactory(clinic=north)
    lesion = LesionFactory(patient=patient)
    for day, drainage in ((2, "NONE"), (3, "CHALKY")):
        visit = VisitFactory(patient=patient, visit_date=datetime.date(2026, 2, day))
        LesionObservationFactory(lesion=lesion, visit=visit, drainage=drainage, infection="NONE", ulcerated="U")
        visit.state = "SIGNED"
        visit.save()
    assert summary_of("extrusion").parts[0].count == 1
    assert (summary_of("infection").parts[0].count, summary_of("infection").answered) == (0, 1)
    assert (summary_of("ulcer").answered, summary_of("ulcer").missing) == (0, 1)


def test_durations_use_the_middle_of_partial_dates(north):
    DiagnosisFactory(
        patient=PatientFactory(clinic=north, registered_on=datetime.date(2026, 1, 1)),
        first_non_raynaud=PartialDate(2010, 1, 1), first_calcinosis=PartialDate(2015, 1, 1),
    )  # fmt: skip
    assert summary_of("onset").quartiles[1] == pytest.approx(5, abs=0.01)
    assert summary_of("duration").quartiles[1] == pytest.approx(16, abs=0.01)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([4.0], (4, 4, 4)), ([1.0, 2.0, 3.0, 4.0], (1.75, 2.5, 3.25)), ([1.0, 2.0, 3.0], (1.5, 2, 2.5))],
)
def test_quartiles_are_those_of_r_type_7(values, expected):
    assert quartiles(values) == (pytest.approx(expected) if expected else None)


def test_outside_a_project_small_cells_are_hidden_and_others_rounded(client_of, researcher, north):
    patients(north, 12)
    patients(north, 3, sex_at_birth="M")
    browser, cohort = client_of(researcher), cohort_of(researcher)
    table = lines(browser, cohort)
    female, male = table["sex_at_birth", "Female"], table["sex_at_birth", "Male"]
    assert (female["n"], female["percent"]) in (("10", "67"), ("15", "100")) and female["answered"] == "15"
    assert (male["n"], male["percent"]) == ("<10", "")
    women = {"join": "all", "conditions": [{"item": "patient.sex_at_birth", "operator": "is", "value": "F"}]}
    assert count(women, scope_of(researcher)).short == female["n"]  # asked in two ways, one answer
    page = browser.get(f"/reports/cohort/{cohort.public_id}/").content.decode()
    assert "Protected" in page and ">12 (" not in page and ">3 (" not in page


def test_a_very_small_protected_cohort_shows_no_median(client_of, researcher, north):
    patients(north, 3)
    assert lines(client_of(researcher), cohort_of(researcher))["age", ""]["median_iqr"] == ""


def test_published_values_stand_beside_with_denominator_and_source(client_of, researcher):
    page = client_of(researcher).get(f"/reports/cohort/{cohort_of(researcher).public_id}/").content.decode()
    assert "70%: hands; denominator: 215 patients with calcinosis" in page and "[S3]" in page
    assert "24.7" not in page  # prevalence among all SSc: not to be compared with


def test_every_published_value_named_is_within_calcinosis():
    named = {one for variable in VARIABLES for one in variable.references}
    named |= {one for variable in VARIABLES for ids in variable.of_parts.values() for one in ids}
    assert named <= set(references())


def test_somebody_elses_cohort_has_no_report(client_of, researcher, clinician):
    cohort = cohort_of(clinician)
    for path in (
        "",
        "table-1.csv",
        "characteristics/features.svg",
        "course/",
        "course/time-to-ulcer.csv",
        "report.pdf",
    ):
        assert client_of(researcher).get(f"/reports/cohort/{cohort.public_id}/{path}").status_code == 404


def test_the_figure_downloads_as_svg_with_title_and_description(client_of, researcher, coordinator, north):
    for patient in patients(north, 2):
        LesionFactory(patient=patient)
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    answer = client_of(researcher).get(f"/reports/cohort/{cohort.public_id}/characteristics/features.svg")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("image/svg+xml") and "<title>" in text and "<desc>" in text
    assert scope_of(researcher, cohort.project).exact


def test_words_in_a_figure_are_escaped():
    drawn = figures.bars("<t>", "d & d", [figures.Bar("<script>", 0.5, "1 < 2")])
    assert "<script>" not in drawn and "&lt;script&gt;" in drawn and "style=" not in drawn


# ---- the clinic's own report


def test_the_clinic_report_counts_all_its_patients_exactly(client_of, clinician, north, south):
    today = timezone.localdate()
    due = patients(north, 1)[0]
    late = patients(north, 1, research_consent=False)[0]
    patients(south, 5)
    SummaryFactory(patient=due, next_due_on=today, last_visit_on=today - datetime.timedelta(days=90))
    SummaryFactory(
        patient=late, next_due_on=today - datetime.timedelta(days=60), last_visit_on=today - datetime.timedelta(days=90)
    )
    DataQuery.objects.bulk_create(
        [DataQuery(clinic=north, patient=due.registry_number, model="patients.visit", object_id=1, message="Is it?",
                   opened_at=timezone.now() - datetime.timedelta(days=12))]
    )  # fmt: skip
    browser = client_of(clinician)
    page = browser.get(f"/reports/clinic/{north.public_id}/").content.decode()
    assert "2 patients, 2 visits" in page
    text = browser.get(f"/reports/clinic/{north.public_id}/numbers.csv").content.decode()
    rows = {(row["measure"], row["part"]): row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["due", ""]["count"], rows["overdue", ""]["count"], rows["lost", ""]["count"]) == ("1", "1", "0")
    assert rows["open queries", ""]["count"] == "1" and ">12<" in page
    assert rows["enrolment", f"{today:%Y-%m}"]["count"] == "2"


def test_completeness_is_answered_of_asked_and_not_done_answers(client_of, clinician, north):
    patient = PatientFactory(clinic=north)
    VisitFactory(patient=patient, pain_not_done=True, calcinosis_present="Y")
    VisitFactory(patient=patient, visit_date=datetime.date(2026, 6, 1))
    VisitFactory(patient=patient, visit_date=datetime.date(2026, 7, 1), state="MISSED", missed_reason="ill")
    text = client_of(clinician).get(f"/reports/clinic/{north.public_id}/numbers.csv").content.decode()
    rows = {row["part"]: row for row in csv.DictReader(io.StringIO(text)) if row["measure"] == "completeness"}
    pain = next(row for part, row in rows.items() if part.startswith("Pain from calcinosis"))
    assert (pain["count"], pain["denominator"]) == ("1", "2")
    assert (rows["Calcinosis present now"]["count"], rows["Visit date"]["count"]) == ("1", "2")


@pytest.mark.parametrize("role", ["researcher", "admin"])
def test_no_clinic_report_without_the_role(role, request, client_of, north):
    assert client_of(request.getfixturevalue(role)).get(f"/reports/clinic/{north.public_id}/").status_code == 403


def test_another_clinics_report_is_404(client_of, clinician, south):
    browser = client_of(clinician)
    for path in ("", "numbers.csv", "keeping/enrolment.svg", "lesions/", "report.pdf"):
        assert browser.get(f"/reports/clinic/{south.public_id}/{path}").status_code == 404


def test_the_figures_of_a_clinic_download_and_others_do_not_exist(client_of, monitor, north):
    patients(north, 1)
    browser = client_of(monitor)
    assert browser.get(f"/reports/clinic/{north.public_id}/keeping/completeness.svg").status_code == 200
    assert browser.get(f"/reports/clinic/{north.public_id}/keeping/nothing.svg").status_code == 404


def test_the_index_offers_what_the_person_may_open(client_of, clinician, researcher, admin, north):
    assert north.name in client_of(clinician).get("/reports/").content.decode()
    assert north.public_id not in client_of(researcher).get("/reports/").content.decode()
    assert client_of(admin).get("/reports/").status_code == 403
