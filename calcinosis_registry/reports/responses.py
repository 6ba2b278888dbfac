"""What lesions did while a drug was given: size before and during each course. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from calcinosis_registry.reports.arrays import Array, np
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
    courses, lesions, sizes = data["treatments"], data["lesions"], _sizes(data)
    start, stop = courses.middles("start"), courses.middles("stop")
    course, lesion = _over(data, courses.isin("intent", "CALCINOSIS") & ~np.isnan(start))
    if not len(sizes.day):
        return []
    begin, end = start[course], np.where(np.isnan(stop), today, stop)[course] + AFTER_STOP
    last = sizes.last(lesion, begin + AFTER_START)
    before = np.where((last >= 0) & (sizes.day[last] >= begin - BEFORE_START), last, -1)
    after = np.full(len(lesion), -1)
    for method in np.unique(sizes.method[before[before >= 0]]):
        mine = (before >= 0) & (sizes.method[before] == method)
        after[mine] = sizes.last(lesion[mine], end[mine], method)
    fits = (after >= 0) & (sizes.day[after] > begin + AFTER_START) & (sizes.area[before] > 0)
    numbers, agents = lesions["lesion_no"], courses["agent"]
    return [
        Change(patient, str(agents[row]), numbers[place], percent_change(*areas), int(days))
        for patient, row, place, areas, days in zip(
            courses.patient[course[fits]].tolist(), course[fits].tolist(), lesion[fits].tolist(),
            zip(sizes.area[before[fits]].tolist(), sizes.area[after[fits]].tolist(), strict=True),
            (sizes.day[after[fits]] - sizes.day[before[fits]]).tolist(), strict=True,
        )
    ]  # fmt: skip


def _over(data: Frame, chosen: Array) -> tuple[Array, Array]:
    """Each chosen course beside each lesion it was given for: the rows of both."""
    courses, lesions = data["treatments"], data["lesions"]
    order = np.argsort(lesions.patient, kind="stable")
    owners = lesions.patient[order]
    first = np.searchsorted(owners, courses.patient, side="left")
    many = np.where(chosen, np.searchsorted(owners, courses.patient, side="right") - first, 0)
    course = np.repeat(np.arange(len(courses)), many)
    lesion = order[np.arange(len(course)) - np.repeat(np.cumsum(many) - many, many) + first[course]]
    links = data["treatments_lesions"]
    wide = 100_000  # more of a kind than a patient can have
    course_key = courses.patient * wide + _whole(courses.numbers("treatment_no"))
    link_key = links.patient * wide + _whole(links.numbers("treatment_no"))
    is_linked = np.isin(course_key, link_key)
    pairs = course_key[course] * wide + _whole(lesions.numbers("lesion_no"))[lesion]
    given = np.isin(pairs, link_key * wide + _whole(links.numbers("lesion_no")))
    local = courses.isin("route", *LOCAL)
    fits = np.where(is_linked[course], given, ~local[course])
    return course[fits], lesion[fits]


def _whole(numbers: Array) -> Array:
    return np.nan_to_num(numbers, nan=-1).astype(np.int64)


GONE = -1  # the method of a lesion that is gone: its area is 0 by any


@dataclass(frozen=True)
class Sizes:
    """Measurements by lesion, oldest first: the day, the area, a number for the method."""

    place: Array
    day: Array
    area: Array
    method: Array

    def last(self, place: Array, until: Array, method: int | None = None) -> Array:
        """The last measurement of each lesion up to a day, -1 without; by one method or of a lesion gone. Without a
        method: by any, and not of a lesion gone."""
        among = np.flatnonzero(self.method != GONE if method is None else np.isin(self.method, (GONE, method)))
        if not len(among):
            return np.full(len(place), -1)
        wide = 4_000_000.0  # days: more than any date
        at = np.searchsorted(self.place[among] * wide + self.day[among], place * wide + until, side="right") - 1
        found = among[np.maximum(at, 0)]
        return np.where((at >= 0) & (self.place[found] == place), found, -1)


def _sizes(data: Frame) -> Sizes:
    rows = data["observations"]
    at, days, areas = lesion_places(data), visit_days(data), rows.numbers("area_mm2")
    gone = rows.isin("status_change", "RESOLVED", "EXTRUDED_COMPLETE")
    methods = rows.codes("size_method")
    area, method = np.where(gone, 0.0, areas), np.where(gone, GONE, methods)
    measured = np.flatnonzero((at >= 0) & ~np.isnan(days) & (gone | (~np.isnan(areas) & (methods >= 0))))
    order = measured[np.lexsort((method[measured], area[measured], days[measured], at[measured]))]
    return Sizes(at[order], days[order], area[order], method[order])
