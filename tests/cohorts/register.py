"""A small register for cohorts, exports and reports: who is in it, and a project that opens its north."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.cohorts.services import approve_project, request_project, save_cohort
from tests.factories import DiagnosisFactory, PatientFactory, VisitFactory

EVERYONE: dict[str, Any] = {"join": "all", "conditions": []}


def project_of(
    researcher: User, approver: User, *clinics: Clinic, title: str = "Course of calcinosis"
) -> ResearchProject:
    """An approved project in force, with the researcher as its member."""
    today = timezone.localdate()
    project = request_project(
        title=title, purpose="How lesions change", ethics_reference="EK 12/2026", clinics=clinics, members=[],
        valid_from=today, valid_until=today + datetime.timedelta(days=365), by=researcher,
    )  # fmt: skip
    return approve_project(project=project, by=approver, now=timezone.now())


def cohort_of(researcher: User, project: ResearchProject | None = None, *conditions: dict[str, Any]) -> Cohort:
    definition = {"join": "all", "conditions": list(conditions)}
    return save_cohort(name="everyone", definition=definition, by=researcher, project=project)


def patients(clinic: Clinic, number: int, **values: Any) -> list[Any]:
    """Consented patients with a diagnosis and one signed visit each."""
    found = []
    for _one in range(number):
        patient = PatientFactory(clinic=clinic, **values)
        DiagnosisFactory(patient=patient)
        VisitFactory(patient=patient, state="SIGNED", pain_nrs=4)
        found.append(patient)
    return found
