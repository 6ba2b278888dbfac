"""The views of the body map as a page shows them, one behind each tab. Knows places and marks, no records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.records.addresses import address
from lesions import body_map

TABS = {
    "palmar": _("Palms"),
    "dorsal": _("Backs of hands"),
    "front": _("Front"),
    "back": _("Back"),
    "feet": _("Feet"),
}


def map_views(marks: Iterable[body_map.Mark], *, selectable: bool = False) -> list[dict[str, Any]]:
    """[{key, title, svg, count}] of every view, the one with most lesions first in ``open``."""
    marks = list(marks)
    behind = address("lesions:map_drawing", ..., of=body_map.drawing()[1])
    views: list[dict[str, Any]] = []
    for key, title in TABS.items():
        placed = body_map.place(marks, body_map.VIEWS[key])
        svg: SafeString = mark_safe(
            body_map.render(key, placed, selectable=selectable, drawing=behind)
        )  # our own drawing, escaped there
        views.append({"key": key, "title": title, "svg": svg, "count": sum(one.count for one in placed)})
    counts = [one["count"] for one in views]
    for index, one in enumerate(views):
        one["open"] = index == counts.index(max(counts))
    return views
