"""Every address of the register."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from calcinosis_registry.operations import health
from patients.views import worklist

handler400 = "calcinosis_registry.operations.error_pages.bad_request"
handler500 = "calcinosis_registry.operations.error_pages.server_error"

urlpatterns = [
    path("", worklist.home, name="home"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("system/", health.page, name="system_health"),
    path("account/", include("calcinosis_registry.accounts.urls")),
    path("admin/", admin.site.urls),
    path("", include("calcinosis_registry.clinics.urls")),
    path("", include("calcinosis_registry.records.urls")),
    path("patients/", include("patients.urls")),
    path("", include("lesions.urls")),
    path("", include("calcinosis_registry.rights.urls")),
    path("", include("calcinosis_registry.letters.urls")),
    path("", include("calcinosis_registry.transfers.urls")),
    path("queries/", include("patients.query_urls")),
    path("codebook/", include("calcinosis_registry.codebook.urls")),
    path("cohorts/", include("calcinosis_registry.cohorts.urls")),
    path("exports/", include("calcinosis_registry.exports.urls")),
    path("jobs/", include("calcinosis_registry.jobs.urls")),
    path("reports/", include("calcinosis_registry.reports.urls")),
]
