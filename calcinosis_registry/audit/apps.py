from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "calcinosis_registry.audit"
    verbose_name = "audit trail"
