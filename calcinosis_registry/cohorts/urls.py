from __future__ import annotations

from django.urls import path

from calcinosis_registry.cohorts import views, views_builder, views_freezing, views_members, views_projects

app_name = "cohorts"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views_builder.new, name="new"),
    path("count/", views_builder.live_count, name="count"),
    path("items/", views_builder.items, name="items"),
    path("projects/", views_projects.projects, name="projects"),
    path("projects/new/", views_projects.new_project, name="new_project"),
    path("projects/<str:public_id>/", views_projects.project, name="project"),
    path("projects/<str:public_id>/approve/", views_projects.approve, name="approve"),
    path("projects/<str:public_id>/refuse/", views_projects.refuse, name="refuse"),
    path("projects/<str:public_id>/end/", views_projects.end, name="end"),
    path("projects/<str:public_id>/members/", views_members.members, name="members"),
    path("<str:public_id>/", views.cohort, name="cohort"),
    path("<str:public_id>/copy/", views.copy, name="copy"),
    path("<str:public_id>/share/", views.share, name="share"),
    path("<str:public_id>/compare/", views.compare, name="compare"),
    path("<str:public_id>/freeze/", views_freezing.freeze_cohort, name="freeze"),
    path("<str:public_id>/edit/", views_builder.edit, name="edit"),
]
