"""From the rows of a dataset to times until something happened. Pure; one subject a place.

Time runs from registration (of a lesion: from its first recording), never from onset: before, nobody was watched. What
was there at the start is left out of first events. An event seen at a visit happened since the visit before: it is put
in the middle of that interval, and the interval is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.crowd import Crowd
from calcinosis_registry.reports.frame import YEAR, Frame, worked_once

CENSORED, EVENT, EXCISED, DEATH = 0, 1, 2, 3
INFECTED = ("SUSPECTED", "CONFIRMED_CULTURE")
FEATURES = ("ulcer", "extrusion", "infection")


@dataclass(frozen=True)
class Times:
    """``years`` until ``causes`` (0 censored, 1 the event, 2 excised, 3 death) of each subject.

    ``patient``: the place of its patient, the cluster; ``interval``: years within which an event seen at a visit lies,
    NaN where nothing was seen; ``before``: subjects left out for having it at the start; ``unseen``: left out because
    nobody looked a second time.
    """

    years: Array
    causes: Array
    patient: Array
    interval: Array
    before: Crowd
    unseen: Crowd

    def __len__(self) -> int:
        return len(self.years)

    @property
    def events(self) -> Array:
        return (self.causes == EVENT).astype(int)

    def having(self, cause: int = EVENT) -> Crowd:
        """Who had it."""
        return Crowd(self.patient[self.causes == cause])

    def at_risk(self, moment: float) -> Crowd:
        """Who is still followed without anything having happened."""
        return Crowd(self.patient[self.years >= moment])

    def of(self, chosen: Array) -> Times:
        """The subjects chosen by a mask; those left out are counted with all."""
        return Times(self.years[chosen], self.causes[chosen], self.patient[chosen], self.interval[chosen],
                     self.before, self.unseen)  # fmt: skip


@worked_once
def features(data: Frame) -> dict[str, Array]:
    """{feature: was it seen} of every observation row: ulcer, extrusion (chalky, milky, or emptied), infection."""
    rows = data["observations"]
    return {
        "ulcer": rows.isin("ulcerated", "Y"),
        "extrusion": rows.isin("drainage", "CHALKY", "MILKY") | rows.isin("status_change", "EXTRUDED_COMPLETE"),
        "infection": rows.isin("infection", *INFECTED),
    }


@worked_once
def answered(data: Frame) -> dict[str, Array]:
    """{feature: was it answered yes or no} of every observation row."""
    rows = data["observations"]
    told = {
        "ulcer": rows.isin("ulcerated", "Y", "N"),
        "extrusion": ~rows.isin("drainage", None, "U"),  # type: ignore[arg-type]
        "infection": ~rows.isin("infection", None, "U"),  # type: ignore[arg-type]
    }
    return {name: told[name] | seen for name, seen in features(data).items()}


@worked_once
def visit_days(data: Frame) -> Array:
    """The day of the visit of every observation row."""
    visits, rows = data["visits"], data["observations"]
    return _joined(visits.patient, visits.numbers("visit_no"), visits.days("visit_date"), rows.patient,
                   rows.numbers("visit_no"))  # fmt: skip


@worked_once
def lesion_places(data: Frame) -> Array:
    """The place of the lesion of every observation row in the table of lesions."""
    lesions, rows = data["lesions"], data["observations"]
    found = _joined(lesions.patient, lesions.numbers("lesion_no"), np.arange(len(lesions), dtype=float),
                    rows.patient, rows.numbers("lesion_no"))  # fmt: skip
    return np.where(np.isnan(found), -1, found).astype(np.int64)


@worked_once
def deaths(data: Frame) -> Array:
    """The day each patient died, NaN of those who live or whose date is not known."""
    return _per_patient(data, data["patients"].patient, data["patients"].middles("death_date"))


@worked_once
def entries(data: Frame) -> Array:
    """The day each patient was registered."""
    return _per_patient(data, data["patients"].patient, data["patients"].days("registered_on"))


@worked_once
def first_in_patient(data: Frame, feature: str) -> Times:
    """Time from registration to the first visit at which any lesion of the patient showed a feature."""
    days, flagged = visit_days(data), features(data)[feature]
    rows = data["observations"]
    return _patient_times(data, _least(rows.patient[flagged], days[flagged], len(data.patients)))


@worked_once
def first_new_lesion(data: Frame) -> Times:
    """Time from registration to the first incident lesion (clinical-model 6.3)."""
    lesions = data["lesions"]
    new = lesions.isin("incident", 1)
    return _patient_times(data, _least(lesions.patient[new], lesions.days("first_recorded")[new], len(data.patients)))


def of_lesions(data: Frame, wanted: Sequence[str], *, feature: str = "") -> Times:
    """Time from the first recording of a lesion to a ``feature`` or to one of the ``wanted`` changes of status.

    Excision and the patient's death compete; a lesion merged into another is followed until then.
    """
    rows, lesions, at, days = data["observations"], data["lesions"], lesion_places(data), visit_days(data)
    flagged = features(data)[feature] if feature else rows.isin("status_change", *wanted)
    seen = ~rows.isin("status_change", None, "NOT_ASSESSED") & (at >= 0)  # type: ignore[arg-type]
    n = len(lesions)
    event = _least(at[flagged & seen], days[flagged & seen], n)
    gone = rows.isin("status_change", "EXCISED") & seen
    excised = _least(at[gone], days[gone], n)
    merged = _least(at[m := rows.isin("status_change", "MERGED") & seen], days[m], n)
    last = np.fmin(-_least(at[seen], -days[seen], n), merged)
    before = _previous(at[seen], days[seen], event)
    return _times(lesions.days("first_recorded"), event, before, last, excised, deaths(data)[lesions.patient],
                  lesions.patient)  # fmt: skip


def recurrences(data: Frame) -> Times:
    """Time from the visit at which a lesion was found excised to the recording of its recurrence."""
    lesions = data["lesions"]
    excised = lesions.isin("current_status", "EXCISED")
    back = lesions.isin("lineage", "RECURRENCE")
    found = _joined(lesions.patient[back], lesions.numbers("parent_lesion_no")[back],
                    lesions.days("first_recorded")[back], lesions.patient, lesions.numbers("lesion_no"))  # fmt: skip
    visits = data["visits"]
    last = -_least(visits.patient, -visits.days("visit_date"), len(data.patients))
    before = _previous(visits.patient, visits.days("visit_date"), found[excised], lesions.patient[excised])
    start = lesions.days("closed_on")
    nothing = np.full(int(excised.sum()), np.nan)
    whose = lesions.patient[excised]
    return _times(start[excised], found[excised], np.fmax(before, start[excised]), last[whose], nothing,
                  deaths(data)[whose], whose)  # fmt: skip


def followed_years(data: Frame) -> Array:
    """Years from the first to the last visit of each patient: the time in which something could be seen."""
    visits, n = data["visits"], len(data.patients)
    days = visits.days("visit_date")
    span = -_least(visits.patient, -days, n) - _least(visits.patient, days, n)
    return np.nan_to_num(span) / YEAR


def episodes(data: Frame, feature: str) -> Array:
    """How often each patient's lesions newly showed a feature: now seen, not when last looked at."""
    rows, flagged, told = data["observations"], features(data)[feature], answered(data)[feature]
    at, days = lesion_places(data), visit_days(data)
    order = np.lexsort((days, at))
    order = order[told[order] & (at[order] >= 0)]
    begun = flagged[order][1:] & ~flagged[order][:-1] & (at[order][1:] == at[order][:-1])
    return np.bincount(rows.patient[order][1:][begun], minlength=len(data.patients))


