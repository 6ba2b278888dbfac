"""Projects and cohorts: request, approve, end; save a question under a name. Keyword-only verbs."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import parse
from calcinosis_registry.cohorts.models import Cohort, ProjectClinic, ProjectMember, ResearchProject


def request_project(
    *, title: str, purpose: str, ethics_reference: str, clinics: Iterable[Clinic], members: Iterable[User],
    valid_from: datetime.date, valid_until: datetime.date, by: User,
) -> ResearchProject:  # fmt: skip
    """Ask for a project; nothing leaves before it is approved. Who asks is a member. Raises ValidationError."""
    clinics = list(clinics)
    if not clinics:
        raise ValidationError({"clinics": _("Choose at least one clinic.")})
    project = ResearchProject(
        title=title, purpose=purpose, ethics_reference=ethics_reference, valid_from=valid_from, valid_until=valid_until,
        requested_by=by,
    )  # fmt: skip
    project.full_clean()
    with trail.together():
        project.save()
        ProjectClinic.objects.bulk_create([ProjectClinic(project=project, clinic=clinic) for clinic in clinics])
        people = {person.pk: person for person in [by, *members]}
        ProjectMember.objects.bulk_create([ProjectMember(project=project, user=one) for one in people.values()])
    return project


def governs_project(user: User, project: ResearchProject) -> bool:
    """May this person approve or end it: they answer for every clinic it asks for."""
    held = grants(user).get(Permission.APPROVE_PROJECTS, set())
    asked = set(ProjectClinic.objects.filter(project=project).values_list("clinic_id", flat=True))
    return None in held or (bool(asked) and asked <= held)


def approve_project(*, project: ResearchProject, by: User, now: datetime.datetime) -> ResearchProject:
    """Raises PermissionDenied unless ``by`` answers for every clinic; ValidationError for one's own or an old one."""
    if not governs_project(by, project):
        raise PermissionDenied
    if project.requested_by_id == by.pk:
        raise ValidationError(_("Somebody else must approve what you asked for."))
    if project.approved_at is not None or project.state == "over":
        raise ValidationError(_("This project is approved already, or over."))
    project.approved_by, project.approved_at = by, now
    project.save()
    return project


def end_project(*, project: ResearchProject, by: User, now: datetime.datetime) -> ResearchProject:
    """From today on nothing more leaves in its name. Raises PermissionDenied."""
    if not governs_project(by, project):
        raise PermissionDenied
    yesterday = timezone.localdate(now) - datetime.timedelta(days=1)
    project.valid_from = min(project.valid_from, yesterday)
    project.valid_until = yesterday
    project.save()
    return project


def save_cohort(
    *,
    name: str,
    definition: dict[str, Any],
    by: User,
    project: ResearchProject | None = None,
    cohort: Cohort | None = None,
) -> Cohort:
    """Keep a question: new, or over ``cohort``. Raises DefinitionError, ValidationError, PermissionDenied."""
    parse(definition)
    if cohort is not None and cohort.owner_id != by.pk:
        raise PermissionDenied
    if project is not None and not ProjectMember.objects.filter(project=project, user=by).exists():
        raise PermissionDenied
    cohort = cohort or Cohort(owner=by)
    cohort.name, cohort.project = name, project
    cohort.definition = {"join": definition.get("join", "all"), "conditions": definition.get("conditions", [])}
    cohort.full_clean(exclude=["definition"])
    cohort.save()
    return cohort
