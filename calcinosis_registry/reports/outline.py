"""Which chapters a report has, and what each of them holds when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as __

from calcinosis_registry.cohorts.scope import Count
from calcinosis_registry.reports.exhibits import Exhibit, Sheet

if TYPE_CHECKING:
    from calcinosis_registry.reports.summaries import Line

CHARACTERISTICS = "characteristics"
TITLES: Mapping[str, Any] = {
    CHARACTERISTICS: __("Table 1"),
    "lesions": __("Lesions"),
    "events": __("Events"),
    "course": __("Time to event"),
    "treatments": __("Treatments"),
    "outcomes": __("Outcomes"),
}
GROUPED = frozenset({CHARACTERISTICS, "events", "course", "outcomes"})  # chapters that can be told by group


@dataclass(frozen=True)
class Chapter:
    """``patients``: how many, as may be shown; ``groups``: names and sizes; ``refused``: why there are none."""

    key: str
    patients: Count
    exhibits: list[Exhibit]
    groups: list[tuple[str, str]] = field(default_factory=list)
    missing: str = ""
    refused: str = ""
    table: list[Line] = field(default_factory=list)
    sheet: Sheet | None = None

    @property
    def title(self) -> str:
        return str(TITLES[self.key])

    def exhibit(self, key: str) -> Exhibit | None:
        return next((one for one in self.exhibits if one.key == key), None)
