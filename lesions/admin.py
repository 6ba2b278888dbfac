from __future__ import annotations

from django.apps import apps

from calcinosis_registry.records.admin import register_records
from patients.admin import PatientRecordAdmin

register_records(apps.get_app_config("lesions").get_models(), PatientRecordAdmin)
