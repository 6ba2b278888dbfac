"""The shape of a status: drawn in marks.svg, coloured by data-status."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _


@lru_cache(maxsize=256)
def status_mark(status: str, kind: str = "") -> SafeString:
    """The mark of a status code (NEW, LARGER, … or ULCER); ``kind``: a class beside its own. A page has hundreds."""
    return format_html(
        '<svg class="status-mark{}" data-status="{}" viewBox="0 0 12 12" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"/></svg>',
        f" {kind}" if kind else "", status, static("registry/marks.svg"), status,
    )  # fmt: skip


def lesion_tag(label: str, status: str, *, ulcerated: bool, url: str = "") -> SafeString:
    """A lesion's label with the shape and colour of its status; an ulcer is a mark on top."""
    open_, close = (f'a href="{escape(url)}"', "a") if url else ("span", "span")
    shape = status_mark(status) if status else ""
    ulcer = ""
    if ulcerated:
        said = f'<span class="visually-hidden">, {escape(_("ulcerated"))}</span>'
        ulcer = status_mark("ULCER", "status-mark-ulcer") + said
    return mark_safe(
        f'<{open_} class="lesion-tag" data-status="{escape(status)}">{shape}{escape(label)}{ulcer}</{close}>'
    )
