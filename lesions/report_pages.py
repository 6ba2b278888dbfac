"""Pages of a PDF report as pictures, drawn by PDFium in the limited process: no browser ever opens the file.

PDFium is built without a script engine, form fields are not drawn, nothing is fetched. A report that cannot be drawn is
kept without a picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PAGES = 20
PAGE_SIDE = 2000  # pixels of the longer side of a page in the viewer
POINTS, DOTS = 72, 170  # points and dots to the inch


class NotDrawn(Exception):
    """PDFium does not make a picture of it."""


def pages(path: Path, *, longest: int = PAGE_SIDE, most: int = MOST_PAGES) -> tuple[int, Iterator[Image]]:
    """(pages in all, the first ``most`` as grey or colour pictures). Raises :class:`NotDrawn`."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
        count = len(document)
    except Exception as problem:
        raise NotDrawn from problem
    if not count:
        raise NotDrawn
    return count, (_drawn(document, number, longest) for number in range(min(count, most)))


def _drawn(document: Any, number: int, longest: int) -> Image:
    try:
        page = document[number]
        side = max(page.get_size())
        if not 1 <= side <= 1e6:
            raise NotDrawn
        scale = min(DOTS / POINTS, longest / side)
        picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
        page.close()
    except MemoryError:
        raise
    except Exception as problem:
        raise NotDrawn from problem
    return picture
