"""The viewer as a hand uses it: a known length measured by mouse and by keys, two pictures that move together."""

from __future__ import annotations

import datetime
import struct
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo import radiograph
from lesions import storage
from lesions.measuring import draw
from lesions.models import ImagingFile, ImagingMeasure, LesionObservation
from lesions.second_reading import ask
from tests.factories import (
    ImagingFileFactory,
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    MembershipFactory,
    PatientFactory,
    VisitFactory,
    a_reading,
)
from tests.lesions.imaging.imaging_files import dicom_file, element, us

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.date(2026, 5, 12)


@pytest.fixture
def patient(north: Clinic, settings: Any, tmp_path: Path) -> Any:
    settings.FILES_DIR = tmp_path / "files"
    return PatientFactory(clinic=north, images_consent=True)


@pytest.fixture
def picture(patient: Any, tmp_path: Path, settings: Any) -> Callable[..., ImagingFile]:
    """``picture(0.25)``: a stored radiograph of 400 × 300 pixels of so many mm at the detector."""

    def picture(mm: float, day: datetime.date = DAY, frames: int = 1) -> ImagingFile:
        shades = np.linspace(0, 4000, 400 * 300 * frames, dtype="<u2").reshape(frames * 300, 400)
        content = dicom_file(
            rows=us(0x00280010, 300), columns=us(0x00280011, 400), allocated=us(0x00280100, 16),
            stored=us(0x00280101, 12), high=us(0x00280102, 11), spacing=b"",
            frames=element(0x00280008, "IS", str(frames).encode()), pixels=element(0x7FE00010, "OW", shades.tobytes()),
            window=element(0x00281050, "DS", b"2000") + element(0x00281051, "DS", struct.pack("4s", b"4000")),
        )  # fmt: skip
        aside = tmp_path / "aside"
        aside.write_bytes(content)
        sha256 = storage.store(aside, settings.FILES_DIR)
        for kind in storage.RENDERED:
            storage.store_preview(sha256, settings.FILES_DIR, radiograph.preview(shades[:300]), kind)
        header = {
            **dict.fromkeys(("body_part", "region", "laterality", "view", "device"), ""), "modality": "DX",
            "study_date": str(day), "pixel_spacing": [mm, mm], "pixel_spacing_from": "ImagerPixelSpacing",
            "burned_in": None,
        }  # fmt: skip
        study = ImagingStudyFactory(patient=patient, study_date=PartialDate.of(day))
        return ImagingFileFactory(
            study=study, sha256=sha256, width=400, height=300, frames=frames, header=header, kind_of_file="DICOM",
            media_type="application/dicom", has_preview=True,
        )  # fmt: skip

    return picture


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture lies on the page."""
    box = page.locator("[data-stage]").bounding_box()
    left, top = page.evaluate(f"document.querySelector('[data-viewer]').stage.toScreen([{x}, {y}])")
    assert box is not None
    return box["x"] + left, box["y"] + top


def opened(page: Page, address: str, viewers: int = 1) -> None:
    page.goto(address)
    expect(page.locator("[data-viewer][data-ready]")).to_have_count(viewers, timeout=30_000)


def test_a_known_length_is_measured_kept_drawn_again_and_used_as_the_size(
    page: Page, sign_in: Callable[[User], None], check_axe: Callable[[Page], None], clinician: User, patient: Any,
    picture: Callable[..., ImagingFile],
) -> None:  # fmt: skip
    """200 pixels of 0.25 mm by 100 across."""
    lesion, visit = LesionFactory(patient=patient), VisitFactory(patient=patient, visit_date=DAY)
    LesionObservationFactory(lesion=lesion, visit=visit)
    file = picture(0.25)
    sign_in(clinician)
    opened(page, file.study.get_absolute_url())
    check_axe(page)
    page.click("[data-tool=size]")
    page.mouse.click(*at(page, 100, 150))
    page.mouse.click(*at(page, 300, 150))
    page.mouse.click(*at(page, 200, 100))
    expect(page.locator(".viewer-save output")).to_have_text("50.0 × 25.0 mm, 981.7 mm²")
    page.select_option("[data-field=lesion]", label=str(lesion))
    check_axe(page)
    page.click("[data-do=save]")
    expect(page.locator(".measures")).to_contain_text("50.0 × 25.0 mm")
    expect(page.locator(".measures")).to_contain_text("magnification not corrected")
    measure = ImagingMeasure.objects.get()
    assert abs(measure.value - 50) < Decimal("0.2") and measure.lesion == lesion and measure.file == file

    opened(page, file.study.get_absolute_url())
    expect(page.locator(".viewer-marks .measure text")).to_have_text(f"{lesion.label} {measure.said}")
    page.click("text=Use as size at the visit of")
    expect(page.locator(".flash")).to_contain_text("50.0 × 25.0 mm at the visit of 2026-05-12")
    assert LesionObservation.objects.get().size_method == "XRAY"


def test_everything_can_be_done_with_keys(
    page: Page, sign_in: Callable[[User], None], clinician: User, picture: Callable[..., ImagingFile]
) -> None:
    file = picture(0.25, frames=2)
    sign_in(clinician)
    opened(page, file.study.get_absolute_url())
    page.locator("[data-stage]").focus()
    fitted = page.evaluate("document.querySelector('[data-viewer]').stage.zoom")
    for key in ("+", "+", "0", "i", "r", "r", "r", "r", "Shift+ArrowRight", "PageDown"):
        page.keyboard.press(key)
    expect(page.locator("[data-frame-words]")).to_have_text("Frame 2 / 2")
    expect(page.locator("[data-act=invert]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-window]")).to_contain_text("W 4")
    assert page.evaluate("document.querySelector('[data-viewer]').stage.zoom") == fitted

    for key in ("d", "Enter", *["Shift+ArrowRight"] * 5, "Enter"):
        page.keyboard.press(key)
    wanted = 100 / fitted * 0.25
    expect(page.locator(".viewer-save output")).to_have_text(f"{wanted:.1f} mm")
    page.select_option("[data-field=kind]", "DISTANCE")
    page.locator("[data-do=save]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".measures")).to_contain_text(f"{wanted:.1f} mm")
    kept = ImagingMeasure.objects.get()
    assert abs(float(kept.value) - wanted) < 0.05 and kept.frame == 1 and kept.measured == "DISTANCE"


def test_two_pictures_show_the_same_millimetres_and_move_together(
    page: Page, sign_in: Callable[[User], None], check_axe: Callable[[Page], None], clinician: User, patient: Any,
    picture: Callable[..., ImagingFile],
) -> None:  # fmt: skip
    lesion = LesionFactory(patient=patient)
    left, right = picture(0.2, DAY - datetime.timedelta(days=300)), picture(0.1)
    for file in (left, right):
        ImagingMeasure(
            patient=patient,
            study=file.study,
            file=file,
            lesion=lesion,
            measured="LENGTH",
            points=[[100, 100], [200, 100]],
        ).save()
    sign_in(clinician)
    opened(page, f"/patients/{patient.public_id}/imaging/compare/", viewers=2)
    stages = "[...document.querySelectorAll('[data-viewer]')].map((one) => one.stage)"
    scales = f"{stages}.map((one, side) => one.zoom / [0.2, 0.1][side])"
    expect(page.locator("[data-link-words]")).to_have_text("same millimetres")
    assert len({round(one, 6) for one in page.evaluate(scales)}) == 1
    page.evaluate(f"{stages}[0].zoomBy(2)")
    page.evaluate(f"{stages}[0].pan(40, 0)")
    assert len({round(one, 6) for one in page.evaluate(scales)}) == 1
    first, second = page.evaluate(f"{stages}.map((one, side) => (one.x - 200) * [0.2, 0.1][side])")
    assert first < 0 and abs(first - second) < 1e-6
    expect(page.locator("[data-pairs] tbody tr")).to_contain_text(["20.0 mm"])
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        check_axe(page)
    page.click(f"[data-pairs] >> text={lesion.label}")
    expect(page.locator(".piece-picture")).to_have_count(2)
    check_axe(page)


# ---- without a mouse, without script, without the right to change


@pytest.fixture
def fingers(page: Page) -> Callable[..., None]:
    """``fingers("touchStart", (x, y), ...)``: what the glass tells the browser."""
    session = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return fingers


def now(page: Page) -> tuple[float, float, float, float]:
    """(zoom, x, y of the middle, width of the window)"""
    told = page.evaluate(
        "(({zoom, x, y, window}) => [zoom, x, y, window.width])(document.querySelector('[data-viewer]').stage)"
    )
    return tuple(told)


def becomes(page: Page, true: Callable[[tuple[float, float, float, float]], bool]) -> None:
    """A finger's move is drawn with the next frame, which a busy machine is late with."""
    until = time.monotonic() + 10
    while not true(now(page)):
        assert time.monotonic() < until, now(page)
        page.wait_for_timeout(50)


