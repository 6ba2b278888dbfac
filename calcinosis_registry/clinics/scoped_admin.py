"""The base of every table in the admin: rows and actions by the roles, never by Django's permission rows."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from calcinosis_registry.clinics.policy import ScopedQuerySet, clinic_of, grants
from calcinosis_registry.clinics.roles import Permission


class ScopedAdmin(admin.ModelAdmin):
    """``view`` shows rows, ``change`` and ``add`` (None: nobody) edit them; deleting is for our own pages."""

    view: ClassVar[Permission]
    change: ClassVar[Permission | None] = None
    add: ClassVar[Permission | None] = None
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return self.model._default_manager.visible_to(request.user, self.view)  # type: ignore[attr-defined]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A filter typed into the address that fits no column, a year of 10 digits say, is a bad request."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError) as problem:
            raise BadRequest(str(problem)) from problem

    def holds(self, request: HttpRequest, permission: Permission | None, obj: Any = None) -> bool:
        """The permission anywhere, or for a row in the clinic that owns it."""
        held = grants(request.user).get(permission, set()) if permission else set()
        if obj is None or obj.pk is None:
            return bool(held)
        return None in held or clinic_of(obj) in held

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.holds(request, self.view)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, self.view, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, self.change, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.holds(request, self.add)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A relation offers only rows this person sees, typed by number: a list of all would be long."""
        rows = db_field.remote_field.model._default_manager.all()
        if isinstance(rows, ScopedQuerySet):
            kwargs["queryset"] = rows.visible_to(request.user, self.change or self.view)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # The trail has every change with its values; the admin's own log would keep names of patients beside it.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        return None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A row's history is its events."""
        query = urlencode({"model": self.model._meta.label_lower, "object_id": object_id})
        return redirect(f"{reverse('admin:audit_event_changelist')}?{query}")


def relation_names(model: type[models.Model]) -> list[str]:
    """Foreign keys of a model, for list_select_related."""
    return [field.name for field in model._meta.concrete_fields if field.is_relation]
