"""How a visit turned out, and which lesions are incident (clinical-model 6.3). Pure; records in, words out.

Beyond the letter of 6.3 (design decisions): the patient's first visit has no outcome, for nothing came before it, and
what it finds is prevalent; a recurrence or a part split off is worse or not as recorded, but no incident lesion.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.catalogue import Entry
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions import scoring, sites

NEGATIVE, BOTH_SIDES = "N", "B"
SOURCE = "clinical-model 6.3"


class VisitOutcome(models.TextChoices):
    PROGRESSION = "PROGRESSION", __("Progression")
    MIXED = "MIXED", __("Mixed")
    IMPROVED = "IMPROVED", __("Improved")
    STABLE = "STABLE", __("Stable")


MEANING = {
    VisitOutcome.PROGRESSION: __("a lesion new or larger, none smaller or gone"),
    VisitOutcome.MIXED: __("some lesions worse, others better"),
    VisitOutcome.IMPROVED: __("a lesion smaller or gone, none new or larger"),
    VisitOutcome.STABLE: __("no lesion changed"),
}


class Place(Protocol):
    """A lesion."""

    pk: int
    site: str
    laterality: str
    lineage: str
    first_recorded: datetime.date


class Study(Protocol):
    """An imaging study."""

    calcinosis_present: str
    body_region: str
    laterality: str
    study_date: PartialDate | None


def first_visit(visits: Sequence[Any]) -> int | None:
    """The key of the first visit that took place; ``visits`` oldest first."""
    return next((one.pk for one in visits if one.state != "MISSED"), None)


def incident_lesions(
    first: int | None, lesions: Mapping[int, Place], observations: Iterable[Any], studies: Sequence[Study]
) -> set[int]:
    """Lesions that came up after ``first``, the first visit. What was found on imaging needs a negative image of its
    place, at most 24 months old."""
    found = set()
    for one in observations:
        lesion = lesions.get(one.lesion_id)
        if one.status_change != "NEW" or one.visit_id == first or lesion is None or lesion.lineage:
            continue
        on_imaging = one.observed == "IMAGING_ONLY"
        months = months_since_negative(lesion, studies) if on_imaging else None
        if scoring.is_incident(found_on_imaging=on_imaging, months_since_negative_image=months):
            found.add(one.lesion_id)
    return found


def months_since_negative(lesion: Place, studies: Iterable[Study]) -> int | None:
    """Months, rounded up, from the newest negative image that surely showed the lesion's place before it was found."""
    ages = [
        _months(study.study_date.earliest, lesion.first_recorded)
        for study in studies
        if study.calcinosis_present == NEGATIVE
        and study.study_date is not None
        and study.study_date.earliest is not None
        and study.study_date.latest < lesion.first_recorded  # type: ignore[operator]
        and _shows(study, lesion)
    ]
    return min(ages, default=None)


def _months(start: datetime.date, end: datetime.date) -> int:
    months = 12 * (end.year - start.year) + end.month - start.month
    return months + (end.day > start.day)


def _shows(study: Study, lesion: Place) -> bool:
    if study.body_region not in sites.SITES or lesion.site not in sites.SITES:
        return False
    inside = {one.code for one in sites.descendants(study.body_region)} | {study.body_region}
    one_sided = lesion.laterality in (sites.RIGHT, sites.LEFT)
    return lesion.site in inside and (not one_sided or study.laterality in (lesion.laterality, BOTH_SIDES))


def outcomes(first: int | None, observations: Iterable[Any], incident: set[int]) -> dict[int, str]:
    """{visit: VisitOutcome} of the visits after the first that assessed a lesion."""
    statuses: dict[int, list[str]] = {}
    for one in observations:
        if one.visit_id != first and (one.status_change != "NEW" or one.lesion_id in incident):
            statuses.setdefault(one.visit_id, []).append(one.status_change)
    found = {visit: scoring.visit_outcome(told) for visit, told in statuses.items()}
    return {visit: outcome for visit, outcome in found.items() if outcome is not None}


def entries() -> list[Entry]:
    """What the codebook says of the two."""
    return [
        _entry(
            "visit.outcome", _("Visit"), _("Outcome of the visit"), _("one code"),
            _("From the status of every lesion assessed. Empty at the first visit, and where no lesion was assessed. "
              "A new lesion that is not incident is left out; a recurrence counts as new; what was excised or merged "
              "says nothing. Radiographic progression is separate."),
            tuple((one.value, f"{one.label}: {MEANING[one]}") for one in VisitOutcome),
        ),
        _entry(
            "lesion.incident", _("Lesion"), _("Incident lesion"), _("yes or no"),
            _("1: new at a visit after the first; where found on imaging only, with a negative image of its place at "
              "most 24 months before. 0: otherwise, also for recurrences and parts split off."),
            (("1", _("Yes")), ("0", _("No"))),
        ),
    ]  # fmt: skip


def _entry(key: str, record: str, label: str, type: str, meaning: str, codes: tuple[tuple[str, str], ...]) -> Entry:
    return Entry(
        key=key, record=record, section=_("Calculated"), label=label, meaning=meaning, type=type, unit="", codes=codes,
        possible="", plausible="", condition="", terms="", privacy="clinical", need="calculated", source=SOURCE,
        verified=True,
    )  # fmt: skip
