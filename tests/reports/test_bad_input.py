"""Cohorts that a report can say little about: it says so in words and draws nothing false."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.jobs.services import ask, run_next
from calcinosis_registry.reports import grouping as groups
from calcinosis_registry.reports.building import chapters
from calcinosis_registry.reports.chapters.course import QUESTIONS, kaplan_meier
from calcinosis_registry.reports.histories import Times
from calcinosis_registry.reports.making import CHAPTERS, subject_of
from calcinosis_registry.reports.outline import CHARACTERISTICS, TITLES
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import Teller
from tests.cohorts.register import EVERYONE, cohort_of, patients, project_of
from tests.factories import (
    DiagnosisFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db
EXACT, PROTECTED = Scope(None, exact=True), Scope(None, exact=False)


def course(patient: Any, *answers: str) -> None:
    """A lesion of the patient seen at half-yearly signed visits: ulcerated Y, N or unanswered."""
    lesion = LesionFactory(patient=patient, first_recorded=datetime.date(2024, 1, 10))
    for number, answer in enumerate(answers):
        day = datetime.date(2024, 1, 10) + datetime.timedelta(days=182 * number)
        visit = VisitFactory(patient=patient, visit_date=day, visit_type="BASELINE" if not number else "FOLLOW_UP")
        status = "STABLE" if number else "NEW"
        LesionObservationFactory(
            lesion=lesion, visit=visit, ulcerated=answer, ulcer_not_measured=answer == "Y", status_change=status
        )
        visit.state = "SIGNED"
        visit.save()


def registered(clinic: Any, **values: Any) -> Any:
    return PatientFactory(clinic=clinic, registered_on=datetime.date(2024, 1, 10), **values)


def nobody(clinic: Any) -> None:
    """An empty cohort."""


def one(clinic: Any) -> None:
    course(registered(clinic), "N", "Y", "Y")


def all_censored(clinic: Any) -> None:
    for _one in range(9):
        course(registered(clinic), "N", "N", "N")


def all_missing(clinic: Any) -> None:
    for _one in range(9):
        patient = registered(clinic, smoking="")
        DiagnosisFactory(patient=patient, primary_ctd="SLE", ssc_subset="", ever_digital_ulcer="")
        course(patient, "", "", "")


def without_visits(clinic: Any) -> None:
    for _one in range(9):
        DiagnosisFactory(patient=registered(clinic))


CASES: dict[str, tuple[Callable[[Any], None], dict[str, str]]] = {
    # {exhibit: words it says instead of a picture}
    "empty cohort": (nobody, {
        "features": "Nobody in this report has a lesion", "sites": "No lesion is recorded for the 0 patients",
        "prevalence": "No lesion was observed", "time-to-ulcer": "Nobody was followed without the event",
        "lesion-resolution": "Nobody was followed", "exposure": "No treatment is recorded for the 0 patients",
        "pain-and-globals": "At no time are there answers of 5", "hand-score": "No patient has two complete readings",
        "adverse-events": "No adverse event is recorded",
    }),
    "one patient": (one, {"hand-score": "No patient has two", "pain-change": "No patient has two answers"}),
    "all censored": (all_censored, {"hand-score": "No patient has two complete readings"}),
    "all missing": (all_missing, {"ssc_xray_morphology": "is not answered for any of the 9 lesions"}),
    "without visits": (without_visits, {
        "sites": "No lesion is recorded for the 9 patients", "prevalence": "No lesion was observed",
        "time-to-new-lesion": "Nobody was followed", "change-since-first": "At no time",
    }),
}  # fmt: skip


LONG = ("without visits", "all censored")  # told by the shorter ones too


@pytest.mark.parametrize("case", [pytest.param(one, marks=pytest.mark.long if one in LONG else ()) for one in CASES])
def test_a_poor_cohort_is_told_in_words_and_nothing_false_is_drawn(case, north):
    make, words = CASES[case]
    make(north)
    for scope in (PROTECTED, EXACT):
        found = {
            exhibit.key: exhibit
            for chapter in chapters(definition=EVERYONE, scope=scope, keys=tuple(TITLES))
            for exhibit in chapter.exhibits
        }
        nothing_false(found)
    for key, text in words.items():
        assert text in found[key].nothing, (key, found[key].nothing)


def nothing_false(found: dict[str, Any]) -> None:
    for key, exhibit in found.items():
        assert exhibit.nothing or exhibit.drawings or exhibit.sheet, f"{key} says nothing at all"
        assert not (exhibit.nothing and exhibit.drawings), f"{key} draws what it says is not there"
        for _view, drawn in exhibit.drawings:
            assert "nan" not in drawn and "inf" not in drawn.replace("info", ""), key


def test_one_patient_has_no_interval_that_is_not_there(north):
    one(north)
    (chapter,) = chapters(definition=EVERYONE, scope=EXACT, keys=("events",))
    (row,) = [row for row in chapter.exhibit("incidence").sheet.rows if row[0].startswith("Ulcer")]
    assert row[1:3] == ("1", "1") and row[5].partition("–")[0] == "10.2"  # exact Poisson: 2.53 per 100 over 91 days


def test_a_few_days_without_an_event_are_no_rate_and_nobody_is_promised_to_stay_free(north):
    patient = registered(north)
    course(patient, "N", "N")
    (events,) = chapters(definition=EVERYONE, scope=EXACT, keys=("events",))
    (row,) = [row for row in events.exhibit("incidence").sheet.rows if row[0].startswith("Ulcer")]
    assert row[2] == "0" and float(row[3]) < 1 and row[4:] == ("–", "–")
    all_censored(north)
    (curves,) = chapters(definition=EVERYONE, scope=EXACT, keys=("course",))
    shown = [cell for row in curves.exhibit("time-to-ulcer").sheet.rows for cell in row]
    assert not any("100–100" in cell for cell in shown)


def test_of_all_censored_the_curve_stays_at_one_and_one_group_is_not_compared(north):
    all_censored(north)
    (chapter,) = chapters(definition=EVERYONE, scope=EXACT, keys=("course",), by="patient.sex_at_birth")
    told = chapter.exhibit("time-to-ulcer")
    assert [row[2:4] for row in told.sheet.rows] == [("0", "not reached")]
    assert {row[5] for row in told.data.rows} == {"1.000000"}
    assert [name for name, _size in chapter.groups] == ["Female"] and told.says == ""


def test_an_item_nobody_answered_makes_no_groups(north):
    all_missing(north)
    (chapter,) = chapters(definition=EVERYONE, scope=EXACT, keys=(CHARACTERISTICS,), by="patient.smoking")
    assert "is not answered for any of these patients" in chapter.refused and not chapter.groups


def test_500_groups_are_refused_in_words(north):
    for patient in patients(north, 2):
        course(patient, "N", "N")
    subject = subject_of(definition=EVERYONE, scope=EXACT)
    names = {f"C{number:03d}": f"Clinic {number}" for number in range(500)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(groups, "_values", lambda data, key: (list(names), names))
        refused = groups.grouping(subject.data, "clinic")
    assert "500 groups" in refused.refused and refused.names == ("All patients",) and not refused.grouped
    for key, chapter in CHAPTERS.items():
        assert chapter(Subject(subject.data, refused, Teller(EXACT))), key


def test_a_thousand_groups_of_one_are_told_without_a_crash():
    times = Times(np.arange(1.0, 9.0), np.ones(8, int), np.arange(8), np.full(8, np.nan), 0, 0)
    by = groups.Grouping("x", "x", tuple("abcdefgh"), np.arange(8))
    drawn = kaplan_meier(Subject(None, by, Teller(EXACT)), QUESTIONS[0], times)  # type: ignore[arg-type]
    assert len(drawn.sheet.rows) == 8 and "Log-rank" in drawn.says


def test_an_unknown_item_is_named_and_unknown_chapters_figures_and_kinds_are_404(client_of, clinician, north):
    patients(north, 1)
    browser, root = client_of(clinician), f"/reports/clinic/{north.public_id}"
    page = browser.get(f"{root}/course/?by=visit.pain_nrs%27%22%3Cb%3E")
    assert page.status_code == 200 and "cannot be grouped by" in page.content.decode()
    assert "<b>" not in page.content.decode()
    for path in ("nothing/", "course/nothing.svg", "course/time-to-ulcer.exe", "lesions/sites.nowhere.svg", "x/y.svg"):
        assert browser.get(f"{root}/{path}").status_code == 404, path


def test_a_cohort_that_asks_what_its_project_may_not_any_more_has_no_report(
    client_of, researcher, coordinator, north, settings
):
    patients(north, 2)
    project = project_of(researcher, coordinator, north)
    cohort = cohort_of(researcher, project, {"item": "patient.smoking", "operator": "is", "value": "NEVER"})
    browser, root = client_of(researcher), f"/reports/cohort/{cohort.public_id}/"
    assert browser.get(f"{root}events/").status_code == 200
    settings.REPORT_AT_ONCE = 1
    job = ask(kind="report", title="x", by=researcher, arguments={
        "of": "cohort", "public_id": cohort.public_id, "by": "", "language": ""})  # fmt: skip
    project.items = ["patient.sex_at_birth"]
    project.save()
    for path in ("", "table-1.csv", "events/", "events/incidence.svg", "report.pdf"):
        assert browser.get(root + path).status_code == 404, path
    assert browser.post(f"{root}make/").status_code == 404
    run_next()
    job.refresh_from_db()
    assert job.state == "failed" and "may not see this report" in job.problem


def test_a_clinic_without_patients_says_so(client_of, clinician, north):
    page = client_of(clinician).get(f"/reports/clinic/{north.public_id}/").content.decode()
    assert "No patient is registered at this clinic yet" in page and "No visit took place yet" in page
    assert "has no place among the others" in page and "No query is open" in page
