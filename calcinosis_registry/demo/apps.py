from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "calcinosis_registry.demo"
    verbose_name = "demo register"
