from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "calcinosis_registry.operations"
    verbose_name = "running the register"

    def ready(self) -> None:
        from calcinosis_registry.operations import safe_database  # noqa: F401  registers the check
