"""The anonymous profile: nobody stands out, or nothing is made; years only, other pseudonyms."""

from __future__ import annotations

import datetime
import json

import pytest

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.scope import scope_of
from calcinosis_registry.exports.models import ExportedPatient
from calcinosis_registry.exports.services import ExportRefused, exports_of
from calcinosis_registry.exports.writers import FORMATS
from tests.cohorts.register import EVERYONE, patients
from tests.exports.formats.given import about
from tests.exports.made import export, files, table
from tests.factories import PatientFactory, VisitFactory

pytestmark = pytest.mark.django_db


def of_ages(clinic, *years, **values):
    return [PatientFactory(clinic=clinic, birth_date=PartialDate(one, 6, 1), **values) for one in years]


def test_dates_are_years_and_pseudonyms_are_not_the_coded_ones(cohort, researcher, north):
    same = patients(north, 12, sex_at_birth="F", birth_date=PartialDate(1960, 5, 5))
    VisitFactory(patient=same[0], state="SIGNED", visit_date=datetime.date(2025, 1, 2), note="typed")
    made = export(cohort, researcher, profile="anonymous")
    inside = files(made)
    rows = table(made, "visits")
    assert (
        {"2025"} <= {row["visit_date_year"] for row in rows} and "visit_date" not in rows[0] and "note" not in rows[0]
    )
    assert b"2025-01" not in b"".join(inside[name] for name in inside if name != "manifest.json")
    names = {row["patient"] for row in table(made, "patients")}
    coded = {row["patient"] for row in table(export(cohort, researcher), "patients")}
    assert len(names) == 12 and not names & coded
    manifest = json.loads(inside["manifest.json"])
    assert manifest["smallest_group"]["size"] == 12 and "sex_at_birth" in manifest["smallest_group"]["by"]
    assert set(ExportedPatient.objects.filter(export=made).values_list("pseudonym", flat=True)) == coded
    assert made in exports_of(same[0])


def test_ages_are_made_coarser_until_eleven_are_alike(cohort, researcher, north):
    of_ages(north, *(1960, 1961) * 6, sex_at_birth="F")
    made = export(cohort, researcher, profile="anonymous")
    manifest = json.loads(files(made)["manifest.json"])
    assert manifest["smallest_group"]["size"] >= 11 and "groups of" in manifest["coarseness"]
    assert len({row["age_at_registration"] for row in table(made, "patients")}) == 1
    assert "age_at_registration_90_plus" not in table(made, "patients")[0]


def test_who_stands_out_is_named_by_combination_and_nothing_is_made(cohort, researcher, north):
    of_ages(north, *[1960] * 12, sex_at_birth="F")
    of_ages(north, 1931, 1970, sex_at_birth="M")
    with pytest.raises(ExportRefused, match="sex at birth Male: 2"):
        export(cohort, researcher, profile="anonymous")


def test_text_is_never_anonymous(cohort, researcher, north):
    with pytest.raises(ExportRefused, match="never anonymous"):
        export(cohort, researcher, profile="anonymous", include_text=True)


def test_every_format_gives_years_and_says_so(cohort, researcher, north, tmp_path):
    same = patients(north, 12, sex_at_birth="F", birth_date=PartialDate(1960, 5, 5))
    VisitFactory(patient=same[0], state="SIGNED", visit_date=datetime.date(2025, 1, 2))
    made = build(definition=EVERYONE, scope=scope_of(researcher, cohort.project), anonymous=True)
    for name, format in FORMATS.items():
        folder = tmp_path / name
        folder.mkdir()
        counts = format.write(folder, made, about() | {"profile": "anonymous"})
        assert counts["patients"] == 12
        readme = (folder / "README.txt").read_text(encoding="utf-8")
        content = b"".join(one.read_bytes() for one in folder.iterdir())
        assert "Dates are given as years." in readme and "shifted" not in readme
        assert b"2025-01-02" not in content and b"dates-shifted" not in content
    encounters = [json.loads(line) for line in (tmp_path / "fhir" / "Encounter.ndjson").read_text().splitlines()]
    assert {"start": "2025", "end": "2025"} in [one["period"] for one in encounters]
    assert {one["meta"]["security"][0]["code"] for one in encounters} == {"ANONYED"}
