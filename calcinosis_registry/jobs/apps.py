from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "calcinosis_registry.jobs"
