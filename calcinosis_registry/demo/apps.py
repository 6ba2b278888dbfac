from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "calcinosis_registry.demo"
    verbose_name = "demo register"

    def ready(self) -> None:
        from calcinosis_registry.demo import guard  # noqa: F401  registers the check
