from django.urls import path

from calcinosis_registry.transfers.views import doubles, moves

app_name = "transfers"
urlpatterns = [
    path("patients/<slug:patient_id>/clinic/", moves.offer, name="offer"),
    path("patients/<slug:patient_id>/double/", doubles.find, name="double_find"),
    path("patients/<slug:patient_id>/double/<slug:double_id>/", doubles.compare, name="double_compare"),
    path("doubles/<slug:public_id>/take-back/", doubles.take_back, name="double_take_back"),
    path("transfers/", moves.transfers, name="list"),
    path("transfers/<slug:public_id>/", moves.transfer, name="transfer"),
    path("transfers/<slug:public_id>/accept/", moves.accept, name="accept"),
    path("transfers/<slug:public_id>/decline/", moves.decline, name="decline"),
    path("transfers/<slug:public_id>/take-back/", moves.take_back, name="take_back"),
]
