"""The admin's app entry in settings; the site itself is clinics/admin_site.py, which needs the models."""

from django.contrib.admin.apps import AdminConfig


class RegistryAdminConfig(AdminConfig):
    default_site = "calcinosis_registry.clinics.admin_site.RegistryAdminSite"
