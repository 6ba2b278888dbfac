from __future__ import annotations

from django.urls import path

from calcinosis_registry.clinics import views, views_trail

app_name = "clinics"
urlpatterns = [
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/invite/", views.send, name="invite"),
    path("accounts/invitation/again/", views.send_again, name="invite_again"),
    path("accounts/invitation/withdraw/", views.withdraw_invitation, name="withdraw"),
    path("accounts/role/end/", views.end, name="end_role"),
    path("accounts/second-factor/reset/", views.reset, name="reset_second_factor"),
    path("accounts/sessions/end/", views.end_all_sessions, name="end_sessions"),
    path("accounts/open-or-close/", views.open_or_close, name="set_active"),
    path("invitation/<str:token>/", views.accept_invitation, name="accept"),
    path("clinics/", views.clinics, name="clinics"),
    path("clinics/new/", views.new_clinic, name="new_clinic"),
    path("clinics/<str:public_id>/", views.clinic, name="clinic"),
    path("clinics/<str:public_id>/open-or-close/", views.open_or_close_clinic, name="set_open"),
    path("trail/", views_trail.page, name="trail"),
    path("trail/verify/", views_trail.verify_trail, name="trail_verify"),
    path("trail/access/", views_trail.access, name="trail_access"),
]
