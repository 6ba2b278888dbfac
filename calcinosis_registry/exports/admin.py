"""The ledger as a table, to be read by whoever approves projects."""

from __future__ import annotations

from django.contrib import admin

from calcinosis_registry.cohorts.admin import ProjectTable
from calcinosis_registry.exports.models import Export, ExportedPatient


@admin.register(Export)
class ExportAdmin(ProjectTable):
    list_display = ["cohort", "project", "format", "profile", "patients", "created_by", "created_at", "reason"]
    list_filter = ["format", "profile"]
    fields = [
        "cohort", "project", "format", "profile", "include_text", "all_visits", "reason", "patients", "row_counts",
        "sha256", "size", "created_by", "created_at",
    ]  # fmt: skip


@admin.register(ExportedPatient)
class ExportedPatientAdmin(ProjectTable):
    project_path = "export__project"
    list_display = ["export", "pseudonym"]
    search_fields = ["=pseudonym"]
    fields = ["export", "pseudonym"]
