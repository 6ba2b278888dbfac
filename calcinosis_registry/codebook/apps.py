from django.apps import AppConfig


class CodebookConfig(AppConfig):
    name = "calcinosis_registry.codebook"
