from django.apps import AppConfig


class TransfersConfig(AppConfig):
    name = "calcinosis_registry.transfers"
    verbose_name = "moves between clinics"

    def ready(self) -> None:
        from calcinosis_registry.transfers.waiting import to_receive
        from patients.worklist import MORE_WORK

        MORE_WORK.append(to_receive)
