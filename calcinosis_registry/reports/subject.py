"""Whom a report is about, as its chapters know it."""

from __future__ import annotations

from dataclasses import dataclass

from calcinosis_registry.reports.arrays import np
from calcinosis_registry.reports.crowd import Crowd
from calcinosis_registry.reports.frame import Frame
from calcinosis_registry.reports.grouping import Grouping
from calcinosis_registry.reports.telling import Teller


@dataclass(frozen=True)
class Subject:
    """``persons``: may marks of single people be shown (an approved project, or the own clinic)?"""

    data: Frame
    by: Grouping
    tell: Teller
    drug: str = ""

    @property
    def persons(self) -> bool:
        return self.tell.exact

    @property
    def n(self) -> Crowd:
        return Crowd(np.arange(len(self.data.patients)))
