from __future__ import annotations

from django.urls import path

from calcinosis_registry.codebook import views

app_name = "codebook"
urlpatterns = [
    path("", views.index, name="index"),
    path("codebook.csv", views.as_csv, name="csv"),
    path("codebook.json", views.as_json, name="json"),
]
