from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "calcinosis_registry.records"
