"""Reports as files: CSV, SVG, PNG and PDF. WeasyPrint sets pages and figures in the register's own typeface."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from ctypes.util import find_library
from functools import cache
from io import BytesIO
from pathlib import Path
from re import search
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string

from calcinosis_registry.reports.exhibits import Exhibit
from calcinosis_registry.reports.figures.canvas import INK, PAPER, SOFT, element, text
from lesions.svg import NAMESPACE

KINDS = ("svg", "png", "csv")
STATIC = Path(settings.BASE_DIR) / "calcinosis_registry" / "static"
PNG_SCALE = 2.5  # of 96 dots an inch: sharp in print and on a dense screen
MARGIN, HEAD, FOOT, LINE = 24.0, 26.0, 20.0, 22.0


def csv_answer(name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(answer)
    writer.writerow(header)
    writer.writerows(rows)
    return answer


def figure_answer(exhibit: Exhibit, view: str, kind: str, *, whose: str) -> HttpResponse | None:
    """One figure (of a body map one ``view``) as a file; None where there is none."""
    name = "-".join(one for one in (exhibit.key, view) if one)
    if kind == "csv":
        sheet = exhibit.file
        return csv_answer(f"{name}.csv", sheet.header, sheet.rows) if sheet else None
    drawn = exhibit.maps.get(view, "") if view else exhibit.picture
    if not drawn:
        return None
    alone = standalone(drawn, exhibit.title, whose)
    if kind == "svg":
        return _file(f"{name}.svg", alone.encode(), "image/svg+xml; charset=utf-8")
    return _file(f"{name}.png", png(alone), "image/png") if pdf_possible() else None


def pdf_answer(name: str, template: str, context: dict[str, Any]) -> HttpResponse:
    return pdf_file(name, pdf(render_to_string(template, context)))


def pdf_file(name: str, content: bytes) -> HttpResponse:
    return _file(name, content, "application/pdf")


def _file(name: str, content: bytes, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# ---- a figure by itself


def standalone(drawn: str, title: str, whose: str) -> str:
    """The figure with its title above and whose it is below: what a file must say when it travels alone."""
    width, height = size_of(drawn)
    across = max(width, 520.0)
    lines = _wrapped(title, across, 15)
    top = MARGIN + LINE * len(lines) + 8
    whole = (across + 2 * MARGIN, top + height + FOOT + MARGIN)
    parts = [element("rect", width=whole[0], height=whole[1], fill=PAPER)]
    parts += [
        text(line, MARGIN, MARGIN + 6 + LINE * index, size=15, kind="", fill=INK, weight=650)
        for index, line in enumerate(lines)
    ]
    inside = drawn.replace("<svg ", f'<svg x="{MARGIN + (across - width) / 2:g}" y="{top:g}" width="{width:g}" '
                                    f'height="{height:g}" ', 1)  # fmt: skip
    parts += [inside, text(whose, MARGIN, whole[1] - MARGIN + 6, size=11, kind="", fill=SOFT)]
    return element(
        "svg", "".join(parts), xmlns=NAMESPACE, viewBox=f"0 0 {whole[0]:g} {whole[1]:g}", width=f"{whole[0]:g}",
        height=f"{whole[1]:g}", font_family="Inter Variable, Inter, Arial, sans-serif",
    )  # fmt: skip


def size_of(drawn: str) -> tuple[float, float]:
    """Width and height of a figure, from its own view box."""
    found = search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert found is not None, "a figure has a view box"  # noqa: S101
    return float(found[1]), float(found[2])


def _wrapped(words: str, room: float, size: float) -> list[str]:
    most, lines = int(room / (size * 0.55)), [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


# ---- WeasyPrint


@cache
def pdf_possible() -> bool:
    """Is Pango here? Without it pages are printed from the browser, and everything else works."""
    return all(find_library(name) for name in ("pango-1.0", "pangoft2-1.0"))


def pdf(page: str, *, css: str = "") -> bytes:
    """An HTML page as PDF, set with registry/report-pdf.css. Nothing outside the register is fetched."""
    from weasyprint import CSS, HTML  # 0.6 s and 45 MB
    from weasyprint.text.fonts import FontConfiguration

    fonts, fetcher = FontConfiguration(), _fetcher()
    sheets = [CSS(filename=STATIC / "registry" / "report-pdf.css", font_config=fonts, url_fetcher=fetcher)]
    sheets += [CSS(string=css, font_config=fonts)] if css else []
    document = HTML(string=page, base_url=f"{STATIC.as_uri()}/", url_fetcher=fetcher)
    found: bytes = document.write_pdf(stylesheets=sheets, font_config=fonts)
    return found


def png(alone: str) -> bytes:
    """A standalone figure as a picture: set by WeasyPrint, drawn by PDFium, both from the same font."""
    import pypdfium2

    width, height = size_of(alone)
    no_numbers = "@bottom-left { content: none } @bottom-right { content: none }"
    css = f"@page {{ size: {width:g}px {height:g}px; margin: 0; {no_numbers} }} svg {{ display: block }}"
    document = pypdfium2.PdfDocument(pdf(f"<!doctype html><html><body>{alone}</body></html>", css=css))
    # CSS pixels are 1/96 inch, PDF units 1/72.
    drawn = document[0].render(scale=PNG_SCALE * 96 / 72).to_pil()
    answer = BytesIO()
    drawn.save(answer, "PNG", optimize=True)
    return answer.getvalue()


def _fetcher() -> Any:
    from weasyprint.urls import URLFetcher, URLFetchingError

    class OwnFilesOnly(URLFetcher):
        """Fonts and style sheets from the register's static files; any other address is refused."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            path = Path(unquote(urlsplit(url).path)).resolve()
            if urlsplit(url).scheme != "file" or not path.is_relative_to(STATIC):
                raise URLFetchingError(f"{url} is not a file of the register")
            return super().fetch(url, headers)

    return OwnFilesOnly()
