"""Data queries as a table."""

from __future__ import annotations

from django.contrib import admin

from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scoped_admin import ScopedAdmin
from calcinosis_registry.quality.models import DataQuery


@admin.register(DataQuery)
class DataQueryAdmin(ScopedAdmin):
    """Read here; answered and closed on the pages, where the record stands beside the question."""

    view = Permission.VIEW_RECORDS
    list_display = ["patient", "model", "field", "message", "status", "opened_at"]
    list_filter = ["status"]
    search_fields = ["=patient"]
    fields = [
        "clinic",
        "patient",
        "model",
        "object_id",
        "field",
        "rule",
        "message",
        "answer",
        "status",
        "opened_at",
        "raised_by",
        "answered_at",
        "answered_by",
        "closed_at",
        "closed_by",
        "closed_because",
    ]
