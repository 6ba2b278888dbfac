"""What a report consists of: exhibits, each with its title, picture, words, table and source. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.reports.references import Reference

MOST_PRINTED = 36  # rows


class OutOfScope(LookupError):
    """The project does not have the item in scope: what needs it is not reported."""


@dataclass(frozen=True)
class Sheet:
    """A table as text; a row may be marked as part of the one above it (``parts``)."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    parts: frozenset[int] = frozenset()

    @property
    def lines(self) -> list[tuple[bool, str, list[tuple[str, bool]]]]:
        """(is a part, first cell, [(cell, is its column words)]) for the page."""
        words = [words for _head, words in self.heads]
        return [
            (index in self.parts, row[0], list(zip(row[1:], words[1:], strict=True)))
            for index, row in enumerate(self.rows)
        ]

    @property
    def on_paper(self) -> Sheet:
        """What of a long table is printed; the rest is in the file."""
        return Sheet(self.header, self.rows[:MOST_PRINTED], self.parts)

    @property
    def not_printed(self) -> int:
        return max(len(self.rows) - MOST_PRINTED, 0)

    @property
    def heads(self) -> list[tuple[str, bool]]:
        columns = list(zip(*self.rows, strict=True)) or [() for _one in self.header]
        return [
            (head, not index or any(_is_words(cell) for cell in column))
            for index, (head, column) in enumerate(zip(self.header, columns, strict=True))
        ]


def _is_words(cell: str) -> bool:
    return sum(one.isalpha() for one in cell) > 12


@dataclass(frozen=True)
class Exhibit:
    """``title`` states unit and denominator; ``says`` the finding in a sentence; ``nothing`` why nothing is drawn.

    ``picture``: SVG; ``maps``: {view: SVG} of a body map; ``data``: the CSV where it holds more than the table.
    """

    key: str
    title: str
    sheet: Sheet | None = None
    picture: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    legend: tuple[tuple[str, str], ...] = ()
    says: str = ""
    notes: tuple[str, ...] = ()
    nothing: str = ""
    references: tuple[Reference, ...] = ()
    data: Sheet | None = None

    @property
    def file(self) -> Sheet | None:
        return self.data or self.sheet

    @property
    def drawings(self) -> list[tuple[str, SafeString]]:
        """(view, SVG): our own drawings, figures/ and lesions/ escape every word in them."""
        if self.picture:
            return [("", mark_safe(self.picture))]
        return [(view, mark_safe(drawn)) for view, drawn in self.maps.items()]

    @property
    def steps(self) -> list[tuple[SafeString, str]]:
        """The key of a body map: (symbol, from–to)."""
        return [(mark_safe(symbol), words) for symbol, words in self.legend]


def made(key: str, title: str | Promise, make: Callable[[], Exhibit]) -> Exhibit:
    """The exhibit, or in words that the project may not see what it needs."""
    try:
        return make()
    except OutOfScope as item:
        return nothing(key, str(title), _("The project does not have “%(item)s” in scope.") % {"item": item})


def nothing(key: str, title: str, why: str) -> Exhibit:
    """An exhibit that says in words why there is nothing to draw."""
    return Exhibit(key, title, nothing=why)
