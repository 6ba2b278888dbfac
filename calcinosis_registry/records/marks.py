"""The shape of a status: drawn in marks.svg, coloured by data-status."""

from __future__ import annotations

from functools import lru_cache

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString


@lru_cache(maxsize=256)
def status_mark(status: str, kind: str = "") -> SafeString:
    """The mark of a status code (NEW, LARGER, … or ULCER); ``kind``: a class beside its own. A page has hundreds."""
    return format_html(
        '<svg class="status-mark{}" data-status="{}" viewBox="0 0 12 12" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"/></svg>',
        f" {kind}" if kind else "", status, static("registry/marks.svg"), status,
    )  # fmt: skip
