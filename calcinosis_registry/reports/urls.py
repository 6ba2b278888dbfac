from __future__ import annotations

from django.urls import path

from calcinosis_registry.reports.views import agreement, codebook, pages, schedule

app_name = "reports"
FIGURE = "<str:chapter>/<str:figure>.<str:kind>"
PROJECT = "project/<str:public_id>/agreement"
urlpatterns = [
    path("", pages.index, name="index"),
    path("codebook.pdf", codebook.as_pdf, name="codebook_pdf"),
    path("clinic/<str:public_id>/", pages.clinic, name="clinic"),
    path("clinic/<str:public_id>/numbers.csv", pages.clinic_csv, name="clinic_csv"),
    path("clinic/<str:public_id>/table-1.csv", pages.clinic_table_one_csv, name="clinic_table_one_csv"),
    path("clinic/<str:public_id>/report.pdf", pages.clinic_pdf, name="clinic_pdf"),
    path("clinic/<str:public_id>/e-mail/", schedule.schedule, name="schedule"),
    path("clinic/<str:public_id>/make/", pages.clinic_make, name="clinic_make"),
    path("clinic/<str:public_id>/agreement/", agreement.page, name="agreement"),
    path("clinic/<str:public_id>/agreement/readings.csv", agreement.numbers, name="agreement_csv"),
    path("clinic/<str:public_id>/agreement/differences.svg", agreement.picture, name="agreement_svg"),
    path(f"{PROJECT}/", agreement.of_project, name="project_agreement"),
    path(f"{PROJECT}/numbers.csv", agreement.numbers_of_project, name="project_agreement_csv"),
    path(f"{PROJECT}/differences.svg", agreement.picture_of_project, name="project_agreement_svg"),
    path("clinic/<str:public_id>/<str:chapter>/", pages.clinic_chapter_page, name="clinic_chapter"),
    path(f"clinic/<str:public_id>/{FIGURE}", pages.clinic_figure, name="clinic_figure"),
    path("cohort/<str:public_id>/", pages.table_one, name="table_one"),
    path("cohort/<str:public_id>/table-1.csv", pages.table_one_csv, name="cohort_table_one_csv"),
    path("cohort/<str:public_id>/report.pdf", pages.cohort_pdf, name="cohort_pdf"),
    path("cohort/<str:public_id>/make/", pages.cohort_make, name="cohort_make"),
    path("cohort/<str:public_id>/<str:chapter>/", pages.cohort_chapter, name="cohort_chapter"),
    path(f"cohort/<str:public_id>/{FIGURE}", pages.cohort_figure, name="cohort_figure"),
]
