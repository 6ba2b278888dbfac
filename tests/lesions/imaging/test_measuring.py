"""Measurements drawn on a picture: the millimetres are the register's own, and become a size only where they may."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from calcinosis_registry.audit.models import Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import ImagingMeasure, LesionObservation
from patients.models import Visit, VisitState
from tests.factories import (
    ImagingFileFactory,
    ImagingMeasureFactory,
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    PatientFactory,
    VisitFactory,
)

DAY = datetime.date(2026, 5, 12)  # of ImagingStudyFactory
SAID = dict.fromkeys(("body_part", "region", "laterality", "view", "device", "modality", "pixel_spacing_from"), "") | {
    "study_date": None, "burned_in": None, "pixel_spacing": None,
}  # fmt: skip
SPACING = {"modality": "CT", "pixel_spacing": [0.5, 0.25], "pixel_spacing_from": "PixelSpacing"}
DETECTOR = {"modality": "DX", "pixel_spacing": [0.1, 0.1], "pixel_spacing_from": "ImagerPixelSpacing"}
REGIONS = {"modality": "US", "pixel_spacing": None, "pixel_spacing_from": "",
           "regions": [[0, 0, 100, 100, 0.2, 0.2], [100, 0, 200, 100, 0.4, 0.4]]}  # fmt: skip


@pytest.fixture
def picture(patient):
    """``picture(header)``: a DICOM picture of 200 × 100 pixels."""

    def picture(header: dict | None = None, *, modality: str = "DX", frames: int = 1, patient=patient, **study):
        made = ImagingStudyFactory(patient=patient, modality=modality, **study)
        kind = {"kind_of_file": "DICOM", "media_type": "application/dicom", "has_preview": True}
        return ImagingFileFactory(
            study=made, width=200, height=100, frames=frames, header=SAID | (header or {}), **kind
        )

    return picture


@pytest.fixture
def lesion(patient):
    return LesionFactory(patient=patient)


@pytest.fixture
def draw(clara):
    def draw(file, kind: str, points, by=None, **more):
        address = reverse("lesions:imaging_measures", args=[file.public_id])
        sent = {"kind": kind, "frame": "0", "points": json.dumps(points), **more}
        return (by or clara).post(address, sent)

    return draw


def kept() -> ImagingMeasure:
    return ImagingMeasure.objects.latest("pk")


def problem(answer) -> str:
    assert answer.status_code == 422, answer.content
    assert not ImagingMeasure.objects.exclude(points=[]).exists()
    return answer.json()["problem"]


@pytest.mark.parametrize(
    ("header", "points", "value", "source"),
    [
        pytest.param(SPACING, [[10, 10], [50, 10]], "10.00", "PIXEL_SPACING", id="along a row: 40 columns of 0.25 mm"),
        pytest.param(SPACING, [[10, 10], [10, 50]], "20.00", "PIXEL_SPACING", id="down a column: 40 rows of 0.5 mm"),
        pytest.param(SPACING, [[0, 0], [24, 16]], "10.00", "PIXEL_SPACING", id="askew: 6 and 8 mm"),
        pytest.param(DETECTOR, [[0, 0], [200, 0]], "20.00", "DETECTOR", id="at the detector"),
        pytest.param(REGIONS, [[10, 10], [60, 10]], "10.00", "US_REGION", id="in the first region"),
        pytest.param(REGIONS, [[110, 10], [160, 10]], "20.00", "US_REGION", id="in the second region"),
    ],
)
def test_a_distance_is_worked_out_of_the_files_own_header(picture, draw, header, points, value, source):
    answer = draw(picture(header), "DISTANCE", points, value="999", across_mm="999")
    assert answer.status_code == 201
    assert (kept().value, kept().calibrated_by) == (Decimal(value), source)


def test_two_axes_are_the_longer_by_the_shorter_and_an_ellipse(picture, draw, lesion, clinician):
    """12.5 by 8 mm: pi/4 times 100."""
    points = [[60, 20], [60, 100], [97.5, 60], [22.5, 60]]
    made = draw(picture(DETECTOR), "LENGTH", [[x / 2, y / 2] for x, y in points], lesion=lesion.public_id)
    assert made.status_code == 201
    measure = kept()
    assert (measure.value, measure.across_mm, measure.lesion) == (Decimal("4.00"), Decimal("3.75"), lesion)
    assert measure.area_mm2 == Decimal("11.8") and measure.measured_by == clinician and measure.measured_at
    assert made.json()["measures"][0]["text"] == "4.0 × 3.8 mm"


def test_an_outline_is_its_area(picture, draw):
    """A right triangle of 10 mm (40 columns) by 10 mm (20 rows)."""
    draw(picture(SPACING), "PLANIMETRIC_AREA", [[10, 10], [50, 10], [10, 30]])
    assert (kept().value, kept().unit) == (Decimal("50.00"), "mm²")


def test_a_picture_without_a_scale_gives_no_millimetres_until_a_known_length_is_drawn(picture, draw, clinician):
    file = picture()
    assert "does not say how large a pixel is" in problem(draw(file, "DISTANCE", [[0, 0], [10, 0]]))
    assert draw(file, "SCALE", [[0, 0], [0, 50]], known="23,25").status_code == 201
    scale = kept()
    assert (scale.value, scale.measured_by, scale.calibrated_by) == (Decimal("23.25"), clinician, "KNOWN_LENGTH")
    draw(file, "DISTANCE", [[0, 0], [100, 0]], scale=scale.public_id)
    assert (kept().value, kept().scale, kept().calibrated_by) == (Decimal("46.50"), scale, "KNOWN_LENGTH")


def test_a_scale_that_measurements_rest_on_stays_as_it_is(picture, draw, clara):
    file = picture()
    draw(file, "SCALE", [[0, 0], [0, 50]], known="25")
    scale = kept()
    draw(file, "DISTANCE", [[0, 0], [100, 0]], scale=scale.public_id)
    address = reverse("lesions:imaging_redraw", args=[scale.public_id])
    sent = {"points": "[[0,0],[0,40]]", "reason": "Slipped", "version": scale.version}
    assert "rest on this scale" in clara.post(address, sent).json()["problem"]
    clara.post(reverse("patients:record_delete", args=["imagingmeasure", scale.public_id]), {"reason": "Wrong coin"})
    assert ImagingMeasure.objects.filter(pk=scale.pk).exists()


@pytest.mark.parametrize(
    ("kind", "points", "more", "said"),
    [
        pytest.param(
            "DISTANCE", [[10, 10], [201, 10]], {}, "201, 10 lies outside the picture of 200 × 100", id="right"
        ),
        pytest.param("DISTANCE", [[10, -1], [20, 10]], {}, "10, -1 lies outside", id="above"),
        pytest.param("DISTANCE", [[10, 10], [10, 10]], {}, "coincide", id="no length"),
        pytest.param("DISTANCE", [[10, 10]], {}, "1 points do not make", id="one point"),
        pytest.param("LENGTH", [[0, 0], [40, 0], [20, 0], [20, 0]], {}, "coincide", id="no axis across"),
        pytest.param("LENGTH", [[0, 0], [40, 0], [10, 0], [40, 20]], {}, "across", id="askew axes"),
        pytest.param("PLANIMETRIC_AREA", [[0, 0], [9, 9]], {}, "2 points", id="no outline"),
        pytest.param("PLANIMETRIC_AREA", [[1, 1]] * 501, {}, "501 points", id="too many points"),
        pytest.param("VOLUME", [[0, 0], [9, 9]], {}, "not drawn", id="what is not drawn"),
        pytest.param("", [[0, 0], [9, 9]], {}, "not drawn", id="nothing"),
        pytest.param("MARK", [[0, 0]], {}, "which lesion", id="a mark of nothing"),
        pytest.param("DISTANCE", [[0, 0], [9, 9]], {"frame": "1"}, "1 frames", id="a frame it does not have"),
        pytest.param("DISTANCE", [[0, 0], [9, 9]], {"frame": "-1"}, "Which frame", id="no frame"),
        pytest.param("SCALE", [[0, 0], [9, 9]], {"known": ""}, "known length", id="no known length"),
        pytest.param("SCALE", [[0, 0], [9, 9]], {"known": "a coin"}, "known length", id="words"),
        pytest.param("SCALE", [[0, 0], [9, 9]], {"known": "1e999"}, "between 0 and 1000", id="beyond counting"),
        pytest.param("SCALE", [[0, 0], [9, 9]], {"known": "NaN"}, "between 0 and 1000", id="no number"),
        pytest.param("SCALE", [[0, 0], [9, 9]], {"known": "-4"}, "between 0 and 1000", id="less than nothing"),
    ],
)
def test_what_is_no_measurement_is_refused_in_words(picture, draw, kind, points, more, said):
    assert said in problem(draw(picture(SPACING), kind, points, **more))


@pytest.mark.parametrize(
    "sent", ["", "x", "[]", "{}", "[1]", "[[1]]", '[["a", 1]]', "[[1, NaN]]", "[[1e999, 1]]", "[" * 9999]
)
def test_points_that_are_none_are_refused_in_words(picture, clara, sent):
    address = reverse("lesions:imaging_measures", args=[picture(SPACING).public_id])
    answer = clara.post(address, {"kind": "DISTANCE", "frame": "0", "points": sent})
    assert "points cannot be read" in problem(answer)


@pytest.mark.parametrize("points", [[[90, 10], [110, 10]], [[10, 10], [10, 100.5]]])
def test_between_ultrasound_regions_there_are_no_millimetres(picture, draw, points):
    file = picture(REGIONS)
    file.height = 300
    file.save()
    assert "region" in problem(draw(file, "DISTANCE", points))


def test_a_scale_of_another_picture_or_frame_does_not_count(picture, draw):
    file, other = picture(frames=2), picture()
    draw(other, "SCALE", [[0, 0], [0, 50]], known="25")
    assert draw(file, "DISTANCE", [[0, 0], [9, 0]], scale=kept().public_id).status_code == 404
    draw(file, "SCALE", [[0, 0], [0, 50]], known="25", frame="1")
    answer = draw(file, "DISTANCE", [[0, 0], [9, 0]], scale=kept().public_id)
    assert answer.status_code == 422 and "another picture" in answer.json()["problem"]


def test_a_lesion_of_another_patient_is_not_there(picture, draw, north, south):
    for elsewhere in (north, south):
        lesion = LesionFactory(patient=PatientFactory(clinic=elsewhere))
        answer = draw(picture(SPACING), "LENGTH", [[0, 0], [40, 0]], lesion=lesion.public_id)
        assert answer.status_code == 404 and not ImagingMeasure.objects.exists()


def test_who_may_not_write_does_not_draw(picture, draw, client_of, monitor, stranger, researcher, admin):
    file = picture(SPACING)
    for person, status in ((monitor, 403), (stranger, 404), (researcher, 404), (admin, 404)):
        assert draw(file, "DISTANCE", [[0, 0], [9, 0]], by=client_of(person)).status_code == status
    assert not ImagingMeasure.objects.exists()


def test_points_are_moved_with_a_reason_that_stands_in_the_trail(picture, draw, clara):
    draw(picture(SPACING), "DISTANCE", [[10, 10], [50, 10]])
    measure = kept()
    address = reverse("lesions:imaging_redraw", args=[measure.public_id])
    sent = {"points": "[[10,10],[90,10]]", "version": measure.version}
    assert "why it is changed" in clara.post(address, sent).json()["problem"]
    stale = clara.post(address, {**sent, "version": 0, "reason": "Slipped"})
    assert stale.status_code == 409
    assert "Clara Clinician changed it meanwhile" in stale.json()["problem"] and "10" in stale.json()["problem"]
    assert clara.post(address, {**sent, "reason": "Slipped"}).status_code == 200
    assert kept().value == 20
    told = Event.objects.filter(model="lesions.imagingmeasure").latest("pk")
    assert told.reason == "Slipped" and told.changes["value"] == ["10.00", "20.00"]


def test_a_drawn_number_cannot_be_typed_over(picture, draw, clara):
    draw(picture(SPACING), "DISTANCE", [[10, 10], [50, 10]])
    measure = kept()
    address = reverse("patients:record", args=["imagingmeasure", measure.public_id])
    sent = {"measured": "DISTANCE", "value": "99", "study": measure.study_id, "version": measure.version, "reason": "x"}
    assert "move its points" in clara.post(address, sent).content.decode()
    assert kept().value == 10


def test_what_is_drawn_is_listed_with_what_its_millimetres_rest_on(picture, draw, clara, lesion):
    file = picture(DETECTOR)
    draw(file, "LENGTH", [[0, 0], [100, 0]], lesion=lesion.public_id)
    page = clara.get(file.study.get_absolute_url()).content.decode()
    assert "10.0 mm" in page and "magnification not corrected" in page


# The size of a lesion at a visit


@pytest.fixture
def measured(picture, draw, lesion):
    """``measured(header, modality)``: a lesion of 10.0 by 5.0 mm on a study, and the measurement."""

    def measured(header=DETECTOR, modality: str = "DX", **study) -> ImagingMeasure:
        file = picture(header, modality=modality, **study)
        draw(file, "LENGTH", [[0, 50], [100, 50], [50, 25], [50, 75]], lesion=lesion.public_id)
        return kept()

    return measured


@pytest.fixture
def use(clara):
    def use(measure, visit, instead_of="", by=None):
        address = reverse("lesions:imaging_use", args=[measure.public_id])
        sent = {"visit": visit.public_id, "instead_of": instead_of}
        return (by or clara).post(address, sent, follow=True)

    return use


@pytest.fixture
def visit(patient):
    return VisitFactory(patient=patient, visit_date=DAY)


def size(lesion, visit) -> tuple:
    rows = LesionObservation.objects.filter(lesion=lesion, visit=visit)
    return rows.values_list("length_mm", "width_mm", "size_method", "area_mm2").first() or ()


@pytest.mark.parametrize(
    ("modality", "method"), [("DX", "XRAY"), ("CR", "XRAY"), ("RG", "XRAY"), ("US", "US"), ("CT", "CT"), ("MR", "MRI")]
)
def test_it_becomes_the_size_at_the_visit_by_its_method(measured, use, lesion, visit, modality, method):
    LesionObservationFactory(lesion=lesion, visit=visit)
    page = use(measured(modality=modality), visit)
    assert "10.0 × 5.0 mm" in page.content.decode()
    assert size(lesion, visit) == (Decimal("10.0"), Decimal("5.0"), method, Decimal("39.3"))
    told = Event.objects.filter(model="lesions.lesionobservation").latest("pk")
    assert told.changes["length_mm"] == [None, "10.0"] and "Measured on" in told.reason


def test_a_lesion_not_yet_looked_at_gets_its_size_and_stays_unanswered(measured, use, lesion, visit):
    use(measured(), visit)
    assert size(lesion, visit)[0] == 10 and LesionObservation.objects.get().status_change == ""


def test_a_signed_visit_refuses(measured, use, lesion, visit):
    LesionObservationFactory(lesion=lesion, visit=visit)
    visit.state = VisitState.SIGNED
    Visit.objects.bulk_update([visit], ["state"])
    measure = measured()
    assert "is signed" in use(measure, visit).content.decode()
    assert size(lesion, visit)[0] is None


def test_a_size_that_stands_is_replaced_only_by_somebody_who_saw_it(measured, use, clara, lesion, visit):
    LesionObservationFactory(lesion=lesion, visit=visit, length_mm=9, width_mm=7, size_method="CALIPER")
    measure = measured()
    assert "changed meanwhile" in use(measure, visit).content.decode()
    assert size(lesion, visit)[2] == "CALIPER"
    page = clara.get(measure.study.get_absolute_url())
    standing = page.context["rows"][0].uses[0].standing
    assert "9.0 × 7.0 mm, Calliper" in standing and f"instead of {standing}" in page.content.decode()
    use(measure, visit, instead_of=standing)
    assert size(lesion, visit)[2] == "XRAY"


def test_a_lesion_that_is_gone_gets_no_size(measured, use, lesion, visit):
    LesionObservationFactory(lesion=lesion, visit=visit, status_change="RESOLVED")
    assert "has no size at that visit" in use(measured(), visit).content.decode()
    assert size(lesion, visit)[0] is None


def test_a_visit_of_another_time_or_patient_is_not_offered(measured, use, patient, lesion, north, clara):
    measure = measured()
    late = VisitFactory(patient=patient, visit_date=DAY + datetime.timedelta(days=31))
    assert "gives no size" in use(measure, late).content.decode()
    assert clara.get(measure.study.get_absolute_url()).context["rows"][0].uses == []
    other = VisitFactory(patient=PatientFactory(clinic=north), visit_date=DAY)
    assert use(measure, other).status_code == 404
    assert not LesionObservation.objects.exists()


def test_a_study_of_a_visit_gives_the_size_of_that_visit_only(measured, use, patient, visit, lesion):
    own = VisitFactory(patient=patient, visit_date=DAY - datetime.timedelta(days=60))
    lesion.first_recorded = own.visit_date
    lesion.save()
    measure = measured(visit=own)
    assert "gives no size" in use(measure, visit).content.decode()
    use(measure, own)
    assert size(lesion, own)[0] == 10


def test_a_typed_measurement_is_not_offered(clara, patient, lesion, visit):
    study = ImagingStudyFactory(patient=patient)
    ImagingMeasureFactory(study=study, lesion=lesion)
    assert clara.get(study.get_absolute_url()).context["rows"][0].uses == []


# One lesion on its pictures, and two pictures


def test_a_lesion_s_pictures_stand_by_date_in_the_same_millimetres(measured, clara, lesion):
    measured(study_date=PartialDate(2026, 3, 1))
    measured(header=SPACING, modality="CT", study_date=PartialDate(2025, 3, 1))
    page = clara.get(reverse("lesions:lesion_pictures", args=[lesion.public_id]))
    found = page.context["sights"]
    assert [str(one.study.study_date) for one in found] == ["2025-03-01", "2026-03-01"]
    sides = [piece.side_mm for one in found for piece in one.pieces]
    assert len(sides) == 2 and "10.0 × 5.0 mm" in page.content.decode()


@pytest.mark.parametrize("page", ["pictures", "study"])
def test_a_page_asks_as_often_for_many_measurements_as_for_one(measured, draw, clara, lesion, page):
    measure = measured()
    address = measure.study.get_absolute_url()
    if page == "pictures":
        address = reverse("lesions:lesion_pictures", args=[lesion.public_id])
    clara.get(address)
    few = queries(clara, address)
    for place in range(4):
        draw(measure.file, "LENGTH", [[0, place], [40, place]], lesion=lesion.public_id)
        measured()
    assert queries(clara, address) <= few


def queries(client, address: str) -> int:
    asked: list[str] = []

    def count(execute, sql, *more):
        asked.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(count):
        client.get(address)
    return len(asked)


def test_two_pictures_show_the_lesions_marked_on_either(measured, clara, patient, lesion):
    first, second = measured(), measured(header=SPACING, modality="CT")
    address = reverse("lesions:imaging_compare", args=[patient.public_id])
    page = clara.get(address, {"left": first.file.public_id, "right": second.file.public_id})
    (pair,) = page.context["pairs"]
    assert (pair.lesion, pair.left, pair.right) == (lesion, [first], [second])


def test_a_picture_of_another_patient_is_not_compared(measured, clara, patient, north):
    measured()
    other = ImagingFileFactory(study=ImagingStudyFactory(patient=PatientFactory(clinic=north)), has_preview=True)
    address = reverse("lesions:imaging_compare", args=[patient.public_id])
    assert clara.get(address, {"left": other.public_id}).status_code == 404
