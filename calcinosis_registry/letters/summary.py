"""One patient on one page: the lesions now, the course, the treatments, the plan. From the records; no identity."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import ngettext

from lesions import body_map, scoring
from lesions.course import course_view
from lesions.matrix import Row, rows_of
from lesions.models import ImagingStudy, TreatmentCourse
from lesions.outcome import VisitOutcome, first_visit, incident_lesions, outcomes
from lesions.patient_file import PatientFile
from lesions.timeline import Moment, timeline
from lesions.views.maps import mark_of
from patients.models import Diagnosis, Patient, Plan, Visit, VisitState

MOST_LESIONS, MOST_MAPS = 12, 3
RATINGS = (
    ("pain_nrs", __("pain")),
    ("patient_global", __("patient global")),
    ("physician_global", __("physician global")),
)


@dataclass(frozen=True)
class Summary:
    """``lesions``: those there, then the newest gone; ``left``: how many more; ``unsigned``: visits not signed."""

    diagnosis: Diagnosis | None
    last: Moment | None
    outcome: str
    lesions: list[Row]
    left: int
    maps: list[SafeString]
    legend: list[tuple[SafeString, str]]
    course: SafeString
    running: list[TreatmentCourse]
    stopped: list[TreatmentCourse]
    plan: Plan | None
    next_due: datetime.date | None
    unsigned: int

    @property
    def ratings(self) -> list[tuple[str, int]]:
        """(what, 0 to 10) of the last visit."""
        if self.last is None:
            return []
        found = ((str(label), getattr(self.last.visit, name)) for name, label in RATINGS)
        return [(label, value) for label, value in found if value is not None]


def summary_of(patient: Patient, file: PatientFile, today: datetime.date) -> Summary:
    attended = [one for one in file.visits if one.state != VisitState.MISSED]
    moments = timeline(attended, file.lesions, file.observations)
    rows = rows_of(moments, file.lesions)
    there = [row for row in rows if row.lesion.is_active]
    gone = sorted((row for row in rows if not row.lesion.is_active), key=_closed, reverse=True)
    course = course_view(moments, file.lesions, file, today)
    courses = sorted(file[TreatmentCourse], key=lambda one: (str(one.start or ""), one.pk), reverse=True)
    shown = [*there, *gone][:MOST_LESIONS]
    return Summary(
        diagnosis=file.one(Diagnosis),
        last=moments[-1] if moments else None,
        outcome=_outcome(file, attended),
        lesions=shown,
        left=len(rows) - len(shown),
        maps=_maps(there),
        legend=_legend(there),
        course=mark_safe(course.wide) if course else mark_safe(""),
        running=[one for one in courses if one.is_running],
        stopped=[one for one in courses if not one.is_running][:4],
        plan=_last_plan(file, attended),
        next_due=next((one.next_visit_due for one in reversed(attended) if one.next_visit_due), None),
        unsigned=sum(1 for one in attended if one.state != VisitState.SIGNED),
    )


def _closed(row: Row) -> str:
    return str(row.lesion.closed_on or "")


def _outcome(file: PatientFile, attended: Sequence[Visit]) -> str:
    """How the last visit turned out, in a word; "" where that cannot be said."""
    first = first_visit(file.visits)
    incident = incident_lesions(first, {one.pk: one for one in file.lesions}, file.observations, file[ImagingStudy])
    found = outcomes(first, file.observations, incident)
    code = found.get(attended[-1].pk) if attended else None
    return str(VisitOutcome(code).label).lower() if code else ""


def _maps(rows: Sequence[Row]) -> list[SafeString]:
    """The views with most lesions on them."""
    marks = [mark_of(row.lesion, status=row.lesion.current_status, ulcerated=row.lesion.ulcerated_now) for row in rows]
    placed = {key: body_map.place(marks, view) for key, view in body_map.VIEWS.items()}
    chosen = sorted((key for key in placed if placed[key]), key=lambda key: -len(placed[key]))[:MOST_MAPS]
    return [mark_safe(body_map.render(key, placed[key])) for key in placed if key in chosen]


def _legend(rows: Sequence[Row]) -> list[tuple[SafeString, str]]:
    """(symbol, in words) of every status on the maps."""
    words = {row.lesion.current_status: row.now.word for row in rows if row.now}
    return [(mark_safe(body_map.render_status_symbol(code)), word) for code, word in words.items() if code]


def _last_plan(file: PatientFile, attended: Sequence[Visit]) -> Plan | None:
    order = {visit.pk: place for place, visit in enumerate(attended)}
    plans = [one for one in file[Plan] if one.visit_id in order]
    return max(plans, key=lambda one: order[one.visit_id], default=None)


# ---- the same in sentences, for a letter


def sentences(patient: Patient, told: Summary) -> list[str]:
    """What the register knows, as paragraphs of a letter."""
    found = [_disease(told), _lesions(told), _treatments(told), _next(told)]
    return [one for one in found if one]


def _disease(told: Summary) -> str:
    if told.diagnosis is None:
        return _("The patient is in our care for calcinosis cutis.")
    disease = str(told.diagnosis.get_primary_ctd_display())
    disease = f"{disease} ({told.diagnosis.short})" if told.diagnosis.short.lower() != disease.lower() else disease
    since = told.diagnosis.first_calcinosis
    text = _("The patient is in our care for calcinosis cutis; underlying disease: %(disease)s.") % {"disease": disease}
    if since and since.earliest:
        text += " " + _("First calcinosis: %(when)s.") % {"when": since}
    return text


def _lesions(told: Summary) -> str:
    if told.last is None:
        return _("No visit is recorded yet.")
    day, active = told.last.visit.visit_date, [row for row in told.lesions if row.lesion.is_active]
    count = sum(1 for one in told.last.known.values() if scoring.is_active(one.status_change))
    text = ngettext(
        "At the last visit on %(day)s there was %(n)s lesion",
        "At the last visit on %(day)s there were %(n)s lesions",
        count,
    ) % {"day": day, "n": count}
    places = [f"{row.lesion.where}{_(' (ulcerated)') if row.lesion.ulcerated_now else ''}" for row in active[:6]]
    text += f": {'; '.join(places)}{_(' and others') if count > len(places) else ''}." if places else "."
    if told.outcome:
        text += " " + _("Compared with the visit before: %(outcome)s.") % {"outcome": told.outcome}
    if told.ratings:
        text += " " + _("Ratings (0–10): %(all)s.") % {
            "all": ", ".join(f"{label} {value}" for label, value in told.ratings),
        }  # fmt: skip
    return text


def _treatments(told: Summary) -> str:
    parts = []
    if told.running:
        parts.append(_("Current treatment: %(all)s.") % {"all": "; ".join(treatment(one) for one in told.running)})
    if told.stopped:
        parts.append(_("Earlier: %(all)s.") % {"all": "; ".join(treatment(one) for one in told.stopped)})
    return " ".join(parts)


def treatment(one: TreatmentCourse) -> str:
    """``Diltiazem 240 mg once a day, since 2024-03; response: partial``."""
    dose = f" {one.dose.normalize():f} {one.get_dose_unit_display()}" if one.dose is not None else ""
    often = f" {str(one.get_frequency_display()).lower()}" if one.frequency and one.frequency != "OTHER" else ""
    start = _(", since %(day)s") % {"day": one.start} if one.is_running and one.start else ""
    stop = _(", until %(day)s") % {"day": one.stop} if not one.is_running and one.stop else ""
    answer = ""
    if one.response and one.response != "U":
        answer = _("; response: %(word)s") % {"word": str(one.get_response_display()).lower()}
    return f"{one.name}{dose}{often}{start}{stop}{answer}"


def _next(told: Summary) -> str:
    parts: list[Any] = []
    if told.plan is not None:
        parts += [told.plan.goals, told.plan.treatment_steps]
    text = " ".join(str(one).strip() for one in parts if one)
    if told.next_due:
        text = f"{text} {_('Next visit planned for %(day)s.') % {'day': told.next_due}}".strip()
    return text