def new_lesions(data: Frame) -> Array:
    """Incident lesions of each patient."""
    lesions = data["lesions"]
    new = lesions.isin("incident", 1)
    return np.bincount(lesions.patient[new], minlength=len(data.patients))


# ---- the parts


def _patient_times(data: Frame, event: Array) -> Times:
    visits, n = data["visits"], len(data.patients)
    days = visits.days("visit_date")
    first, last = _least(visits.patient, days, n), -_least(visits.patient, -days, n)
    # Seen at the first visit: nobody knows whether it came before or after registration.
    start = np.fmax(entries(data), first)
    before = _previous(visits.patient, days, event)
    times = _times(entries(data), event, before, last, np.full(n, np.nan), deaths(data), np.arange(n), known_from=start)
    return times


def _times(
    start: Array, event: Array, before: Array, last: Array, excised: Array, death: Array, patient: Array,
    known_from: Array | None = None,
) -> Times:  # fmt: skip
    known_from = start if known_from is None else known_from
    prevalent = event <= known_from
    middle = (np.fmax(np.where(np.isnan(before), start, before), start) + event) / 2
    ends = np.stack([last, middle, excised, death])
    # The last visit ends what is known unless something happened; death after it is still known.
    something = np.where(np.isnan(ends[1:]), np.inf, ends[1:])
    which = something.argmin(axis=0)
    first = something.min(axis=0)
    happened = np.isfinite(first)
    stop = np.where(happened, first, last)
    causes = np.where(happened, which + 1, CENSORED)
    years = (stop - start) / YEAR
    watched = ~np.isnan(years) & (years > 0)
    keep = watched & ~prevalent
    interval = np.where(
        causes == EVENT, (event - np.fmax(np.where(np.isnan(before), start, before), start)) / YEAR, np.nan
    )
    patient = np.asarray(patient)
    return Times(years[keep], causes[keep], patient[keep], interval[keep], Crowd(patient[prevalent]),
                 Crowd(patient[~watched & ~prevalent]))  # fmt: skip


def _least(place: Array, values: Array, n: int) -> Array:
    """The smallest value at each of ``n`` places; NaN where there is none."""
    found = np.full(n, np.inf)
    known = ~np.isnan(values)
    np.minimum.at(found, place[known], values[known])
    return np.where(np.isinf(found), np.nan, found)


def _previous(place: Array, days: Array, event: Array, whose: Array | None = None) -> Array:
    """The last day at the place of each event that lies before it; ``whose``: the place of each event, else its own."""
    own = np.arange(len(event)) if whose is None else whose
    order = np.lexsort((days, place))
    place, days = place[order], days[order]
    wide = 4_000_000.0  # days: more than any date
    keys = place * wide + days
    at = np.searchsorted(keys, own * wide + np.nan_to_num(event), side="left") - 1
    fits = (at >= 0) & ~np.isnan(event)
    fits &= place[np.where(fits, at, 0)] == own if len(place) else False
    return np.where(fits, days[np.where(fits, at, 0)] if len(place) else np.nan, np.nan)


def _joined(place: Array, number: Array, values: Array, asked_place: Array, asked_number: Array) -> Array:
    """The value of (patient, number) for every asked pair; NaN where there is none."""
    wide = 1_000_000.0  # more rows than a patient can have
    known = ~np.isnan(number)
    keys = place[known] * wide + number[known]
    order = np.argsort(keys, kind="stable")
    keys, found = keys[order], values[known][order]
    asked = asked_place * wide + asked_number
    if not len(keys):
        return np.full(len(asked), np.nan)
    at = np.minimum(np.searchsorted(keys, np.nan_to_num(asked, nan=-1.0)), len(keys) - 1)
    return np.where(keys[at] == asked, found[at], np.nan)


def _per_patient(data: Frame, place: Array, values: Array) -> Array:
    found: Any = np.full(len(data.patients), np.nan)
    found[place] = values
    return found
