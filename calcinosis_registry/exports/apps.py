from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "calcinosis_registry.exports"

    def ready(self) -> None:
        from django.utils import timezone

        from calcinosis_registry.exports.services import sweep
        from calcinosis_registry.exports.verification import verify_zips
        from calcinosis_registry.exports.working import run
        from calcinosis_registry.jobs.services import KINDS, SWEEPS
        from lesions.verification import BESIDES

        BESIDES.append(verify_zips)
        KINDS["export"] = run
        SWEEPS.append(lambda: sweep(now=timezone.now()))
