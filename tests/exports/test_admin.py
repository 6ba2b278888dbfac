"""Projects, cohorts and the ledger as tables: read by whoever approves projects, of their own clinics only."""

from __future__ import annotations

import pytest

from tests.cohorts.register import cohort_of, patients, project_of
from tests.exports.made import export

pytestmark = pytest.mark.django_db
TABLES = (
    "cohorts/researchproject",
    "cohorts/projectclinic",
    "cohorts/projectmember",
    "cohorts/cohort",
    "exports/export",
    "exports/exportedpatient",
)


@pytest.mark.parametrize("table", TABLES)
def test_an_admin_reads_the_tables_of_the_own_clinics_projects(table, client_of, admin, researcher, cohort, north):
    patients(north, 1)
    export(cohort, researcher)
    browser = client_of(admin)
    page = browser.get(f"/admin/{table}/")
    assert page.status_code == 200 and "field-" in page.content.decode()
    assert browser.get(f"/admin/{table}/add/").status_code == 403


@pytest.mark.parametrize("table", TABLES)
def test_a_researcher_and_a_clinician_do_not(table, client_of, clinician, researcher, cohort):
    for person in (clinician, researcher):
        assert client_of(person).get(f"/admin/{table}/").status_code in (302, 403)


def test_projects_of_other_clinics_are_not_in_the_tables(client_of, admin, researcher, coordinator, south):
    project = project_of(researcher, coordinator, south, title="Southern")
    cohort_of(researcher, project)
    browser = client_of(admin)
    assert "Southern" not in browser.get("/admin/cohorts/researchproject/").content.decode()
    assert browser.get(f"/admin/cohorts/researchproject/{project.pk}/change/").status_code in (302, 404)
