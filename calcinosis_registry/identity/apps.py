from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "calcinosis_registry.identity"
