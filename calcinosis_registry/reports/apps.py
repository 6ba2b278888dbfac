from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "calcinosis_registry.reports"

    def ready(self) -> None:
        from calcinosis_registry.jobs.services import KINDS
        from calcinosis_registry.reports.working import KIND, run

        KINDS[KIND] = run
