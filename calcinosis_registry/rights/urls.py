from django.urls import path

from calcinosis_registry.rights import views

app_name = "rights"
urlpatterns = [
    path("patients/<slug:patient_id>/rights/", views.person, name="person"),
    path("patients/<slug:patient_id>/rights/file/", views.personal_file, name="file"),
    path("patients/<slug:patient_id>/rights/erasure/", views.ask_erasure, name="ask_erasure"),
    path("erasures/", views.erasures, name="erasures"),
    path("erasures/<slug:public_id>/confirm/", views.confirm, name="confirm"),
    path("erasures/<slug:public_id>/withdraw/", views.withdraw, name="withdraw"),
]
