from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "calcinosis_registry.audit"
    verbose_name = "audit trail"

    def ready(self) -> None:
        from calcinosis_registry.audit import guards

        post_migrate.connect(guards.install_after_migrate, sender=self, dispatch_uid="audit guards")
