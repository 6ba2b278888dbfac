"""Every record of a patient in the admin; a correction there is checked like one on the pages."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.utils import timezone

from calcinosis_registry.records.admin import RecordAdmin, register_records
from patients.services import after_save


class PatientRecordAdmin(RecordAdmin):
    def settle(self, record: Any) -> None:
        after_save(patient=record.patient, records=[record], now=timezone.now())


register_records(apps.get_app_config("patients").get_models(), PatientRecordAdmin)
