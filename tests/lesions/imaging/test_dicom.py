"""DICOM files: what the header gives, what the picture shows, and what is refused (trust-cases FILE-04 to FILE-10)."""

from __future__ import annotations

import datetime
import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesions import dicom
from lesions.dicom import DicomHeader, read_header, render_preview
from lesions.refusal import Refused
from tests.lesions.imaging.hostile.dicom_cases import JPEG, fragments
from tests.lesions.imaging.imaging_files import BIG_ENDIAN, DEFLATED, dicom_file, element, nested, plain, sample, us


@pytest.fixture
def written(tmp_path):
    def write(content: bytes):
        path = tmp_path / "upload"
        path.write_bytes(content)
        return path

    return write


def shown(path, **options) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(render_preview(path, **options)))).astype(int)


def refusal(path) -> str:
    with pytest.raises(Refused) as refused:
        read_header(path)
    return str(refused.value)


# The real files


def test_a_radiograph_fills_what_its_header_has():
    header = read_header(sample("RG3_J2KR.dcm"))
    assert (header.modality, header.study_date, header.laterality) == ("CR", datetime.date(2004, 8, 26), "R")
    assert (header.body_part, header.region, header.view) == ("EXTREMITY", "", "AP")
    assert (header.rows, header.columns, header.photometric) == (1760, 1760, "MONOCHROME1")
    assert header.patient_birth_date == datetime.date(1979, 4, 8)
    assert (header.pixel_spacing, header.burned_in) == (None, None)


def test_an_ultrasound_without_body_part_and_side_leaves_them_empty():
    header = read_header(sample("US1_J2KR.dcm"))
    assert (header.modality, header.body_part, header.laterality) == ("US", "", "")


def test_bone_is_brighter_than_air_in_a_monochrome1_radiograph():
    picture = shown(sample("RG3_J2KR.dcm"))
    assert picture.shape == (1600, 1600)
    shaft, soft_tissue, air = picture[560:620, 735:790], picture[560:620, 840:870], picture[560:620, 500:580]
    assert shaft.mean() > soft_tissue.mean() + 30 > air.mean() + 60
    assert air.mean() < 40 < 150 < shaft.mean() < 250


def test_power_doppler_is_red_and_yellow_on_grey_in_a_ybr_ultrasound():
    picture = shown(sample("US1_J2KR.dcm"))
    assert picture.shape == (480, 640, 3)
    red, green, blue = picture[205:215, 150:200].mean(axis=(0, 1))
    assert red > 200 and green > 100 and blue < 60
    assert np.ptp(picture[300:330, 20:600], axis=2).max() <= 8


def test_a_16_bit_segmented_palette_shows_grey_tissue_green_marks_and_the_blue_bar():
    picture = shown(sample("gdcm-US-ALOKA-16.dcm"))
    spread = np.ptp(picture, axis=2)
    assert spread[180:380, 60:320].max() <= 8 and picture[180:380, 60:320].std() > 15
    green = (picture[..., 1] > 200) & (picture[..., 0] < 60) & (picture[..., 2] < 60)
    assert 100 < green.sum() < 5000
    red, _green, blue = np.median(picture[447:455, 300:500], axis=(0, 1))
    assert blue > red + 10


def test_an_ultrasound_is_calibrated_by_its_regions():
    header = read_header(sample("gdcm-US-ALOKA-16.dcm"))
    assert header.pixel_spacing == pytest.approx((0.382653, 0.382653))
    assert header.pixel_spacing_from == "SequenceOfUltrasoundRegions"
    assert header.patient_name == "NAME^PATIENT^NAME"


def test_a_slice_with_unknown_types_and_no_window_shows_bone_above_tissue_above_air():
    path = sample("explicit_VR-UN.dcm")
    picture = shown(path)
    vertebra, liver, outside = (
        picture[195:205, 255:265].mean(),
        picture[230:270, 140:180].mean(),
        picture[450:500].mean(),
    )
    assert vertebra > liver > outside
    assert read_header(path).pixel_spacing == (0.859375, 0.859375)


