"""Reports as pictures of their pages, and the files of a study under the series they were made in."""

from __future__ import annotations

import io
import re

import pytest
from django.urls import reverse
from PIL import Image, ImageDraw

from lesions import report_pages
from lesions.models import ImagingFile, ImagingStudy
from tests.lesions.imaging.imaging_files import dicom_file, element


def report(pages: int = 1, size: tuple[int, int] = (595, 842)) -> bytes:
    """A PDF whose page n has n black bars."""
    drawn = []
    for page in range(1, pages + 1):
        picture = Image.new("L", size, "white")
        for bar in range(page):
            ImageDraw.Draw(picture).rectangle((50, 50 + 40 * bar, 500, 70 + 40 * bar), fill="black")
        drawn.append(picture)
    out = io.BytesIO()
    drawn[0].save(out, "PDF", save_all=True, append_images=drawn[1:])
    return out.getvalue()


def test_a_report_is_shown_as_a_picture_of_its_pages(upload, clara):
    upload(("letter.pdf", report(3)))
    file = ImagingFile.objects.get()
    assert (file.kind_of_file, file.has_preview, file.frames) == ("PDF", True, 3)
    shown = clara.get(reverse("lesions:imaging_preview", args=[file.public_id]))
    picture = Image.open(io.BytesIO(shown.getvalue()))
    assert (shown["Content-Type"], picture.format) == ("image/png", "PNG")
    assert picture.height > picture.width and picture.convert("L").getextrema()[0] < 60, "the bar is not drawn"
    page = clara.get(file.study.get_absolute_url()).content.decode()
    assert "3 pages" in page and "data-viewer=" in page and ".pdf" not in re.sub(r"letter\.pdf", "", page)


def test_every_page_of_a_report_is_a_frame_of_the_viewer(upload, clara):
    upload(("letter.pdf", report(3)))
    file = ImagingFile.objects.get()
    told = clara.post(reverse("lesions:imaging_raster", args=[file.public_id])).json()["raster"]
    assert (told["frames"], told["kind"]) == (3, "colour")
    assert (told["width"], told["height"]) == (file.width, file.height)
    tiles = [
        clara.get(reverse("lesions:imaging_tile", args=[file.public_id, frame, 0, 0, 0])).content for frame in range(3)
    ]
    assert all(tile.startswith(b"\x89PNG") for tile in tiles) and len(set(tiles)) == 3


def test_of_a_long_report_the_first_pages_are_shown(upload):
    page = upload(("long.pdf", report(report_pages.MOST_PAGES + 3, (60, 80))))
    assert ImagingFile.objects.get().frames == report_pages.MOST_PAGES
    assert "only the first ones are shown" in page.content.decode()


def test_a_page_as_large_as_a_wall_makes_no_large_picture(tmp_path):
    path = tmp_path / "wall.pdf"
    path.write_bytes(report(1).replace(b"842", b"14400").replace(b"595", b"14400"))
    _count, drawn = report_pages.pages(path)
    assert max(next(drawn).size) <= report_pages.PAGE_SIDE


def test_a_damaged_report_is_not_drawn(tmp_path):
    path = tmp_path / "damaged.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing\n%%EOF")
    with pytest.raises(report_pages.NotDrawn):
        report_pages.pages(path)


# ---- series


def image(series: int, instance: int, said: bytes) -> bytes:
    return dicom_file(
        patient_name=b"",
        sop_instance=element(0x00080018, "UI", f"1.2.3.{series}.{instance}".encode()),
        series=element(0x0020000E, "UI", f"1.2.3.{series}".encode()),
        series_number=element(0x00200011, "IS", str(series).encode()),
        series_description=element(0x0008103E, "LO", said),
        instance_number=element(0x00200013, "IS", str(instance).encode()),
    )


def test_the_files_of_a_study_stand_under_their_series(upload, clara):
    upload(
        ("a.dcm", image(10, 1, b"Hands oblique")),
        ("b.dcm", image(2, 2, b"Hands PA")),
        ("c.dcm", image(2, 1, b"Hands PA")),
    )
    study = ImagingStudy.objects.get()
    page = clara.get(study.get_absolute_url())
    heads = [
        " ".join(re.sub("<[^>]*>", " ", one).split())
        for one in re.findall(r"<h3[^>]*>(.*?)</h3>", page.content.decode(), re.S)
    ]
    assert heads == ["Series 2: Hands PA DX, 2 images", "Series 10: Hands oblique DX, 1 image"]
    assert [[file.name for file in one.files] for one in page.context["series"]] == [["c.dcm", "b.dcm"], ["a.dcm"]]


def test_what_is_no_dicom_stands_after_the_series(upload, clara):
    upload(("a.dcm", image(1, 1, b"")))
    study = ImagingStudy.objects.get()
    upload(("letter.pdf", report()), study=study.public_id)
    text = clara.get(study.get_absolute_url()).content.decode()
    assert 0 < text.index("Series 1") < text.index("Other files")
