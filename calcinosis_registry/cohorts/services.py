"""Projects and cohorts: request, approve, end; save a question under a name. Keyword-only verbs."""

from __future__ import annotations

import datetime
import itertools
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
from calcinosis_registry.cohorts.columns import scope_items
from calcinosis_registry.cohorts.models import Cohort, CohortShare, ProjectClinic, ProjectMember, ResearchProject


def request_project(
    *, title: str, purpose: str, ethics_reference: str, clinics: Iterable[Clinic], members: Iterable[User],
    valid_from: datetime.date, valid_until: datetime.date, by: User, items: Iterable[str] | None = None,
    images: bool = False,
) -> ResearchProject:  # fmt: skip
    """Ask for a project; nothing leaves before it is approved. Who asks is a member. Raises ValidationError.

    ``items``: the keys it needs (columns.scope_items); None for every item. ``images``: the pictures of studies too.
    """
    clinics = list(clinics)
    if not clinics:
        raise ValidationError({"clinics": _("Choose at least one clinic.")})
    wanted = None if items is None else _known_items(items)
    project = ResearchProject(
        title=title, purpose=purpose, ethics_reference=ethics_reference, valid_from=valid_from, valid_until=valid_until,
        requested_by=by, items=wanted, images=images,
    )  # fmt: skip
    project.full_clean()
    with trail.together():
        project.save()
        ProjectClinic.objects.bulk_create([ProjectClinic(project=project, clinic=clinic) for clinic in clinics])
        people = {person.pk: person for person in [by, *members]}
        ProjectMember.objects.bulk_create([ProjectMember(project=project, user=one) for one in people.values()])
    return project


def _known_items(items: Iterable[str]) -> list[str]:
    """The keys in the order of the codebook. Raises ValidationError naming what is no item."""
    given = set(items)
    known = [key for record in scope_items().values() for key in record]
    if unknown := sorted(given.difference(known)):
        names = ", ".join(unknown[:5])
        raise ValidationError({"items": _("Not among the items of the codebook: %(names)s.") % {"names": names}})
    if not given:
        raise ValidationError({"items": _("Choose at least one item.")})
    return [key for key in known if key in given]


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
    if project.state != "requested":
        raise ValidationError(_("Only a project that waits is approved; this one is decided already, or over."))
    project.approved_by, project.approved_at = by, now
    project.save()
    return project


def refuse_project(*, project: ResearchProject, because: str, by: User, now: datetime.datetime) -> ResearchProject:
    """Say no, and why. Raises PermissionDenied; ValidationError without a reason or where it is decided already."""
    if not governs_project(by, project):
        raise PermissionDenied
    if project.state != "requested":
        raise ValidationError(_("Only a project that waits is refused; this one is decided already, or over."))
    _give_reason(project, because)
    project.refused_by, project.refused_at = by, now
    project.save()
    return project


def _give_reason(project: ResearchProject, because: str) -> None:
    if not because.strip():
        raise ValidationError(_("Say why: the people of the project read it."))
    if len(because) > 400:
        raise ValidationError(_("The reason has more than 400 characters."))
    project.decided_because = because.strip()


def end_project(
    *, project: ResearchProject, by: User, now: datetime.datetime, because: str = ""
) -> ResearchProject:  # fmt: skip
    """From today on nothing more leaves in its name. Raises PermissionDenied; ValidationError for a long reason."""
    if not governs_project(by, project):
        raise PermissionDenied
    if because:
        _give_reason(project, because)
    project.ended_by, project.ended_at = by, now
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
    if project is not None and not ProjectMember.objects.of(by).filter(project=project).exists():
        raise PermissionDenied
    cohort = cohort or Cohort(owner=by)
    cohort.name, cohort.project = name, project
    cohort.definition = definition
    cohort.full_clean(exclude=["definition"])
    cohort.save()
    return cohort


def copy_cohort(*, cohort: Cohort, by: User) -> Cohort:
    """One's own copy of a question one sees; in its project where one is a member. Raises DefinitionError."""
    project = cohort.project
    if project is not None and not ProjectMember.objects.of(by).filter(project=project).exists():
        project = None
    taken = set(Cohort.objects.filter(owner=by, project=project).values_list("name", flat=True))
    most: int = Cohort._meta.get_field("name").max_length  # type: ignore[assignment]
    names = (_("Copy %(n)s of %(name)s") % {"n": n, "name": cohort.name} for n in itertools.count(1))
    name = next(one[:most] for one in names if one[:most] not in taken)
    return save_cohort(name=name, definition=cohort.definition, by=by, project=project)


def share_cohort(*, cohort: Cohort, with_all: bool, people: Iterable[User], by: User) -> None:
    """Say who of its project sees it. Raises PermissionDenied unless it is one's own; ValidationError for strangers."""
    if cohort.owner_id != by.pk:
        raise PermissionDenied
    if cohort.project is None:
        raise ValidationError(_("A cohort without a project is seen by its owner alone: choose its project first."))
    members = set(ProjectMember.objects.standing().filter(project=cohort.project).values_list("user_id", flat=True))
    wanted = {person.pk: person for person in people}
    if strangers := [str(person) for pk, person in wanted.items() if pk not in members]:
        raise ValidationError(_("Not a member of the project: %(names)s.") % {"names": ", ".join(strangers)})
    with trail.together():
        if cohort.open_to_members != with_all:
            cohort.open_to_members = with_all
            cohort.save()
        known = {share.user_id: share for share in CohortShare.objects.filter(cohort=cohort)}
        for pk, share in known.items():
            if pk not in wanted:
                share.delete()
        for pk, person in wanted.items():
            if pk not in known and pk != by.pk:
                CohortShare(cohort=cohort, user=person).save()
