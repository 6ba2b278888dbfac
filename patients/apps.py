from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from patients.checks import find_beside
        from patients.services import FINDERS

        FINDERS.append(find_beside)
