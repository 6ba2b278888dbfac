"""The tiles of a picture: every value as it was, addressed by frame, level, column and row, and whole or refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lesions import raster
from lesions.raster import Broken, Raster, Writer, grid, is_whole, levels

LOOK = {"slope": 1, "intercept": 0}


def values(tile: bytes, width: int) -> np.ndarray:
    """A grey tile as the browser reads it."""
    low, high = np.frombuffer(zlib.decompress(tile), np.uint8).reshape(2, -1).astype(np.uint16)
    folded = (low | high << 8).reshape(-1, width)
    steps = (folded >> 1) ^ (-(folded & 1).astype(np.int32)).astype(np.uint16)
    return np.cumsum(steps, axis=1, dtype=np.uint16)


@pytest.fixture
def written(tmp_path):
    def written(*frames: np.ndarray, colour: str = "") -> Raster:
        path = tmp_path / "raster"
        height, width = frames[0].shape[:2]
        with Writer(path, width=width, height=height, colour=colour) as target:
            for frame in frames:
                target.add(frame, LOOK)
        return Raster.read(path)

    return written


def noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 65536, (height, width), dtype=np.uint16)


def test_every_value_of_every_frame_comes_back(written):
    frames = [noise(700, 1100, seed) for seed in (1, 2)]
    made = written(*frames)
    assert made.about["levels"] == [[1100, 700], [550, 350]] and made.about["frames"] == 2
    for number, frame in enumerate(frames):
        for row in range(2):
            for column in range(3):
                piece = frame[row * 512 : (row + 1) * 512, column * 512 : (column + 1) * 512]
                assert np.array_equal(values(made.tile(number, 0, column, row), piece.shape[1]), piece)


def test_a_level_is_the_mean_of_four_pixels_and_an_odd_edge_is_repeated(written):
    frame = noise(3, 1101)
    made = written(frame)
    half = values(made.tile(0, 1, 1, 0), 551 - 512)
    assert half[0, 0] == (frame[:2, 1024:1026].astype(int).sum() + 2) // 4
    assert half[1, -1] == frame[2, 1100]  # the corner: itself, four times


@pytest.mark.parametrize("place", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 3, 0), (0, 0, 0, 2), (0, 0, -1, 0)])
def test_a_tile_that_is_not_there_is_none(written, place):
    assert written(noise(700, 1000)).tile(*place) is None


def test_colour_tiles_are_pictures_of_their_own(written):
    frame = np.random.default_rng(3).integers(0, 256, (600, 20, 3), dtype=np.uint8)
    made = written(frame, colour="PNG")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(made.tile(0, 0, 0, 1)))), frame[512:])


def test_levels_go_down_to_one_that_fits_a_screen():
    assert levels(7000, 7168) == [(7000, 7168), (3500, 3584), (1750, 1792), (875, 896)]
    assert levels(1, 1) == [(1, 1)] and grid((513, 512)) == (2, 1)


@pytest.mark.parametrize("place", [0, 8, 200, -1, -9, -40])
def test_one_changed_bit_shows(written, place):
    path = written(noise(40, 40)).path
    assert is_whole(path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    assert not is_whole(path)


@pytest.mark.parametrize("content", [b"", b"picture", b"x" * 100, raster.MAGIC + struct.pack("<III", 2**31, 5, 0)])
def test_what_is_no_raster_is_broken(tmp_path, content):
    path = tmp_path / "raster"
    path.write_bytes(content)
    with pytest.raises((Broken, ValueError)):
        Raster.read(path)
    assert not is_whole(path)
