from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "calcinosis_registry.quality"
    verbose_name = "data quality"
