from django.apps import AppConfig


class ClinicsConfig(AppConfig):
    name = "calcinosis_registry.clinics"

    def ready(self) -> None:
        from calcinosis_registry.clinics.actors import listen

        listen()
