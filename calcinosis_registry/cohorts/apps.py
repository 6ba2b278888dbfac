from django.apps import AppConfig


class CohortsConfig(AppConfig):
    name = "calcinosis_registry.cohorts"
