"""What lesions did while a drug was given: size before and during each course. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from calcinosis_registry.reports.frame import Frame
from calcinosis_registry.reports.histories import lesion_places, visit_days
from calcinosis_registry.reports.statistics.comparison import percent_change

BEFORE_START, AFTER_START = 365, 30  # days: a measurement in this window is the one before the course
AFTER_STOP = 90
LOCAL = frozenset({"INTRALESIONAL", "TOPICAL"})


@dataclass(frozen=True)
class Change:
    """One lesion over one course: area in % of that before, by the same method of measuring."""

    patient: int
    agent: str
    lesion: int
    percent: float
    days: int


def changes(data: Frame, today: float) -> list[Change]:
    """Every lesion measured before and during a course for calcinosis. Of a local course only the lesions linked to it.

    Before: the last measurement from 365 days before the start to 30 days after it. During: the last one by the same
    method more than 30 days after the start and no later than 90 days after the end.
    """
    courses = data["treatments"]
    linked = _links(data)
    sizes = _sizes(data)
    lesions = data["lesions"]
    own: dict[int, list[int]] = defaultdict(list)
    for place, patient in enumerate(lesions.patient.tolist()):
        own[patient].append(place)
    start, stop = courses.middles("start"), courses.middles("stop")
    found = []
    for row, patient in enumerate(courses.patient.tolist()):
        if courses["intent"][row] != "CALCINOSIS" or np.isnan(start[row]):
            continue
        chosen = linked.get((patient, courses["treatment_no"][row]))
        if chosen is None and courses["route"][row] in LOCAL:
            continue
        end = today if np.isnan(stop[row]) else float(stop[row])
        for place in own[patient]:
            if chosen is None or lesions["lesion_no"][place] in chosen:
                if (one := _change(sizes.get(place, []), float(start[row]), end)) is not None:
                    number = lesions["lesion_no"][place]
                    found.append(Change(patient, str(courses["agent"][row]), number, *one))
    return found


def _links(data: Frame) -> dict[tuple[int, int], set[int]]:
    """{(patient, course): the lesions it was given for}."""
    table = data["treatments_lesions"]
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for patient, course, lesion in zip(table.patient.tolist(), table["treatment_no"], table["lesion_no"], strict=True):
        found[patient, course].add(lesion)
    return dict(found)


def _sizes(data: Frame) -> dict[int, list[tuple[float, float, str]]]:
    """{place of a lesion: [(day, area, method)]}, oldest first; a lesion gone has area 0 by any method."""
    rows = data["observations"]
    at, days, areas = lesion_places(data), visit_days(data), rows.numbers("area_mm2")
    gone = rows.isin("status_change", "RESOLVED", "EXTRUDED_COMPLETE")
    found: dict[int, list[tuple[float, float, str]]] = defaultdict(list)
    for row in np.flatnonzero((at >= 0) & (~np.isnan(areas) | gone)).tolist():
        method = "" if gone[row] else str(rows["size_method"][row] or "")
        found[int(at[row])].append((float(days[row]), 0.0 if gone[row] else float(areas[row]), method))
    for sizes in found.values():
        sizes.sort()
    return dict(found)


def _change(sizes: list[tuple[float, float, str]], start: float, end: float) -> tuple[float, int] | None:
    before = [one for one in sizes if start - BEFORE_START <= one[0] <= start + AFTER_START and one[2]]
    if not before:
        return None
    day, area, method = before[-1]
    after = [one for one in sizes if start + AFTER_START < one[0] <= end + AFTER_STOP and one[2] in ("", method)]
    return (percent_change(area, after[-1][1]), int(after[-1][0] - day)) if after and area > 0 else None
