"""Table 1, sites, events, curves and treatments, of a cohort and of a clinic: worked out here from the CSV export."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from calcinosis_registry.exports.services import make_export, path_of
from tests.cohorts.register import cohort_of, patients, project_of
from tests.factories import LesionFactory, TreatmentCourseFactory
from tests.reports.test_same_rows import followed

pytestmark = pytest.mark.django_db
Rows = list[dict[str, str]]
Files = dict[str, Rows]


@pytest.fixture
def both(client_of, researcher, coordinator, clinician, north, south, settings, tmp_path) -> Iterator[Any]:
    """(reader, address, the tables of the export): a cohort of a project of one clinic, and that clinic's own report.

    Somebody of another clinic and somebody who did not consent are in neither.
    """
    settings.EXPORTS_DIR = tmp_path / "exports"
    found = [followed(north, {}, {"drainage": "CHALKY"}, {"ulcerated": "Y"}, {}) for _one in range(2)]
    found += [followed(north, {}, {"ulcerated": "Y"}, {}, sex_at_birth="M"), followed(north, {"ulcerated": "Y"}, {})]
    found += [followed(north, {}, {}, {}, {}) for _one in range(2)]
    followed(north, {}, {"ulcerated": "Y"}, research_consent=False)
    patients(south, 1)
    LesionFactory(patient=found[0], site="KNEE", laterality="L")
    LesionFactory(patient=found[0], site="KNEE", laterality="R")
    LesionFactory(patient=found[3], site="KNEE", laterality="L")
    for patient, agent, answer in ((0, "DILTIAZEM", "PARTIAL"), (1, "DILTIAZEM", "NONE"), (1, "COLCHICINE", "NONE")):
        TreatmentCourseFactory(patient=found[patient], agent=agent, intent="CALCINOSIS", start="2024-07-20",
                               stop="2025-06-01", ongoing="N", response=answer)  # fmt: skip
    cohort = cohort_of(researcher, project_of(researcher, coordinator, north))
    made = make_export(cohort=cohort, project=cohort.project, format="csv", reason="x", by=researcher,
                       now=timezone.now())  # fmt: skip
    with zipfile.ZipFile(path_of(made)) as archive:
        files = {
            name.removesuffix(".csv"): _rows(archive.read(name).decode("utf-8-sig"))
            for name in archive.namelist()
            if name.endswith(".csv")
        }
    return [
        (client_of(researcher), f"/reports/cohort/{cohort.public_id}/", files),
        (client_of(clinician), f"/reports/clinic/{north.public_id}/", files),
    ]


def _rows(text: str) -> Rows:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_numbers_of_a_cohort_and_of_a_clinic_are_those_of_the_export(both):
    for browser, root, files in both:
        assert len(files["patients"]) == 6

        def told(path: str, browser: Any = browser, root: str = root) -> Rows:
            return _rows(browser.get(f"{root}{path}").content.decode())

        table_one(told("table-1.csv"), files)
        sites(told("lesions/sites.csv"), files)
        events(told("events/prevalence.csv"), told("events/incidence.csv"), files)
        curve(told("course/time-to-ulcer.csv"), files)
        treatments(told("treatments/exposure.csv"), told("treatments/response.csv"), files)


def table_one(table: Rows, files: Files) -> None:
    found = {(row["variable"], row["part"]): row for row in table}
    sexes = Counter(row["sex_at_birth"] for row in files["patients"])
    assert sexes == {"F": 5, "M": 1}
    for code, label in (("F", "Female"), ("M", "Male")):
        assert found["sex_at_birth", label]["n"] == str(sexes[code])
    ever = {row["patient"] for row in files["observations"] if row["ulcerated"] == "Y"}
    assert found["ulcer", ""]["n"] == str(len(ever)) == "4"
    assert found["lesions", ""]["answered"] == str(len(files["patients"]))


def sites(table: Rows, files: Files) -> None:
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    lesions: Counter[tuple[str, str]] = Counter()
    for row in files["lesions"]:
        people[row["site"], row["laterality"]].add(row["patient"])
        lesions[row["site"], row["laterality"]] += 1
    whole = len({row["patient"] for row in files["lesions"]})
    expected = sorted((f"({len(some)}/{whole})", str(lesions[place])) for place, some in people.items())
    assert sorted((row["Patients"].split(" % ")[1], row["Lesions"]) for row in table) == expected
    assert len(expected) == 3


def events(prevalence: Rows, incidence: Rows, files: Files) -> None:
    asked = {row["patient"] for row in files["observations"]}
    ever = {row["patient"] for row in files["observations"] if row["drainage"] == "CHALKY"}
    (row,) = [row for row in prevalence if row["Event"].startswith("Extrusion")]
    assert row["Ever"].endswith(f"({len(ever)}/{len(asked)})") and len(ever) == 2
    times = first_ulcers(files)
    years, seen = sum(time for time, _event in times), sum(event for _time, event in times)
    (row,) = [row for row in incidence if row["Event"].startswith("Ulcer")]
    assert (row["Patients"], row["Events"], row["Years"]) == (str(len(times)), str(seen), f"{years:.1f}")
    assert row["Per 100 years"] == f"{100 * seen / years:.1f}" and (len(times), seen) == (5, 3)


def first_ulcers(files: Files) -> list[tuple[float, int]]:
    """Years from registration to the middle of the interval with the first ulcer, or to the last visit."""
    dates = {(row["patient"], row["visit_no"]): row["visit_date"] for row in files["visits"]}
    start = {row["patient"]: datetime.date.fromisoformat(row["registered_on"]) for row in files["patients"]}
    seen: dict[str, list[tuple[datetime.date, bool]]] = defaultdict(list)
    for row in files["observations"]:
        day = datetime.date.fromisoformat(dates[row["patient"], row["visit_no"]])
        seen[row["patient"]].append((day, row["ulcerated"] == "Y"))
    found = []
    for patient, looks in seen.items():
        looks.sort()
        place = next((place for place, (_day, flag) in enumerate(looks) if flag), None)
        if place == 0:
            continue
        ends = [looks[-1][0]] if place is None else [day for day, _flag in looks[place - 1 : place + 1]]
        end = sum(day.toordinal() for day in ends) / len(ends)
        found.append(((end - start[patient].toordinal()) / 365.25, int(place is not None)))
    return found


def curve(table: Rows, files: Files) -> None:
    """Kaplan–Meier by hand: at each time the share of those still followed who do not have the event now."""
    times, free, expected = first_ulcers(files), 1.0, []
    for moment in sorted({time for time, _event in times}):
        followed = sum(1 for time, _event in times if time >= moment)
        now = sum(event for time, event in times if time == moment)
        free *= 1 - now / followed
        expected.append((f"{moment:.4f}", str(followed), str(now), f"{free:.6f}"))
    assert [(row["years"], row["at_risk"], row["events"], row["free"]) for row in table] == expected
    assert len(expected) > 2


def treatments(exposure: Rows, response: Rows, files: Files) -> None:
    courses = [row for row in files["treatments"] if row["intent"] == "CALCINOSIS"]
    people = {
        agent: {row["patient"] for row in courses if row["agent"] == agent} for agent in ("DILTIAZEM", "COLCHICINE")
    }
    for row in exposure:
        agent = row["Drug"].upper()
        assert re.search(r"\((\d+)/(\d+)\)", row["Patients"]).groups() == (str(len(people[agent])), "6")  # type: ignore[union-attr]
        assert row["Courses"] == str(sum(1 for one in courses if one["agent"] == agent))
    assert {row["Drug"] for row in exposure} == {"Diltiazem", "Colchicine"}
    for row in response:
        mine = Counter(one["response"] for one in courses if one["agent"] == row["Drug"].upper())
        assert (row["Judged"], row["Partial"], row["None"]) == tuple(
            str(number) for number in (mine.total(), mine["PARTIAL"], mine["NONE"])
        )
