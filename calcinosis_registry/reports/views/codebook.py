"""The codebook on paper. It holds no data, so whoever is signed in may have it."""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from calcinosis_registry import __version__
from calcinosis_registry.codebook.catalogue import by_record
from calcinosis_registry.reports import files

KEPT = 30 * 86_400  # seconds


@require_safe
def as_pdf(request: HttpRequest) -> HttpResponse:
    if not files.pdf_possible():
        raise Http404
    answer = HttpResponse(_set(), content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="codebook.pdf"'
    return answer


def _set() -> bytes:
    """Set once, for it takes seconds: kept for as long as the page says the same."""
    records = by_record()
    context = {"records": records, "total": sum(map(len, records.values())), "version": __version__}
    page = render_to_string("codebook/printed.html", context)
    name = f"codebook-pdf-{hashlib.sha256(page.encode()).hexdigest()}"
    kept: bytes | None = cache.get(name)
    if kept is None:
        kept = files.pdf(page)
        cache.set(name, kept, timeout=KEPT)
    return kept
