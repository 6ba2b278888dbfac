"""From records to the course picture and its equal table."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.records.addresses import address
from lesions.figures import NARROW, WIDE, Bar, Course, Happening, Lane, Point, Series, Span, draw_course
from lesions.hand_record import record_total
from lesions.models import AdverseEvent, Complication, HandScore, ImagingStudy, Lesion, Procedure, TreatmentCourse
from lesions.patient_file import PatientFile
from lesions.timeline import Moment
from lesions.window import Window
from patients.models import Visit

MARGIN = datetime.timedelta(days=60)
UNTOLD = ("", "OTHER", "U")  # reasons that say nothing in a picture


@dataclass(frozen=True)
class CourseView:
    """``wide`` and ``narrow``: the same picture as SVG text for two widths. ``earlier``: treatments before it.
    ``shown``: the days it shows, ``moments``: the visits of them, ``listed``: (when, what, address) of the rest."""

    wide: str
    narrow: str
    earlier: list[TreatmentCourse]
    shown: Window
    moments: list[Moment]
    listed: list[tuple[str, str, str]]


def course_view(
    moments: Sequence[Moment], lesions: Sequence[Lesion], file: PatientFile, today: datetime.date,
    window: Window | None = None,
) -> CourseView | None:  # fmt: skip
    """None before the first visit that was attended. ``window``: only that stretch of time."""
    attended = [one for one in moments if one.visit.state != "MISSED"]
    if not attended:
        return None
    shown = _shown(attended, file, today, window)
    drugs = sorted(file[TreatmentCourse], key=_sort_key)
    there = [one for one in drugs if _runs_in(one, shown)]
    course = Course(
        first=shown.first,
        today=shown.last,
        lanes=[one for one in _lanes(attended, file, shown) if any(series.points for series in one.series)],
        bars=[_bar(one) for one in there],
        happenings=sorted(
            (one for one in _happenings(attended, lesions, file) if _happens_in(one, shown)),
            key=lambda one: one.when.earliest or shown.first,
        ),
        title=_("Course from %(first)s to %(last)s") % {"first": shown.first, "last": shown.last},
        description=_("The table below says the same in numbers."),
        bars_label=_("Treatments"),
        happenings_labels={
            "ulcer": _("New ulcers"), "complication": _("Complications"), "procedure": _("Procedures"),
            "adverse": _("Adverse events"),
        },
    )  # fmt: skip
    wide, narrow = draw_course(course, WIDE, "course-wide"), draw_course(course, NARROW, "course-narrow")
    earlier = [one for one in drugs if one.stop is not None and one.stop.latest and one.stop.latest < shown.first]
    inside = [one for one in moments if shown.holds(one.visit.visit_date)]
    return CourseView(wide, narrow, earlier, shown, inside, _listed(course))


def _shown(
    attended: Sequence[Moment], file: PatientFile, today: datetime.date, window: Window | None
) -> Window:  # fmt: skip
    """The days of the picture: what was asked for, held within what there is."""
    all_ = Window(_begin(attended, file, today), max(today, attended[-1].visit.visit_date))
    if window is None:
        return all_
    first, last = max(window.first, all_.first), min(window.last, all_.last)
    return Window(first, last, window.span) if first < last else all_


def _runs_in(course: TreatmentCourse, shown: Window) -> bool:
    begun = course.start is None or course.start.earliest is None or course.start.earliest <= shown.last
    over = course.stop is not None and course.stop.latest is not None and course.stop.latest < shown.first
    return begun and not over


def _happens_in(one: Happening, shown: Window) -> bool:
    early, late = one.when.earliest, one.when.latest
    return (late is None or late >= shown.first) and (early is None or early <= shown.last)


def _listed(course: Course) -> list[tuple[str, str, str]]:
    """What the picture shows beside the visits' numbers, in words: treatments, events, hand scores."""
    scores = [
        (_("Hand score"), point.title, point.href)
        for lane in course.lanes for series in lane.series if series.look == "score" for point in series.points
    ]  # fmt: skip
    bars = [(course.bars_label, one.title, one.href) for one in course.bars]
    names = course.happenings_labels
    return [*bars, *((names[one.look], one.title, one.href) for one in course.happenings), *scores]


def _begin(attended: Sequence[Moment], file: PatientFile, today: datetime.date) -> datetime.date:
    """A little before the first visit, or further back for treatments and events, but not so far that visits crowd."""
    first = attended[0].visit.visit_date
    days = [one.start for one in file[TreatmentCourse]] + [one.onset for one in file[Complication]]
    days += [one.performed_on for one in file[Procedure]]
    starts = [day.earliest for day in days if day is not None and day.earliest]
    furthest = first - max((today - first) * 0.25, datetime.timedelta(days=365))
    return max(min([first, *starts]) - MARGIN, furthest)


def _lanes(attended: Sequence[Moment], file: PatientFile, shown: Window) -> list[Lane]:
    def line(label: str, look: str, value: Any) -> Series:
        return _series(label, look, _points(attended, label, value), shown)

    scores = _series(_("Hand score"), "score", _score_points(file), shown)
    return [
        Lane(_("Burden"), _("mm², targets"), [line(_("Burden"), "burden", lambda one: one.burden)]),
        Lane(
            _("Pain, globals"), "0–10",
            [
                line(_("pain"), "pain", lambda one: one.visit.pain_nrs),
                line(_("patient"), "patient", lambda one: one.visit.patient_global),
                line(_("physician"), "physician", lambda one: one.visit.physician_global),
            ],
            top=10, height=72,
        ),
        Lane(
            _("Lesions"), _("number"),
            [
                line(_("active"), "active", lambda one: one.active),
                line(_("ulcerated"), "ulcerated", lambda one: one.ulcerated),
            ],
            height=44,
        ),
        Lane(_("Skin, mRSS"), "0–51", [line(_("mRSS"), "mrss", lambda one: one.visit.mrss)], top=51, height=40),
        Lane(_("Hand score"), _("unverified"), [scores], height=36),
    ]  # fmt: skip


