from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "calcinosis_registry.reports"

    def ready(self) -> None:
        from calcinosis_registry.jobs.services import KINDS, SWEEPS
        from calcinosis_registry.reports import kept
        from calcinosis_registry.reports.working import KIND, run

        KINDS[KIND] = run
        SWEEPS.append(kept.sweep)
