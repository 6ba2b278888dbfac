from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "calcinosis_registry.accounts"

    def ready(self) -> None:
        from calcinosis_registry.accounts.second_factor import listen

        listen()
