from django.urls import path

from calcinosis_registry.letters import views

app_name = "letters"
urlpatterns = [
    path("patients/<slug:patient_id>/summary.pdf", views.summary, name="summary"),
    path("patients/<slug:patient_id>/letter/", views.letter, name="letter"),
    path("leaflet/", views.leaflet, name="leaflet"),
    path("leaflet.pdf", views.leaflet_pdf, name="leaflet_pdf"),
]