@pytest.mark.browser_context_args(has_touch=True, viewport={"width": 390, "height": 844})
def test_two_fingers_zoom_one_is_the_tool_and_a_pinch_sets_no_point(
    page: Page, sign_in: Callable[[User], None], clinician: User, picture: Callable[..., ImagingFile],
    fingers: Callable[..., None],
) -> None:  # fmt: skip
    file = picture(0.25)
    sign_in(clinician)
    opened(page, file.study.get_absolute_url())
    page.locator("[data-stage]").scroll_into_view_if_needed()
    zoom, _x, _y, width = now(page)
    middle_x, middle_y = at(page, 200, 150)

    def pinch() -> None:
        fingers("touchStart", (middle_x - 30, middle_y))
        fingers("touchStart", (middle_x - 30, middle_y), (middle_x + 30, middle_y))
        fingers("touchMove", (middle_x - 60, middle_y), (middle_x + 60, middle_y))
        fingers("touchEnd", (middle_x - 60, middle_y))
        fingers("touchMove", (middle_x - 50, middle_y + 4))
        fingers("touchEnd")

    pinch()
    becomes(page, lambda told: told[0] == pytest.approx(2 * zoom, rel=0.1) and told[3] == width)
    fingers("touchStart", (middle_x, middle_y))
    fingers("touchMove", (middle_x + 40, middle_y))
    fingers("touchEnd")
    becomes(page, lambda told: told[3] > width)  # one finger is the tool: the window

    page.click("[data-tool=pan]")
    expect(page.locator("[data-tool=pan]")).to_have_attribute("aria-pressed", "true")
    before, (middle_x, middle_y) = now(page), at(page, 200, 150)
    fingers("touchStart", (middle_x, middle_y))
    fingers("touchMove", (middle_x - 30, middle_y))
    fingers("touchEnd")
    becomes(page, lambda told: told[1] > before[1] and told[3] == before[3])

    page.tap("[data-act=fit]")
    page.tap("[data-tool=distance]")
    pinch()
    expect(page.locator(".viewer-marks .handle, .viewer-marks line")).to_have_count(0)
    page.tap("[data-act=fit]")
    becomes(page, lambda told: told[0] == pytest.approx(zoom, rel=0.01))  # a finger set before lands elsewhere
    for x in (100, 300):
        place = at(page, x, 150)
        fingers("touchStart", place)
        fingers("touchEnd")
    expect(page.locator(".viewer-save output")).to_have_text("50.0 mm")


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_script_the_picture_and_what_was_measured_stand_on_the_page(
    page: Page, sign_in: Callable[[User], None], clinician: User, patient: Any, picture: Callable[..., ImagingFile]
) -> None:
    lesion, file = LesionFactory(patient=patient), picture(0.25)
    drawn(file, lesion, clinician)
    sign_in(clinician)
    page.goto(file.study.get_absolute_url())
    shown = page.locator(".viewer img")
    expect(shown).to_be_visible()
    assert (box := shown.bounding_box()) is not None and box["width"] > 200
    expect(page.locator(".viewer-bar")).to_be_hidden()
    expect(page.locator(".measures")).to_contain_text("50.0 mm")
    page.goto(f"/imaging/{file.study.public_id}/score/")
    expect(page.locator(".viewer img")).to_be_visible()
    expect(page.locator("[name='R-D1.DIST-coverage']")).to_be_editable()
    picture(0.25, day=DAY - datetime.timedelta(days=100))
    page.goto(f"/patients/{patient.public_id}/imaging/compare/")
    expect(page.locator(".viewer img")).to_have_count(2)
    expect(page.locator(".viewer img").last).to_be_visible()


