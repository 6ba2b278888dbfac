"""Every pixel of a picture as tiles a browser can draw: one file per picture, made from it and never the other way.

Layout: ``MAGIC``, the tiles one after the other, where each of them begins (uint32, little endian, and where the last
one ends), a JSON description, and last the length of that table, the length of the description and the CRC-32 of all
before (uint32 each). Tiles stand by frame, then by level (0 is every pixel, each next one half of it), then by row and
column.

A tile of a ``grey`` picture is its 16-bit values, each less its left neighbour (modulo 65,536), the difference folded
so that small ones stay small whatever their sign (0, -1, 1, -2, ... as 0, 1, 2, 3, ...), first all low bytes, then all
high bytes, deflated (zlib, RFC 1950); of a ``colour`` picture it is a PNG or JPEG. Python's standard library reads all
of it; writing takes numpy.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"CALCRAS2"
TILE = 512  # pixels a side
SMALLEST = 1024  # no level below one that fits this
_END = struct.Struct("<III")


class Broken(ValueError):
    """Not a whole raster."""


def levels(width: int, height: int) -> list[tuple[int, int]]:
    """(width, height) of each level, from every pixel down to what fits ``SMALLEST``."""
    found = [(width, height)]
    while max(found[-1]) > SMALLEST:
        found.append(tuple(max(1, (side + 1) // 2) for side in found[-1]))  # type: ignore[arg-type]
    return found


def grid(size: tuple[int, int]) -> tuple[int, int]:
    """(columns, rows) of tiles of a level."""
    return -(-size[0] // TILE), -(-size[1] // TILE)


# Writing, in the limited process


class Writer:
    """``with Writer(path, ...) as raster: raster.add(array)`` once for each frame."""

    def __init__(self, path: Path, *, width: int, height: int, colour: str = "") -> None:
        """``colour``: the format of the tiles of a colour picture (PNG, JPEG); "" for grey values."""
        self.width, self.height, self.colour = width, height, colour
        self._path, self._starts, self._frames = path, [len(MAGIC)], 0
        self.looks: list[dict[str, Any]] = []
        self.look_of: list[int] = []

    def __enter__(self) -> Writer:
        self._file: BinaryIO = self._path.open("xb")
        self._crc = 0
        self._put(MAGIC)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        if kind is None:
            self._finish()
        self._file.close()

    def add(self, frame: np.ndarray, look: dict[str, Any]) -> None:
        """One frame: uint16 (rows, columns), or uint8 (rows, columns, 3). ``look``: how its values are to be shown."""
        if look not in self.looks:
            self.looks.append(look)
        self.look_of.append(self.looks.index(look))
        for size in levels(self.width, self.height):
            if frame.shape[:2] != size[::-1]:
                frame = _halved(frame)
            columns, rows = grid(size)
            for row in range(rows):
                for column in range(columns):
                    top, left = row * TILE, column * TILE
                    self._tile(frame[top : top + TILE, left : left + TILE])

    def _tile(self, piece: np.ndarray) -> None:
        self._put(_picture(piece, self.colour) if self.colour else _values(piece))
        self._starts.append(self._file.tell())

    def _put(self, data: bytes) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._file.write(data)

    def _finish(self) -> None:
        table = struct.pack(f"<{len(self._starts)}I", *self._starts)
        told = {
            "kind": "colour" if self.colour else "grey",
            "width": self.width,
            "height": self.height,
            "frames": len(self.look_of),
            "tile": TILE,
            "levels": levels(self.width, self.height),
            "looks": self.looks,
            "look_of": self.look_of,
        }
        description = json.dumps(told, separators=(",", ":")).encode()
        self._put(table)
        self._put(description)
        self._file.write(_END.pack(len(table), len(description), self._crc))


def _values(piece: np.ndarray) -> bytes:
    import numpy as np

    step = piece.astype("<u2", copy=True)
    step[:, 1:] -= piece[:, :-1].astype("<u2")
    signed = step.view("<i2")
    folded = ((signed << 1) ^ (signed >> 15)).view("<u2")
    pack = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    low, high = (folded & 0xFF).astype(np.uint8), (folded >> 8).astype(np.uint8)
    return pack.compress(low.tobytes()) + pack.compress(high.tobytes()) + pack.flush()


def _picture(piece: np.ndarray, form: str) -> bytes:
    import io

    import numpy as np
    from PIL import Image

    out = io.BytesIO()
    more: dict[str, Any] = {"compress_level": 2} if form == "PNG" else {"quality": 92, "subsampling": 0}
    Image.fromarray(np.ascontiguousarray(piece)).save(out, form, **more)
    return out.getvalue()


def _halved(frame: np.ndarray) -> np.ndarray:
    """Each pixel the mean of four; strip by strip, so that a large picture is never held twice."""
    import numpy as np

    rows, columns = ((side + 1) // 2 for side in frame.shape[:2])
    half = np.empty((rows, columns, *frame.shape[2:]), frame.dtype)
    for top in range(0, rows, TILE):
        strip = frame[2 * top : 2 * (top + TILE)].astype(np.uint32)
        pad = [(0, strip.shape[0] % 2), (0, strip.shape[1] % 2)] + [(0, 0)] * (frame.ndim - 2)
        strip = np.pad(strip, pad, mode="edge")
        sum_ = strip[::2, ::2] + strip[1::2, ::2] + strip[::2, 1::2] + strip[1::2, 1::2]
        half[top : top + TILE] = (sum_ + 2) >> 2
    return half


# Reading


@dataclass(frozen=True)
class Raster:
    """A raster that lies on the disk. Raises :class:`Broken` for one that is not whole, FileNotFoundError for none."""

    path: Path
    about: dict[str, Any]
    starts: tuple[int, ...]

    @classmethod
    def read(cls, path: Path) -> Raster:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise Broken("not a raster, or of another version")
            size = file.seek(0, 2)
            if size < len(MAGIC) + _END.size:
                raise Broken("too short")
            file.seek(size - _END.size)
            table, description, _crc = _END.unpack(file.read(_END.size))
            if table % 4 or table + description + len(MAGIC) + _END.size > size:
                raise Broken("the end does not fit")
            file.seek(size - _END.size - description - table)
            starts = struct.unpack(f"<{table // 4}I", file.read(table))
            about = json.loads(file.read(description))
        return cls(path, about, starts)

    def tile(self, frame: int, level: int, column: int, row: int) -> bytes | None:
        """The bytes of one tile; None where there is none such."""
        sizes = [(width, height) for width, height in self.about["levels"]]
        if not (0 <= frame < self.about["frames"] and 0 <= level < len(sizes)):
            return None
        grids = [grid(size) for size in sizes]
        columns, rows = grids[level]
        if not (0 <= column < columns and 0 <= row < rows):
            return None
        before = sum(across * down for across, down in grids)
        place = frame * before + sum(across * down for across, down in grids[:level]) + row * columns + column
        with self.path.open("rb") as file:
            file.seek(self.starts[place])
            return file.read(self.starts[place + 1] - self.starts[place])

    def pixels(self, frame: int) -> np.ndarray:
        """Every pixel of a frame: uint16 (rows, columns), or uint8 (rows, columns, 3). Raises :class:`Broken`."""
        try:
            return self._pixels(frame)
        except Broken:
            raise
        # What numpy, zlib and Pillow (UnidentifiedImageError is an OSError without errno) say of bytes that changed.
        except (zlib.error, struct.error, LookupError, TypeError, ValueError, SyntaxError) as problem:
            raise Broken("the tiles are damaged") from problem
        except OSError as problem:
            if problem.errno is not None:
                raise
            raise Broken("the tiles are damaged") from problem

    def _pixels(self, frame: int) -> np.ndarray:
        import numpy as np

        width, height = self.about["levels"][0]
        grey = self.about["kind"] == "grey"
        whole = np.empty((height, width) if grey else (height, width, 3), np.uint16 if grey else np.uint8)
        columns, rows = grid((width, height))
        for row in range(rows):
            for column in range(columns):
                place = whole[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
                tile = self.tile(frame, 0, column, row)
                if tile is None:
                    raise Broken("a tile is missing")
                place[...] = _values_of(tile, place.shape) if grey else _picture_of(tile)
        return whole


def _values_of(tile: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of :func:`_values`."""
    import numpy as np

    bytes_ = np.frombuffer(zlib.decompress(tile), np.uint8)
    low, high = bytes_[: bytes_.size // 2].astype(np.uint16), bytes_[bytes_.size // 2 :].astype(np.uint16)
    folded = (low | (high << 8)).reshape(shape)
    steps = (folded >> 1) ^ (np.uint16(0) - (folded & 1))
    return np.cumsum(steps, axis=1, dtype=np.uint16)


def _picture_of(tile: bytes) -> np.ndarray:
    """A tile of our own making: the limited process wrote it."""
    import io

    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(tile), formats=["PNG", "JPEG"]) as picture:
        return np.asarray(picture.convert("RGB"))


def is_whole(path: Path) -> bool:
    """Does every byte still agree with the checksum written last?"""
    try:
        Raster.read(path)
        left = path.stat().st_size - _END.size
        with path.open("rb") as file:
            crc = 0
            for piece in _pieces(file, left):
                crc = zlib.crc32(piece, crc)
            return crc == _END.unpack(file.read(_END.size))[2]
    except (Broken, ValueError, struct.error):
        return False


def _pieces(file: BinaryIO, left: int) -> Iterator[bytes]:
    while left > 0:
        piece = file.read(min(left, 2**20))
        if not piece:
            return
        left -= len(piece)
        yield piece
