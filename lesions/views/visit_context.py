"""What the visit page shows beside its forms: the map, what is still to answer, what runs, what was recorded at it."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.models import record_kinds
from calcinosis_registry.records.questions import place_questions
from lesions.map_views import map_views
from lesions.missing import Missing
from lesions.models import Lesion, LesionObservation, TreatmentCourse
from lesions.outcome import MEANING, VisitOutcome
from lesions.row_forms import FEATURES
from lesions.services import LISTED, outcome_of
from lesions.views.maps import visit_marks
from lesions.visit_entry import VisitPage
from lesions.visit_rows import gone_before
from patients.kinds import kinds, visit_kinds
from patients.models import Change, PatientRecord, Visit, VisitRecord, VisitState

HOW_PATIENT_IS = ("pain_nrs", "patient_global", "physician_global")
IN_FRONT = (
    "visit_date", "visit_type", "calcinosis_present", *HOW_PATIENT_IS, "treatments_changed", "complications",
    "next_visit_due",
)  # fmt: skip
NEXT = (6, 12)  # months to the next visit, proposed and never filled in by itself (clinical-model 12.3 (20))


def context(page: VisitPage, *, checking: bool) -> dict[str, Any]:
    """The template's context. ``checking``: mark what is still to be answered."""
    visit, titles = page.visit, {kind: model.title() for kind, model in kinds().items()}
    missing = page.missing() if visit.visit_date else {}
    before = _visit_before(visit)
    return {
        "page": page,
        "visit": visit,
        "patient": page.patient,
        "form": page.form,
        "ratings": [page.form[name] for name in HOW_PATIENT_IS],
        "before": before,
        "change_choices": Change.choices,
        "rest": [
            field for field in page.form.visible_fields() if field.name not in IN_FRONT and field.name != "reason"
        ],
        "next_visit": _next_visit(visit.visit_date),
        "outcome": _outcome(page, before),
        "missing": missing if checking else {},
        "todo": _todo(page, missing),
        "answered": sum(row.answered for row in page.rows),
        "features": FEATURES,
        "gone": gone_before(visit) if not visit.is_locked else [],
        "running": _running(page),
        # What was seen of each lesion stands in its row.
        "recorded": [one for one in _recorded(page) if not isinstance(one[2], Lesion | LesionObservation)],
        "addable": [(model.kind(), model.title()) for model in _addable()],
        # What "Save and add" offers first; every other kind follows in the menu behind it.
        "offered": {name: [(kind, titles[kind]) for kind in offered] for name, offered in LISTED.items()},
        "maps": map_views(visit_marks(page), selectable=not visit.is_locked),
        "save_url": visit.get_absolute_url()
        if visit.pk
        else reverse("lesions:visit_new", args=[page.patient.public_id]),
    }


def _next_visit(day: datetime.date | None) -> list[tuple[int, datetime.date]]:
    """(months, the day then) to choose from; none beside a date still to come, which is no visit's (nor is 9999)."""
    if day is None or day > timezone.localdate():
        return []
    return [(months, months_later(day, months)) for months in NEXT]


def months_later(day: datetime.date, months: int) -> datetime.date:
    """The same day of a later month, or its last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


def questions_at(page: VisitPage, queries: Iterable[DataQuery]) -> list[DataQuery]:
    """Hang the open questions on their fields and rows; returns those about the visit as a whole."""
    own: list[DataQuery] = []
    rows = {row.form.instance.pk: row for row in page.rows if row.form.instance.pk}
    at = {(kind, record.pk) for kind, _title, record in _recorded(page)}
    others = []
    for query in queries:
        if query.model == Visit._meta.label_lower and query.object_id == page.visit.pk:
            own.append(query)
        elif query.model == LesionObservation._meta.label_lower and query.object_id in rows:
            rows[query.object_id].questions.append(query)
        elif (query.model.rpartition(".")[2], query.object_id) in at:
            others.append(query)
    return place_questions(page.form, own) + others


def _visit_before(visit: Visit) -> Visit | None:
    earlier = visit.patient.visits.attended().exclude(pk=visit.pk)  # type: ignore[attr-defined]
    if visit.visit_date:
        earlier = earlier.filter(visit_date__lte=visit.visit_date)
    return earlier.order_by("-visit_date", "-id").first()


def _outcome(page: VisitPage, before: Visit | None) -> tuple[VisitOutcome, Any] | None:
    """How the saved visit turned out, and what that means; the first visit has nothing to compare with."""
    visit = page.visit
    if visit.pk is None or before is None or page.data is not None or visit.state == VisitState.MISSED:
        return None
    seen = [row.form.instance for row in page.rows if row.form.instance.pk]
    code = outcome_of(visit=visit, seen=seen)
    return (VisitOutcome(code), MEANING[VisitOutcome(code)]) if code else None


def _todo(page: VisitPage, missing: dict[str, list[Missing]]) -> list[dict[str, Any]]:
    """The checklist beside the form; the script keeps it true while typing."""
    own = {str(one) for one in missing.get("", ())}
    label = {field.name: str(field.verbose_name) for field in Visit._meta.concrete_fields if field.name in IN_FRONT}
    rows = len(page.rows)
    done = sum(row.answered for row in page.rows)
    return [
        {
            "key": "visit",
            "text": _("Visit date and type"),
            "done": not own & {label["visit_date"], label["visit_type"]},
        },
        {"key": "present", "text": _("Calcinosis present"), "done": label["calcinosis_present"] not in own},
        {
            "key": "lesions",
            "text": _("Lesions: %(done)s of %(rows)s answered") % {"done": done, "rows": rows},
            "done": done == rows,
        },
        {"key": "ratings", "text": _("Pain and globals"), "done": not own & {label[name] for name in HOW_PATIENT_IS}},
        {"key": "treatments", "text": _("Treatments"), "done": label["treatments_changed"] not in own},
        {"key": "complications", "text": _("Complications"), "done": label["complications"] not in own},
    ]


def _running(page: VisitPage) -> list[TreatmentCourse]:
    return [course for course in page.patient.treatmentcourse_set.all() if course.stop is None]


def _recorded(page: VisitPage) -> list[tuple[str, str, Any]]:
    """(kind, title, record) of what was entered at this visit and is not a form on the page."""
    visit, shown = page.visit, kinds()
    on_page = {model for model in visit_kinds() if model.per_visit == 1}
    found = []
    for model in record_kinds(PatientRecord):
        if model not in page.recorded or model in on_page or model.kind() not in shown:
            continue
        rows = getattr(visit, f"{model.kind()}_set").all()
        if model is LesionObservation:
            rows = rows.select_related("lesion")
        found += [(model.kind(), model.title(), record) for record in rows]
    return found


def _addable() -> list[type[PatientRecord]]:
    """Every kind that can be added at a visit: all but those with a form on the page and the once-only ones."""
    shown = kinds()
    return [
        model
        for model in record_kinds(PatientRecord)
        if model.kind() in shown
        and not model.single
        and not model.is_consent
        and not (issubclass(model, VisitRecord) and model.per_visit == 1)
        and model.kind() != "lesion"
    ]
