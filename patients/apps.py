from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from calcinosis_registry.records.forms import OWN_FORMS
        from patients.checks import find_beside
        from patients.forms import LaboratoryForm
        from patients.notes import find_names
        from patients.services import FINDERS

        FINDERS.extend([find_beside, find_names])
        OWN_FORMS[LaboratoryForm.Meta.model] = LaboratoryForm