# Made files


def test_a_header_maps_body_part_and_side(written):
    header = read_header(written(dicom_file()))
    assert (header.body_part, header.region, header.laterality) == ("HAND", "HAND", "L")
    assert (header.pixel_spacing, header.pixel_spacing_from) == ((0.2, 0.1), "PixelSpacing")
    assert DicomHeader.from_json(header.as_json()) == header


def test_an_impossible_date_is_left_empty_with_a_warning(written):
    header = read_header(written(dicom_file(study_date=element(0x00080020, "DA", b"20230230"))))
    assert header.study_date is None and header.warnings == ["The header has no readable study date."]


def test_both_polarities_of_the_same_values_are_each_other_s_negative(written):
    window = element(0x00281050, "DS", b"128") + element(0x00281051, "DS", b"256")
    normal = shown(written(dicom_file(window=window)))
    negative = shown(written(dicom_file(window=window, photometric=element(0x00280004, "CS", b"MONOCHROME1"))))
    assert normal[0, 0] < normal[-1, -1]
    assert np.abs(normal + negative - 255).max() <= 1


def test_the_linear_window_follows_the_standard_s_formula(written):
    window = element(0x00281050, "DS", b"100") + element(0x00281051, "DS", b"101")
    picture = shown(written(dicom_file(window=window))).ravel()
    expected = np.clip((np.arange(0, 240, 10) - 99.5) / 100 + 0.5, 0, 1) * 255
    assert np.abs(picture - expected).max() <= 0.51


def test_a_window_that_shows_nothing_is_replaced(written):
    window = element(0x00281050, "DS", b"30000") + element(0x00281051, "DS", b"10")
    assert np.ptp(shown(written(dicom_file(window=window)))) == 255


def test_a_modality_rescale_moves_the_window_to_its_values(written):
    rescale = element(0x00281052, "DS", b"-1000") + element(0x00281053, "DS", b"10")
    window = element(0x00281050, "DS", b"200") + element(0x00281051, "DS", b"401")
    picture = shown(written(dicom_file(window=window + rescale))).ravel()
    expected = np.clip((np.arange(0, 240, 10) * 10 - 1000 - 199.5) / 400 + 0.5, 0, 1) * 255
    assert np.abs(picture - expected).max() <= 0.51


def test_a_frame_of_an_enhanced_object_is_shown_by_its_own_window(written):
    def item(content: bytes) -> bytes:
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content

    def look(centre: bytes) -> bytes:
        window = element(0x00281050, "DS", centre) + element(0x00281051, "DS", b"41")
        return item(element(0x00289132, "SQ", item(window)))

    content = {
        "frames": element(0x00280008, "IS", b"2"),
        "groups": element(0x52009230, "SQ", look(b"40") + look(b"200")),
        "pixels": element(0x7FE00010, "OW", bytes(range(0, 240, 10)) * 2),
    }
    path = written(dicom_file(**content))
    first, second = shown(path, frame=0).ravel(), shown(path, frame=1).ravel()
    assert first[8] == 255 and second[8] == 0 and second[-1] == 255
    with pytest.raises(Refused, match="2 frames"):
        render_preview(path, frame=2)


def test_colour_by_plane_is_put_together(written):
    planes = bytes([200] * 24 + [100] * 24 + [50] * 24)
    colours = {
        "samples": us(0x00280002, 3),
        "photometric": element(0x00280004, "CS", b"RGB") + us(0x00280006, 1),
        "pixels": element(0x7FE00010, "OB", planes),
    }
    assert np.unique(shown(written(dicom_file(**colours))).reshape(-1, 3), axis=0).tolist() == [[200, 100, 50]]