def drawn(file: ImagingFile, lesion: Any, by: User) -> ImagingMeasure:
    """200 pixels of 0.25 mm along a row."""
    return draw(
        file=file, kind="LENGTH", frame=0, points=[(100, 150), (300, 150)], lesion=lesion, scale=None, known_mm=None,
        by=by, now=timezone.now(),
    )  # fmt: skip


def test_kept_measurements_are_drawn_where_nobody_may_change_them_and_not_for_a_second_reader(
    page: Page, sign_in: Callable[[User], None], clinician: User, monitor: User, north: Clinic, patient: Any,
    picture: Callable[..., ImagingFile],
) -> None:  # fmt: skip
    lesion, file = LesionFactory(patient=patient), picture(0.25)
    kept = drawn(file, lesion, clinician)
    score = f"/imaging/{file.study.public_id}/score/"
    words = page.locator(".viewer-marks .measure text")
    sign_in(monitor)
    opened(page, file.study.get_absolute_url())
    expect(words).to_have_text(f"{lesion.label} {kept.said}")
    expect(page.locator("[data-tool=distance]")).to_have_count(0)
    sign_in(clinician)
    opened(page, score)
    expect(words).to_have_text(f"{lesion.label} {kept.said}")
    expect(page.locator("[data-tool=distance]")).to_have_count(0)

    a_reading(file.study, clinician)
    second = MembershipFactory(clinic=north, role="clinician").user
    ask(study=file.study, reader=second, by=clinician, now=timezone.now())
    sign_in(second)
    opened(page, score)
    page.wait_for_timeout(300)
    expect(words).to_have_count(0)


def test_tab_goes_through_the_viewer_as_it_reads_and_never_stays_in_it(
    page: Page, sign_in: Callable[[User], None], clinician: User, picture: Callable[..., ImagingFile]
) -> None:
    file = picture(0.25)
    sign_in(clinician)
    opened(page, file.study.get_absolute_url())
    page.locator("[data-tool=window]").focus()
    order = []
    for _press in range(24):
        page.keyboard.press("Tab")
        order.append(page.evaluate(
            "(({dataset, className, tagName}) => dataset.tool ?? dataset.act ?? ('stage' in dataset ? 'stage' : null)"
            " ?? ('preset' in dataset ? 'preset' : tagName))(document.activeElement)"
        ))  # fmt: skip
    tools = ["pan", "distance", "size", "outline", "mark", "scale"]
    acts = ["out", "in", "fit", "one", "invert", "turn", "reset", "full"]
    wanted = [*tools, *acts, "stage", "preset", "SUMMARY"]
    assert order[: len(wanted)] == wanted and "stage" not in order[len(wanted) :]
    page.locator("[data-stage]").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
