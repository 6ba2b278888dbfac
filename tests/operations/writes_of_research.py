"""Valid requests: projects, cohorts, exports, jobs."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.cohorts.models import Cohort, ProjectMember
from calcinosis_registry.cohorts.snapshot.building import fresh
from calcinosis_registry.exports.services import path_of
from tests.house_rules.cast import Cast
from tests.operations.write import Write, own


def project(cast: Cast) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "title": "Two", "purpose": "x", "ethics_reference": "y", "clinics": [cast.rows["clinic"].pk], "members": "",
        "valid_from": today, "valid_until": today + datetime.timedelta(days=9),
    }  # fmt: skip


def unapproved(cast: Cast) -> None:
    asked = type(cast.rows["project"]).objects.get(pk=cast.rows["project"].pk)
    asked.approved_by = asked.approved_at = None
    asked.save()


def an_export_file(cast: Cast) -> None:
    path = path_of(cast.rows["export"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"zip")


def with_a_colleague(cast: Cast) -> None:
    """Somebody else of the project, to share with."""
    ProjectMember.objects.create(project=cast.rows["project"], user=cast.near[Membership].user)


def seen_by(cast: Cast) -> dict[str, Any]:
    return {"who": "all", "people": [cast.near[Membership].user_id]}


def a_reader(cast: Cast) -> int:
    """Somebody of the clinic who reads its reports."""
    return cast.rows["clinic"].memberships.filter(role="clinician", user__is_active=True)[0].user_id


def with_a_snapshot(cast: Cast) -> None:
    """A real question, and the rows it is answered from: set past the trail, so that they serve every try."""
    women = {"item": "patient.sex_at_birth", "operator": "is", "value": "F"}
    asked = {"join": "all", "conditions": [women]}
    QuerySet(Cohort).filter(pk=cast.rows["cohort"].pk).update(definition=asked)
    fresh()


def a_colleague(cast: Cast) -> dict[str, Any]:
    return {"email": own(cast).email, "until": "", "because": "joined the study"}


SEX = {"item-0": "patient.sex_at_birth", "operator-0": "is", "value-0": ["F"], "rows": "1", "join": "all"}

RESEARCH: dict[str, Write] = {
    "reports:schedule": Write("clin", lambda cast: {"people": [a_reader(cast)], "day": "3"}),
    "cohorts:new": Write("member", lambda cast: SEX | {"action": "save", "name": "Women"}),
    "cohorts:edit": Write("member", lambda cast: SEX | {"action": "save", "name": "Women"}),
    "cohorts:new_project": Write("rsch", project),
    "cohorts:approve": Write("coord", lambda cast: {}, before=unapproved),
    "cohorts:refuse": Write("coord", lambda cast: {"because": "the question is another one"}, before=unapproved),
    "cohorts:members": Write("coord", a_colleague),
    "cohorts:end": Write("coord", lambda cast: {"because": "the study is over"}),
    "exports:new": Write("member", lambda cast: {"format": "csv", "profile": "coded", "reason": "Table 1"}),
    "exports:download": Write("member", lambda cast: {}, before=an_export_file),
    "cohorts:copy": Write("member", lambda cast: {}),
    "cohorts:share": Write("member", seen_by, before=with_a_colleague),
    "cohorts:freeze": Write("member", lambda cast: {"label": "As sent to the journal"}, before=with_a_snapshot),
    "jobs:cancel": Write("member", lambda cast: {}),
}