def test_ybr_full_becomes_rgb(written):
    colours = {
        "samples": us(0x00280002, 3),
        "photometric": element(0x00280004, "CS", b"YBR_FULL") + us(0x00280006, 0),
        "pixels": element(0x7FE00010, "OB", bytes([76, 85, 255] * 24)),  # pure red (PS3.3 C.7.6.3.1.2)
    }
    red, green, blue = shown(written(dicom_file(**colours)))[0, 0]
    assert red >= 252 and green <= 3 and blue <= 3


def test_a_baseline_jpeg_keeps_its_colours_and_greys(written):
    def jpeg(picture: Image.Image, photometric: bytes, samples: int) -> Path:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=95, subsampling=0)
        coded = out.getvalue() + b"\0" * (len(out.getvalue()) % 2)
        return written(
            dicom_file(
                syntax=JPEG, pixels=fragments(coded), photometric=element(0x00280004, "CS", photometric),
                samples=us(0x00280002, samples) + (us(0x00280006, 0) if samples == 3 else b""),
                rows=us(0x00280010, 16), columns=us(0x00280011, 16),
            )
        )  # fmt: skip

    red = Image.new("RGB", (16, 16), (200, 30, 40))
    assert np.abs(shown(jpeg(red, b"YBR_FULL_422", 3))[8, 8].astype(int) - (200, 30, 40)).max() < 6
    slope = Image.linear_gradient("L").resize((16, 16))
    grey = shown(jpeg(slope, b"MONOCHROME2", 1)).astype(int)
    assert grey[-1].mean() > 200 > 60 > grey[0].mean()


def test_a_picture_is_scaled_down_and_never_up(written):
    assert shown(written(dicom_file())).shape == (4, 6)
    assert shown(written(dicom_file()), max_side=3).shape == (2, 3)


# Refused files


@pytest.mark.parametrize("length", [0, 1, 127, 128, 131, 132, 133, 140, 144, 200, 260, 300, 400, -30, -10, -1])
def test_a_file_cut_short_is_refused(written, length):
    assert refusal(written(dicom_file()[:length]))


def test_a_real_file_cut_at_any_4_kb_boundary_is_refused(written):
    whole = sample("US1_J2KR.dcm").read_bytes()
    for end in [*range(0, 1000, 7), *range(4096, len(whole), 4096), len(whole) - 1]:
        assert refusal(written(whole[:end])), end


