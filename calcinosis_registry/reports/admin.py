"""The monthly e-mails as a table; they are set on the clinic's page."""

from __future__ import annotations

from django.contrib import admin

from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scoped_admin import ScopedAdmin
from calcinosis_registry.reports.models import Reminder


@admin.register(Reminder)
class ReminderAdmin(ScopedAdmin):
    view = Permission.CLINIC_REPORTS
    list_display = ["clinic", "user", "day", "next_on"]
    fields = ["clinic", "user", "day", "next_on"]
