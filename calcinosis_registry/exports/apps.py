from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "calcinosis_registry.exports"
