"""Drafts, and who is signed in."""

from django.urls import path

from calcinosis_registry.records import views

app_name = "records"
urlpatterns = [
    path("session/", views.session, name="session"),
    path("drafts/", views.keep_draft, name="draft_keep"),
    path("drafts/<slug:public_id>/discard/", views.discard_draft, name="draft_discard"),
]
