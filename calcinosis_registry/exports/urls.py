from __future__ import annotations

from django.urls import path

from calcinosis_registry.exports import views

app_name = "exports"
urlpatterns = [
    path("", views.index, name="list"),
    path("of/<str:public_id>/", views.new, name="new"),
    path("<str:public_id>/", views.export, name="export"),
    path("<str:public_id>/file/", views.download, name="download"),
]
