"""What looks wrong only beside other records: the previous observation, other courses. Pure; no queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from django.utils.translation import gettext as _

from calcinosis_registry.quality.findings import Finding
from lesions import scoring
from lesions.models import LesionObservation, LesionStatus, TreatmentCourse

MUCH_LARGER = 2  # clinical-model 12.3 (7): more than twice the previous size is confirmed
_JUDGED = frozenset({LesionStatus.LARGER, LesionStatus.STABLE, LesionStatus.SMALLER})


def observation_findings(current: LesionObservation, earlier: Sequence[LesionObservation]) -> Iterator[Finding]:
    """Findings of an observation beside the earlier ones of its lesion, oldest first."""
    before = [one.measurement for one in earlier if one.length_mm is not None]
    if before and current.length_mm is not None:
        yield from _size_findings(current, before)
    into = current.merged_into_id or current.lesion.merged_into_id
    if current.status_change == LesionStatus.MERGED and into is None:
        yield Finding("merged_without_lesion", _("Merged, but into which lesion?"), "status_change")


def _size_findings(current: LesionObservation, before: Sequence[scoring.Measurement]) -> Iterator[Finding]:
    last, now = before[-1], current.measurement
    if last.method == now.method and now.length_mm > MUCH_LARGER * last.length_mm:  # type: ignore[operator]
        sizes = {"now": now.length_mm, "before": last.length_mm}
        yield Finding("size_doubled", _("%(now)s mm, was %(before)s mm: is it right?") % sizes, "length_mm")
    course = scoring.compare_course(before, now)
    if course is None or current.status_change not in _JUDGED or course.last.status == current.status_change:
        return
    shown = {
        "area": f"{course.last.area_pct:+.0f}",
        "suggested": LesionStatus(course.last.status).label.lower(),
        "said": current.get_status_change_display().lower(),
    }
    yield Finding(
        "status_against_size",
        _("The area changed by %(area)s %%, which reads as %(suggested)s; recorded as %(said)s.") % shown,
        "status_change",
    )


def overlapping_courses(courses: Iterable[TreatmentCourse]) -> Iterator[tuple[TreatmentCourse, Finding]]:
    """(the later course, finding) where two courses of the same agent and route surely overlap (12.4 (12)).

    The courses are of one patient.
    """
    for first, second in combinations(sorted(courses, key=lambda one: str(one.start or "")), 2):
        same = (first.agent, first.agent_other.casefold(), first.route) == (
            second.agent, second.agent_other.casefold(), second.route,
        )  # fmt: skip
        if same and first.start and second.start and _runs_into(first, second):
            message = _("Overlaps with the course of the same drug from %(start)s.") % {"start": first.start}
            yield second, Finding("course_overlaps", message, "start")


def _runs_into(first: TreatmentCourse, second: TreatmentCourse) -> bool:
    """Surely: even on the reading of the dates that keeps the courses apart."""
    if first.stop is None:
        return first.ongoing == "Y"
    if first.stop.earliest is None or second.start is None or second.start.latest is None:
        return False
    return second.start.latest < first.stop.earliest
