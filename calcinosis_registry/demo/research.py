"""The research of a demo register: one approved project and the cohort of everyone."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone

from calcinosis_registry.audit import trail
from calcinosis_registry.cohorts.services import approve_project, request_project, save_cohort
from calcinosis_registry.demo.staff import Staff
from calcinosis_registry.demo.told import years

PROJECT, COHORT = "Demonstration project", "everyone"


def _of(record: str, *tests: tuple[str, str, Any], **more: Any) -> dict[str, Any]:
    """A record condition: (item, operator, value) of the same record."""
    told = [{"item": f"{record}.{item}", "operator": operator, "value": value} for item, operator, value in tests]
    return {"record": record, "join": "all", "conditions": told, **more}


INFECTED = ["SUSPECTED", "CONFIRMED_CULTURE"]
SSC = _of("diagnosis", ("primary_ctd", "is", "SSC"))
HAND = ("site", "is", "HAND")
# What a researcher might ask of this register; the questions are examples, not findings.
COHORTS: dict[str, list[dict[str, Any]]] = {
    COHORT: [],
    "SSc, at least 2 lesions of the hand": [SSC, _of("lesion", HAND, times={"operator": "at least", "number": 2})],
    "An ulcer seen on a lesion of the hand": [
        _of("lesion", HAND)
        | {
            "conditions": [
                {"item": "lesion.site", "operator": "is", "value": "HAND"},
                _of("lesionobservation", ("ulcerated", "is", "Y")),
            ]
        }
    ],
    "Pain of 6 or more within a year of a first treatment": [
        _of(
            "visit", ("pain_nrs", "at least", 6),
            when={"relation": "after", "months": 12, "event": _of("treatmentcourse", which="first")},
        )
    ],
    "SSc, never an infected lesion": [
        SSC, {"join": "none", "conditions": [_of("lesionobservation", ("infection", "any of", INFECTED))]},
    ],
}  # fmt: skip


def found_project(staff: Staff, *, until: datetime.date) -> None:
    """Ask for it as the researcher, approve it as the admin, keep the cohort."""
    with trail.together():
        project = request_project(
            title=PROJECT, purpose="To show how a cohort becomes a file.", ethics_reference="DEMO-1 (invented)",
            clinics=staff.clinics, members=[], valid_from=until - years(1), valid_until=until + years(5),
            by=staff.researcher,
        )  # fmt: skip
        approve_project(project=project, by=staff.admin, now=timezone.now())
        for name, conditions in COHORTS.items():
            definition = {"version": 2, "join": "all", "conditions": conditions}
            save_cohort(name=name, definition=definition, by=staff.researcher, project=project)
