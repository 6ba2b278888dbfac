"""Who is in a project, changed by those who approved it. Keyword-only verbs; each leaves its events with the reason."""

from __future__ import annotations

import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.cohorts.models import ProjectMember, ResearchProject
from calcinosis_registry.cohorts.services import governs_project

OPEN = ("requested", "planned", "in force")


def add_member(
    *, project: ResearchProject, user: User, until: datetime.date | None, because: str, by: User
) -> ProjectMember:
    """Somebody new, or whose time was over. Raises PermissionDenied, ValidationError."""
    with trail.together(), trail.because(because.strip()):
        project = _held(project)
        _check(project, because, by)
        if user.pk == by.pk:
            raise ValidationError({"email": _("Somebody else must let you into a project.")})
        _check_until(project, until)
        there = ProjectMember.objects.filter(project=project, user=user).first()
        if there is not None and ProjectMember.objects.standing().filter(pk=there.pk).exists():
            raise ValidationError({"email": _("%(name)s is a member already.") % {"name": user}})
        member = there or ProjectMember(project=project, user=user)
        member.until = until
        member.save()
    return member


def change_member(*, member: ProjectMember, until: datetime.date | None, because: str, by: User) -> None:
    """Another last day. Raises PermissionDenied, ValidationError."""
    with trail.together(), trail.because(because.strip()):
        project = _held(member.project)
        _check(project, because, by)
        if member.user_id == by.pk:
            raise ValidationError({"until": _("Somebody else must change your time in a project.")})
        _check_until(project, until)
        standing = _standing(member)
        standing.until = until
        standing.save()


def remove_member(*, member: ProjectMember, because: str, by: User) -> None:
    """From now on nothing of the project is theirs. Raises PermissionDenied, ValidationError for the last one."""
    with trail.together(), trail.because(because.strip()):
        project = _held(member.project)
        _check(project, because, by)
        standing = _standing(member)
        if not ProjectMember.objects.standing().filter(project=project).exclude(pk=member.pk).exists():
            raise ValidationError(_("%(name)s is the last member: end the project instead.") % {"name": member.user})
        standing.delete()


def _held(project: ResearchProject) -> ResearchProject:
    """The project as it is now, and nobody else changes its members until this is done."""
    return ResearchProject.objects.select_for_update().get(pk=project.pk)


def _standing(member: ProjectMember) -> ProjectMember:
    """The member as the register has them now. Raises ValidationError for one who was taken out meanwhile."""
    found = ProjectMember.objects.filter(pk=member.pk).first()
    if found is None:
        raise ValidationError(_("%(name)s was taken out of the project meanwhile.") % {"name": member.user})
    return found


def _check(project: ResearchProject, because: str, by: User) -> None:
    if not governs_project(by, project):
        raise PermissionDenied
    if project.state not in OPEN:
        raise ValidationError(_("The project is over or refused: its members stay as they were."))
    if not because.strip():
        raise ValidationError({"because": _("Say why: it stands in the audit trail.")})


def _check_until(project: ResearchProject, until: datetime.date | None) -> None:
    if until is None:
        return
    if until < timezone.localdate():
        raise ValidationError({"until": _("That day is over.")})
    if until > project.valid_until:
        told = {"day": project.valid_until}
        raise ValidationError({"until": _("The project ends on %(day)s: leave it empty for all of its time.") % told})
