"""The patient page, visits, lesions and imaging."""

from django.urls import path

from lesions.views import (
    clearing,
    hand_score,
    imaging,
    imaging_files,
    imaging_study,
    maps,
    measuring,
    moving,
    patient_history,
    patient_page,
    pictures,
    second_readings,
    signing,
    unlocking,
    viewer,
    visit,
)

app_name = "lesions"
urlpatterns = [
    # After patients.urls in the root: patients/register/ and patients/search/ are theirs.
    path("patients/<slug:public_id>/", patient_page.patient_page, name="patient"),
    path("patients/<slug:public_id>/course/", patient_page.course, name="patient_course"),
    path("patients/<slug:public_id>/history/", patient_history.patient_history, name="patient_history"),
    path("patients/<slug:patient_id>/visits/new/", visit.new_visit, name="visit_new"),
    path("patients/<slug:patient_id>/visits/part/<slug:part>/", visit.visit_part, name="visit_part"),
    path("body-map/<slug:digest>.svg", maps.drawing, name="map_drawing"),
    path("visits/sign/", signing.sign_several, name="visits_sign"),
    path("visits/<slug:public_id>/", visit.visit_page, name="visit"),
    path("visits/<slug:public_id>/move/", moving.move, name="visit_move"),
    path("visits/<slug:public_id>/sign/", signing.sign, name="visit_sign"),
    path("visits/<slug:public_id>/unlock/", unlocking.unlock, name="visit_unlock"),
    # "upload", not "add": patients/<id>/<kind>/add/ is the page of any record kind.
    path("patients/<slug:patient_id>/imaging/upload/", imaging.add, name="imaging_add"),
    path("patients/<slug:patient_id>/imaging/confirm/", imaging.confirm, name="imaging_confirm"),
    path("patients/<slug:patient_id>/imaging/waiting/<slug:token>/", imaging.waiting_picture, name="imaging_waiting"),
    path("patients/<slug:patient_id>/imaging/compare/", pictures.compare, name="imaging_compare"),
    path("lesions/<slug:public_id>/pictures/", pictures.lesion_pictures, name="lesion_pictures"),
    path("imaging/<slug:public_id>/", imaging_study.study_page, name="imaging_study"),
    path("imaging/<slug:public_id>/score/", hand_score.entry, name="hand_score"),
    path("imaging/files/<slug:public_id>/raster/", viewer.raster, name="imaging_raster"),
    path(
        "imaging/files/<slug:public_id>/raster/tiles/<int:frame>/<int:level>/<int:column>/<int:row>/",
        viewer.tile,
        name="imaging_tile",
    ),
    path("imaging/<slug:public_id>/second-reading/", second_readings.ask_for, name="reading_ask"),
    path("readings/", second_readings.readings, name="readings"),
    path("readings/<slug:public_id>/", second_readings.pair, name="reading_pair"),
    path("readings/<slug:public_id>/take/", second_readings.take_it, name="reading_take"),
    path("readings/<slug:public_id>/give-up/", second_readings.give_it_up, name="reading_give_up"),
    path("imaging/files/<slug:public_id>/measures/", measuring.measures, name="imaging_measures"),
    path("imaging/measures/<slug:public_id>/redraw/", measuring.redraw, name="imaging_redraw"),
    path("imaging/measures/<slug:public_id>/use/", measuring.use, name="imaging_use"),
    path("imaging/files/<slug:public_id>/preview/", imaging_files.preview, name="imaging_preview"),
    path("imaging/files/<slug:public_id>/thumbnail/", imaging_files.thumbnail, name="imaging_thumbnail"),
    path("imaging/files/<slug:public_id>/download/", imaging_files.download, name="imaging_download"),
    path("imaging/files/<slug:public_id>/remove/", imaging_files.remove, name="imaging_remove"),
    path("imaging/files/<slug:public_id>/clear/", clearing.say, name="imaging_clear"),
    path("imaging/files/<slug:public_id>/clear/take-back/", clearing.unsay, name="imaging_unclear"),
]
