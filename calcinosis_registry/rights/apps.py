from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "calcinosis_registry.rights"
    verbose_name = "rights of the person"

    def ready(self) -> None:
        from calcinosis_registry.clinics.context_processors import WAITING
        from calcinosis_registry.clinics.roles import Permission
        from calcinosis_registry.rights.services import waiting_for

        WAITING["rights:erasures"] = Permission.CONFIRM_ERASURE, waiting_for
