"""Names as a table: listed by number, opened one by one, each opening an event."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scoped_admin import ScopedAdmin
from calcinosis_registry.identity.models import Identity


@admin.register(Identity)
class IdentityAdmin(ScopedAdmin):
    """Corrected on the patient's page, where duplicates are looked for."""

    view = Permission.SEE_IDENTITY
    list_display = ["registry_number", "clinic"]
    list_select_related = ["clinic"]
    search_fields = ["=registry_number"]
    fields = ["registry_number", "clinic", "family_name", "given_name", "hospital_number", "national_number", "contact"]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        trail.tell(Action.READ, about=kwargs.get("obj") or context.get("original"), changes={"shown": "identity"})
        return super().render_change_form(request, context, *args, **kwargs)
