"""A report's numbers are those of the CSV export of the same cohort, counted by hand here; protected for others."""

from __future__ import annotations

import csv
import datetime
import io
import os
import zipfile
from collections import Counter

import pytest
from django.utils import timezone

from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.exports.services import make_export, path_of
from calcinosis_registry.reports.building import chapters
from calcinosis_registry.reports.files import pdf_possible, size_of, standalone
from calcinosis_registry.reports.outline import TITLES
from tests.cohorts.register import EVERYONE, cohort_of, patients, project_of
from tests.factories import (
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def exports_dir(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"


def followed(clinic, *visits: dict[str, str], **values):
    """A patient with one lesion seen half-yearly; each dict holds the answers of one visit."""
    patient = PatientFactory(clinic=clinic, registered_on=datetime.date(2024, 1, 10), **values)
    lesion = LesionFactory(patient=patient, site="ELBOW", laterality="R", first_recorded=patient.registered_on)
    for number, answers in enumerate(visits):
        day = datetime.date(2024, 1, 10) + datetime.timedelta(days=182 * number)
        visit = VisitFactory(
            patient=patient, visit_date=day, visit_type="FOLLOW_UP" if number else "BASELINE", pain_nrs=number
        )
        seen = {
            "ulcerated": "N",
            "infection": "NONE",
            "drainage": "NONE",
            "status_change": "STABLE" if number else "NEW",
        }
        answers = answers | {"ulcer_not_measured": True} if answers.get("ulcerated") == "Y" else answers
        LesionObservationFactory(lesion=lesion, visit=visit, **(seen | answers))
        visit.state = "SIGNED"
        visit.save()
    return patient


@pytest.fixture
def register(north, researcher, coordinator):
    """Nine patients: three ulcerate between the second and third visit, one was ulcerated at once."""
    for _one in range(3):
        followed(north, {}, {}, {"ulcerated": "Y"}, {})
    for _one in range(5):
        followed(north, {}, {}, {}, {}, sex_at_birth="M")
    followed(north, {"ulcerated": "Y"}, {}, {})
    return cohort_of(researcher, project_of(researcher, coordinator, north))


def told(cohort, key, by=""):
    scope = Scope(None, exact=True, project=cohort.project)
    (chapter,) = chapters(definition=EVERYONE, scope=scope, keys=(key,), by=by)
    return {one.key: one for one in chapter.exhibits}


def export(cohort, researcher) -> dict[str, list[dict[str, str]]]:
    made = make_export(
        cohort=cohort, project=cohort.project, format="csv", reason="x", by=researcher, now=timezone.now()
    )
    with zipfile.ZipFile(path_of(made)) as archive:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()
            if name.endswith(".csv")
        }


def test_lesions_events_and_rates_are_those_of_the_export(register, researcher):
    files = export(register, researcher)
    whole = len({row["patient"] for row in files["lesions"]})
    ever = {row["patient"] for row in files["observations"] if row["ulcerated"] == "Y"}
    shown = told(register, "lesions")["sites"].sheet.rows
    assert shown == (("Right elbow", f"100.0 % ({whole}/{whole})", str(len(files["lesions"]))),)
    rows = {row[0]: row for row in told(register, "events")["prevalence"].sheet.rows}
    assert rows["Ulcer over a lesion"][3].endswith(f"({len(ever)}/{whole})")
    assert (len(ever), whole) == (4, 9)
    years_at_risk(register, files)
    found = told(register, "course")
    assert "8 lesions of 8 patients" in found["lesion-ulceration"].title
    assert any("cluster" in note for note in found["lesion-ulceration"].notes)
    assert any("6 months" in note for note in found["time-to-ulcer"].notes)


def years_at_risk(register, files) -> None:
    """First ulcers and the years until them, worked out from the rows of the export."""
    days: dict[str, list[tuple[datetime.date, bool]]] = {}
    dates = {(row["patient"], row["visit_no"]): row["visit_date"] for row in files["visits"]}
    for row in files["observations"]:
        day = datetime.date.fromisoformat(dates[row["patient"], row["visit_no"]])
        days.setdefault(row["patient"], []).append((day, row["ulcerated"] == "Y"))
    years = events = 0.0
    for seen in days.values():
        seen.sort()
        ulcer = next((place for place, (_day, flag) in enumerate(seen) if flag), None)
        if ulcer == 0:
            continue
        end = (
            seen[-1][0].toordinal()
            if ulcer is None
            else sum(day.toordinal() for day, _f in seen[ulcer - 1 : ulcer + 1]) / 2
        )
        years += (end - seen[0][0].toordinal()) / 365.25
        events += ulcer is not None
    (row,) = [row for row in told(register, "events")["incidence"].sheet.rows if row[0] == "Ulcer over a lesion"]
    assert row[:5] == ("Ulcer over a lesion", "8", "3", f"{years:.1f}", f"{100 * events / years:.1f}")
    curve = told(register, "course", by="patient.sex_at_birth")["time-to-ulcer"]
    assert [entry[:3] for entry in curve.sheet.rows] == [("Female", "3", "3"), ("Male", "5", "0")]
    assert "χ²" in curve.says and "182" not in curve.says


def test_courses_response_and_change_of_size_are_those_of_the_records(north, researcher, coordinator):
    patient = followed(
        north, *({"length_mm": size, "width_mm": size, "size_method": "CALIPER"} for size in (20, 20, 10, 10))
    )
    TreatmentCourseFactory(
        patient=patient, agent="DILTIAZEM", intent="CALCINOSIS", start="2024-07-20", stop="2025-06-01", ongoing="N",
        response="PARTIAL", reason_stopped="REMISSION",
    )  # fmt: skip
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    found = told(cohort, "treatments")
    assert found["response"].sheet.rows[0][:4] == ("Diltiazem", "1", "0", "1")
    assert found["waterfall"].sheet.rows == (("Diltiazem", "1", "1", "-75 %", "1", "0", "0"),)
    assert [row[3] for row in found["waterfall"].data.rows] == ["-75.0"]
    assert found["stopped"].sheet.rows == (("Remission", "100.0 % (1/1)"),)
    assert "Diltiazem" in found["swimmer"].picture


# ---- as the reader may see it


def test_outside_a_project_no_chapter_tells_a_small_count_or_a_single_person(client_of, researcher, north):
    for _one in range(3):
        followed(north, {}, {"ulcerated": "Y"}, {})
    for _one in range(10):
        followed(north, {}, {}, {})
    cohort = cohort_of(researcher)
    browser = client_of(researcher)
    for key in TITLES:
        page = browser.get(f"/reports/cohort/{cohort.public_id}/{key}/").content.decode()
        assert "Protected" in page
        for small in (">3<", "(3/", "3 events", "3 patients", ">13<", "of 13 "):
            assert small not in page, (key, small)
    treatments = browser.get(f"/reports/cohort/{cohort.public_id}/treatments/").content.decode()
    assert "fig-swimmer" not in treatments
    curve = browser.get(f"/reports/cohort/{cohort.public_id}/course/time-to-ulcer.csv")
    assert curve.status_code == 404  # three events: no curve, no data


@pytest.mark.long
def test_a_protected_curve_moves_only_in_steps_of_five_patients(north):
    for number in range(40):
        followed(north, {}, *([{"ulcerated": "Y"}] if number % 2 else [{}]), {}, {})
    (chapter,) = chapters(definition=EVERYONE, scope=Scope(None, exact=False), keys=("course",))
    rows = chapter.exhibit("time-to-ulcer").data.rows
    left = [round(40 * float(row[2]), 3) for row in rows]
    assert left[0] == 40 and left[-1] == 20 and all(number % 5 == 0 for number in left)
    assert left == sorted(left, reverse=True)


@pytest.mark.long
def test_a_change_in_the_register_is_seen_at_the_next_look(client_of, clinician, north):
    patients(north, 1)
    browser = client_of(clinician)
    address = f"/reports/clinic/{north.public_id}/table-1.csv"
    first = Counter(browser.get(address).content.decode().splitlines())
    followed(north, {}, {})
    assert Counter(browser.get(address).content.decode().splitlines()) != first


# ---- files


@pytest.mark.skipif(
    not pdf_possible() and not os.environ.get("REGISTRY_CI_STRICT"),
    reason="Pango is not installed (libpango-1.0-0 libpangoft2-1.0-0)",
)
def test_figures_are_pictures_and_the_report_a_pdf_that_loads_nothing_from_outside(client_of, researcher, register):
    browser, root = client_of(researcher), f"/reports/cohort/{register.public_id}"
    drawn = told(register, "course")["time-to-ulcer"]
    alone = standalone(drawn.picture, "A title & more", "North")
    assert "A title &amp; more" in alone and ">North<" in alone and size_of(alone)[0] >= 760
    picture = browser.get(f"{root}/course/time-to-ulcer.png")
    assert picture["Content-Type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    report = browser.get(f"{root}/report.pdf?by=patient.sex_at_birth")
    assert report.content.startswith(b"%PDF") and len(report.content) > 50_000
    view = browser.get(f"{root}/lesions/sites.front.svg")
    assert view.status_code == 200 and "Right elbow" in view.content.decode()
