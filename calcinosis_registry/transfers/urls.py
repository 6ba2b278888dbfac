from django.urls import path

from calcinosis_registry.transfers import views

app_name = "transfers"
urlpatterns = [
    path("patients/<slug:patient_id>/clinic/", views.offer, name="offer"),
    path("transfers/", views.transfers, name="list"),
    path("transfers/<slug:public_id>/", views.transfer, name="transfer"),
    path("transfers/<slug:public_id>/accept/", views.accept, name="accept"),
    path("transfers/<slug:public_id>/decline/", views.decline, name="decline"),
    path("transfers/<slug:public_id>/take-back/", views.take_back, name="take_back"),
]
