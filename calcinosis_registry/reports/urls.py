from __future__ import annotations

from django.urls import URLPattern, path

from calcinosis_registry.reports.outline import CHARACTERISTICS
from calcinosis_registry.reports.views import agreement, codebook, pages, schedule

app_name = "reports"
PROJECT = "project/<str:public_id>/agreement"
TABLE_ONE = {"of": "cohort", "chapter": CHARACTERISTICS}


def of_both(of: str) -> list[URLPattern]:
    """What the reports of a clinic and of a cohort have alike; any word is taken for a chapter, so they come last."""
    at, told = f"{of}/<str:public_id>", {"of": of}
    return [
        path(f"{at}/table-1.csv", pages.table_one_csv, told, name=f"{of}_table_one_csv"),
        path(f"{at}/report.pdf", pages.pdf_file, told, name=f"{of}_pdf"),
        path(f"{at}/make/", pages.make, told, name=f"{of}_make"),
        path(f"{at}/<str:chapter>/", pages.chapter_page, told, name=f"{of}_chapter"),
        path(f"{at}/<str:chapter>/<str:figure>.<str:kind>", pages.figure_file, told, name=f"{of}_figure"),
    ]


urlpatterns = [
    path("", pages.index, name="index"),
    path("codebook.pdf", codebook.as_pdf, name="codebook_pdf"),
    path("clinic/<str:public_id>/", pages.clinic, name="clinic"),
    path("clinic/<str:public_id>/numbers.csv", pages.clinic_csv, name="clinic_csv"),
    path("clinic/<str:public_id>/e-mail/", schedule.schedule, name="schedule"),
    path("clinic/<str:public_id>/agreement/", agreement.page, name="agreement"),
    path("clinic/<str:public_id>/agreement/readings.csv", agreement.numbers, name="agreement_csv"),
    path("clinic/<str:public_id>/agreement/differences.svg", agreement.picture, name="agreement_svg"),
    path(f"{PROJECT}/", agreement.of_project, name="project_agreement"),
    path(f"{PROJECT}/numbers.csv", agreement.numbers_of_project, name="project_agreement_csv"),
    path(f"{PROJECT}/differences.svg", agreement.picture_of_project, name="project_agreement_svg"),
    *of_both("clinic"),
    path("cohort/<str:public_id>/", pages.chapter_page, TABLE_ONE, name="table_one"),
    *of_both("cohort"),
]
