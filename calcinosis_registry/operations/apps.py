from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "calcinosis_registry.operations"
    verbose_name = "running the register"

    def ready(self) -> None:
        from django.conf import settings

        from calcinosis_registry.operations import (
            logs,
            safe_database,  # noqa: F401  registers the check
        )

        if not (settings.DEMO or settings.DEBUG):
            logs.tell_faults_without_values()
