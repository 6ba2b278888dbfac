"""The patient page, visits, lesions and imaging."""

from django.urls import path

from lesions.views import visit

app_name = "lesions"
urlpatterns = [
    path("patients/<slug:patient_id>/visits/new/", visit.new_visit, name="visit_new"),
    path("patients/<slug:patient_id>/visits/part/<slug:part>/", visit.visit_part, name="visit_part"),
    path("visits/<slug:public_id>/", visit.visit_page, name="visit"),
    path("visits/<slug:public_id>/sign/", visit.sign, name="visit_sign"),
    path("visits/<slug:public_id>/unlock/", visit.unlock, name="visit_unlock"),
]
