from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "calcinosis_registry.accounts"
