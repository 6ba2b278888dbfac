"""A count that knows whom it counts. Outside a project what may be shown of it depends on that (cohorts/scope.py)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Self

from calcinosis_registry.reports.arrays import Array, np


class Crowd(int):
    """How many things; ``places``: of each the place of its patient, who may stand there more than once."""

    places: Array

    def __new__(cls, places: Sequence[int] | Array = ()) -> Self:
        found = np.asarray(places, np.int64)
        self = super().__new__(cls, len(found))
        self.places = found
        return self

    @property
    def people(self) -> Crowd:
        """The patients among them, each once."""
        return Crowd(np.unique(self.places))

    def __add__(self, other: Any) -> Any:
        """Together; with a plain number a plain number."""
        return Crowd(np.concatenate([self.places, other.places])) if isinstance(other, Crowd) else int(self) + other

    __radd__ = __add__

    def __reduce__(self) -> Any:
        return Crowd, (self.places,)


class Crowds(dict[Any, Crowd]):
    """{code: who has it}; nobody of a code that is not there."""

    def __missing__(self, key: Any) -> Crowd:
        return Crowd()

    @property
    def whole(self) -> Crowd:
        return Crowd(np.concatenate([one.places for one in self.values()])) if self else Crowd()


def crowds(codes: Iterable[Hashable], places: Iterable[int]) -> Crowds:
    """Who has each code."""
    found: dict[Hashable, list[int]] = {}
    for code, place in zip(codes, places, strict=True):
        found.setdefault(code, []).append(place)
    return Crowds({code: Crowd(some) for code, some in found.items()})
