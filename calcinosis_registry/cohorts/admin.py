"""Projects, their clinics and members, and cohorts as tables, to be read: they are changed on their own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scoped_admin import ScopedAdmin, relation_names
from calcinosis_registry.cohorts.models import Cohort, ProjectClinic, ProjectMember, ResearchProject

APPROVE = Permission.APPROVE_PROJECTS


class ProjectTable(ScopedAdmin):
    """Rows of the projects this person may approve; ``project_path`` leads to the project."""

    view = APPROVE
    project_path = "project"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        projects = ResearchProject.objects.visible_to(request.user, APPROVE)
        rows = super(ScopedAdmin, self).get_queryset(request)  # these rows have no clinic of their own
        return rows.filter(**{f"{self.project_path}__in": projects.values("pk")})

    def holds(self, request: HttpRequest, permission: Permission | None, obj: Any = None) -> bool:
        held = permission is not None and bool(grants(request.user).get(permission))
        return held and (obj is None or self.get_queryset(request).contains(obj))

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return relation_names(self.model)


@admin.register(ResearchProject)
class ResearchProjectAdmin(ProjectTable):
    project_path = "pk"
    list_display = [
        "title",
        "ethics_reference",
        "requested_by",
        "valid_from",
        "valid_until",
        "approved_by",
        "approved_at",
    ]
    search_fields = ["title"]
    fields = [
        "title",
        "purpose",
        "ethics_reference",
        "requested_by",
        "valid_from",
        "valid_until",
        "approved_by",
        "approved_at",
    ]


@admin.register(ProjectClinic)
class ProjectClinicAdmin(ProjectTable):
    list_display = ["project", "clinic"]
    fields = ["project", "clinic"]


@admin.register(ProjectMember)
class ProjectMemberAdmin(ProjectTable):
    list_display = ["project", "user", "until"]
    fields = ["project", "user", "until"]


@admin.register(Cohort)
class CohortAdmin(ProjectTable):
    list_display = ["name", "project", "owner", "created_at"]
    search_fields = ["name"]
    fields = ["name", "project", "owner", "definition", "created_at"]
