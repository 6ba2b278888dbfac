from __future__ import annotations

from django.urls import path

from calcinosis_registry.jobs import views

app_name = "jobs"
urlpatterns = [
    path("<str:public_id>/", views.job, name="job"),
    path("<str:public_id>/cancel/", views.cancel, name="cancel"),
]
