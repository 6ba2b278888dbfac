from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "calcinosis_registry.rights"
    verbose_name = "rights of the person"
