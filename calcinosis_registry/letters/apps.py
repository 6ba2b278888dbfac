from django.apps import AppConfig


class LettersConfig(AppConfig):
    name = "calcinosis_registry.letters"
    verbose_name = "letters"
