"""The research of a demo register: one approved project and the cohort of everyone."""

from __future__ import annotations

import datetime

from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.cohorts.services import approve_project, request_project, save_cohort
from calcinosis_registry.demo.staff import Staff
from calcinosis_registry.demo.told import years

PROJECT, COHORT = "Demonstration project", "everyone"


def found_project(staff: Staff, *, until: datetime.date) -> None:
    """Ask for it as the researcher, approve it as the admin, keep the cohort."""
    with trail.together():
        project = request_project(
            title=PROJECT, purpose="To show how a cohort becomes a file.", ethics_reference="DEMO-1 (invented)",
            clinics=staff.clinics, members=[], valid_from=until - years(1), valid_until=until + years(5),
            by=staff.researcher,
        )  # fmt: skip
        approve_project(project=project, by=staff.admin, now=timezone.now())
        save_cohort(name=COHORT, definition={"join": "all", "conditions": []}, by=staff.researcher, project=project)