def test_every_cut_of_a_small_file_is_refused(written):
    whole = dicom_file()
    for end in range(len(whole)):
        assert refusal(written(whole[:end])), end


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": us(0x00280010, 65535), "columns": us(0x00280011, 65535)}, "MB unpacked"),
        ({"frames": element(0x00280008, "IS", b"1000000000")}, "MB unpacked"),
        ({"frames": element(0x00280008, "IS", b"1e9")}, r"\(0028,0008\)"),
        ({"frames": element(0x00280008, "IS", b"-1")}, r"\(0028,0008\)"),
        ({"rows": element(0x00280010, "UL", struct.pack("<I", 4))}, r"Rows \(0028,0010\).*UL"),
        ({"rows": element(0x00280010, "DS", b"4")}, r"Rows \(0028,0010\).*DS"),
        ({"rows": element(0x00280010, "SS", struct.pack("<h", -4))}, r"Rows \(0028,0010\).*SS"),
        ({"rows": element(0x00280010, "US", struct.pack("<HH", 4, 4))}, r"Rows \(0028,0010\).*4 bytes"),
        ({"rows": us(0x00280010, 0)}, r"Rows \(0028,0010\) has the value 0"),
        ({"rows": b""}, r"Rows \(0028,0010\) is missing"),
        ({"columns": b""}, r"Columns \(0028,0011\) is missing"),
        ({"allocated": us(0x00280100, 7)}, r"\(0028,0100\)"),
        ({"stored": us(0x00280101, 16)}, r"\(0028,0101\)"),
        ({"samples": us(0x00280002, 3)}, r"\(0028,0002\)"),
        ({"photometric": element(0x00280004, "CS", b"HSV")}, r"\(0028,0004\)"),
        ({"sop_instance": b""}, r"SOP Instance UID \(0008,0018\)"),
        ({"sop_class": b""}, r"SOP Class UID \(0008,0016\)"),
        ({"study": b""}, r"Study Instance UID \(0020,000D\)"),
        ({"series": b""}, r"Series Instance UID \(0020,000E\)"),
        ({"sop_instance": element(0x00080018, "UI", b"1." + b"2" * 66)}, r"\(0008,0018\)"),
        ({"sop_instance": element(0x00080018, "UI", b"../../etc")}, r"\(0008,0018\)"),
        ({"pixels": b""}, r"\(7FE0,0010\) is missing"),
        ({"pixels": element(0x7FE00010, "OW", bytes(22))}, r"\(7FE0,0010\) has 22 bytes"),
        ({"pixels": element(0x7FE00010, "OW", bytes(24), 0xFFFFFFFF)}, r"\(7FE0,0010\) does not agree"),
        ({"pixels": element(0x7FE00010, "OW", bytes(24), 0xFFFFFFF0)}, r"\(7FE0,0010\) should have"),
        ({"pixels": plain()["pixels"] + b"PK\x03\x04 trailing bytes"}, "damaged|incomplete"),
        ({"modality": element(0x00080060, "CS", b"DX") * 2}, r"\(0008,0060\) is repeated"),
        ({"modality": b"\x08\x00\x60\x00??\x02\x00DX"}, r"\(0008,0060\) has no valid type"),
        ({"sequence": nested(3000)}, "nested"),
        ({"sequence": nested(17)}, "nested"),
        ({"sequence": element(0x00081115, "SQ", b"", 0xFFFFFFFF)}, "incomplete"),
        ({"sequence": b"".join(us(0x00090000 + n, n) for n in range(0x1000, 0x1000 + 20_000))}, "20000 elements"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason_and_the_tag(written, changes, reason):
    with pytest.raises(Refused, match=reason):
        read_header(written(dicom_file(**changes)))
    with pytest.raises(Refused, match=reason):
        render_preview(written(dicom_file(**changes)))


def test_sixteen_levels_are_read(written):
    assert read_header(written(dicom_file(sequence=nested(16)))).modality == "DX"


def test_a_deflated_bomb_is_refused_at_once_without_inflating(written):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(2**26)) + packer.flush()
    started = time.perf_counter()
    assert "deflated" in refusal(written(dicom_file(syntax=DEFLATED, body=bomb)))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("syntax", [BIG_ENDIAN, "1.2.840.10008.1.2.4.100", "1.2.3", ""])
def test_other_transfer_syntaxes_are_refused_naming_the_tag(written, syntax):
    assert "(0002,0010)" in refusal(written(dicom_file(syntax=syntax)))


def test_text_named_as_dicom_is_refused(written):
    assert "DICM" in refusal(written(b"This is only a letter. " * 50))


def test_damaged_pixels_are_refused_and_never_crash(written):
    whole = bytearray(sample("US1_J2KR.dcm").read_bytes())
    start = bytes(whole).rindex(b"\xff\x4f\xff\x51")  # the JPEG 2000 codestream
    whole[start + 20 : start + 4000] = bytes(3980)
    with pytest.raises(Refused, match="could not be decoded"):
        render_preview(written(bytes(whole)))


def test_seeded_mutations_of_a_file_are_read_or_refused(written):
    whole = dicom_file(palette=element(0x00281101, "US", struct.pack("<HHH", 256, 0, 16)))
    random = np.random.default_rng(20260101)
    for _round in range(400):
        changed = bytearray(whole)
        for place in random.integers(132, len(whole), size=3):
            changed[place] = random.integers(256)
        path = written(bytes(changed))
        try:
            render_preview(path)
        except Refused as refused:
            assert str(refused)


def test_the_size_limit_is_checked_on_the_whole_file(written, monkeypatch):
    monkeypatch.setattr(dicom, "MAX_FILE_BYTES", 200)
    assert "larger than" in refusal(written(dicom_file()))
