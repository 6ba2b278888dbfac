from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "calcinosis_registry.operations"
    verbose_name = "running the register"
