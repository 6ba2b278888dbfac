from django.apps import AppConfig


class ClinicsConfig(AppConfig):
    name = "calcinosis_registry.clinics"
