from __future__ import annotations

from django.urls import path

from calcinosis_registry.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.index, name="index"),
    path("clinic/<str:public_id>/", views.clinic, name="clinic"),
    path("clinic/<str:public_id>/numbers.csv", views.clinic_csv, name="clinic_csv"),
    path("clinic/<str:public_id>/<str:figure>.svg", views.clinic_svg, name="clinic_svg"),
    path("cohort/<str:public_id>/", views.table_one_page, name="table_one"),
    path("cohort/<str:public_id>/table-1.csv", views.table_one_csv, name="table_one_csv"),
    path("cohort/<str:public_id>/features.svg", views.table_one_svg, name="table_one_svg"),
]