def _series(label: str, look: str, points: list[Point], shown: Window) -> Series:
    """The points of the days shown, and the neighbours beyond them that the line comes from and leads to."""
    inside = [one for one in points if shown.holds(one.day)]
    before = [one for one in points if one.day < shown.first][-1:]
    after = [one for one in points if one.day > shown.last][:1]
    return Series(label, look, inside, *(one[0] if one and inside else None for one in (before, after)))


def _points(attended: Sequence[Moment], label: str, value: Any) -> list[Point]:
    found = []
    for one in attended:
        number = value(one)
        if number is not None:
            day = one.visit.visit_date
            found.append(Point(day, float(number), one.url, f"{day}: {label} {number:,.0f}"))
    return found


def _score_points(file: PatientFile) -> list[Point]:
    """The score of record of each radiograph that is dated."""
    readings: dict[int, list[HandScore]] = {}
    for score in file[HandScore]:
        if score.of_record and score.total is not None:
            readings.setdefault(score.study_id, []).append(score)
    found = []
    for study in file[ImagingStudy]:
        standing, day = readings.get(study.pk, []), study.study_date
        total = record_total([one.total for one in standing if one.total is not None])
        if total is not None and day is not None and day.earliest:
            middle = day.earliest + (day.latest - day.earliest) / 2  # type: ignore[operator]
            told = f"{standing[0].tool.title}: {total:f}, {standing[0].get_of_record_display()}"
            found.append(Point(middle, float(total), study.get_absolute_url(), f"{day}: {told}"))
    return sorted(found, key=lambda point: point.day)


def span_of(day: PartialDate | None) -> Span:
    return Span(None, None) if day is None else Span(day.earliest, day.latest)


def _sort_key(course: TreatmentCourse) -> tuple[str, int]:
    return (str(course.start or ""), course.pk)


def dose_words(course: TreatmentCourse) -> str:
    """``180 mg once a day``, "" where no dose was given."""
    dose = f"{course.dose.normalize():f} {course.get_dose_unit_display()}" if course.dose is not None else ""
    often = course.frequency_text or str(course.get_frequency_display()).lower()
    return " ".join(part for part in (dose, often) if part)


def period_words(start: PartialDate | None, stop: PartialDate | None, *, ongoing: bool) -> str:
    """``2022-05 – 2023-07``, ``2024-01 – now``, ``2024 –`` where the end was not told."""
    end = _("now") if ongoing else stop
    return f"{start if start is not None else '?'} – {end if end is not None else '?'}"


def rating_words(visit: Visit, name: str, not_done: str) -> str:
    """A rating of a visit: the number, ``not_done`` (in the page's language), or a dash where it was not asked."""
    value = getattr(visit, name)
    if value is not None:
        return str(value)
    return not_done if getattr(visit, f"{name.removesuffix('_nrs')}_not_done") else "—"


def _bar(course: TreatmentCourse) -> Bar:
    dose = f"{course.dose.normalize():f} {course.get_dose_unit_display()}" if course.dose is not None else ""
    why = "" if course.reason_stopped in UNTOLD else str(course.get_reason_stopped_display()).lower()
    details = [course.name, dose_words(course), period_words(course.start, course.stop, ongoing=course.is_running), why]
    return Bar(
        label=" ".join(part for part in (course.name, dose) if part) + (f": {why}" if why else ""),
        title=", ".join(part for part in details if part),
        start=span_of(course.start),
        stop=span_of(course.stop),
        ongoing=course.is_running,
        ended=course.stop is not None or course.ongoing == "N",
        href=address("patients:record", TreatmentCourse.kind(), ..., of=course.public_id),
    )


def _happenings(attended: Sequence[Moment], lesions: Sequence[Lesion], file: PatientFile) -> list[Happening]:
    labels = {lesion.pk: lesion.label for lesion in lesions}
    found = []
    for moment in attended:
        if moment.new_ulcers:
            day = moment.visit.visit_date
            word = _("ulcer") + " " + _names(moment.new_ulcers, labels)
            found.append(Happening(word, f"{day}: {word}", Span(day, day), "ulcer", moment.url))
    for model, when, look in (
        (Complication, "onset", "complication"),
        (Procedure, "performed_on", "procedure"),
        (AdverseEvent, "onset", "adverse"),
    ):
        for record in file[model]:  # type: ignore[type-abstract]
            day = getattr(record, when)
            word = " ".join(
                part for part in (_in_a_sentence(str(record)), _names(file.lesion_ids(record), labels)) if part
            )
            href = address("patients:record", model.kind(), ..., of=record.public_id)
            found.append(Happening(word, f"{day or '?'}: {word}", span_of(day), look, href))
    return found


def _in_a_sentence(name: str) -> str:
    """Without its capital, unless it is an abbreviation."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def _names(keys: Iterable[int], labels: dict[int, str]) -> str:
    return ", ".join(labels[key] for key in sorted(keys) if key in labels)
