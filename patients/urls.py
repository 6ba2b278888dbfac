"""Patients, and every record kind of theirs."""

from django.urls import path

from patients.views import key_list, missed, patients, records, register

app_name = "patients"
urlpatterns = [
    path("", patients.patient_list, name="list"),
    path("search/", patients.search, name="search"),
    path("key-list/", key_list.download, name="key_list"),
    path("register/", register.register, name="register"),
    path("<slug:patient_id>/missed-visit/", missed.missed_visit, name="visit_missed"),
    path("<slug:patient_id>/<slug:kind>/add/", records.add, name="record_add"),
    path("records/<slug:kind>/<slug:public_id>/", records.edit, name="record"),
    path("records/<slug:kind>/<slug:public_id>/history/", records.record_history, name="record_history"),
    path("records/<slug:kind>/<slug:public_id>/remove/", records.delete, name="record_delete"),
    path("removed/<int:number>/put-back/", records.put_removed_back, name="record_put_back"),
]
