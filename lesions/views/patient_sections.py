"""The clinical sections of the patient page, made from the patient's file: matrix, course, cards, map, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.quality.models import DataQuery
from lesions import body_map
from lesions.course import course_view
from lesions.families import families
from lesions.map_views import map_views
from lesions.matrix import Row, rows_of
from lesions.models import AdverseEvent, Complication, ImagingStudy, Lesion, LesionStatus, Procedure, TreatmentCourse
from lesions.outcome import first_visit, incident_lesions, outcomes
from lesions.patient_cards import RECENT, lab_rows, line_of, newest_first, other_records, study_cards, todo_of
from lesions.patient_file import PatientFile
from lesions.timeline import Moment, timeline
from lesions.views import tables
from lesions.views.kept import Disease, Sections
from lesions.views.maps import mark_code, mark_of
from lesions.window import Asked
from patients.calculated import calculated
from patients.models import Antibody, Consent, Diagnosis, LaboratoryResult, Patient, in_force
from patients.services import SCOPES

ALL = Asked()
LEGEND = ("NEW", "LARGER", "STABLE", "SMALLER", "RESOLVED", "EXTRUDED_COMPLETE", "EXCISED", "RECURRED", "NOT_ASSESSED")


def sections_of(
    patient: Patient, queries: Iterable[DataQuery], *, may_edit: bool, reader: int | None, asked: Asked = ALL
) -> Sections:
    """``queries``: the open ones; ``asked``: the stretch of the course. Rendered without a request: no account and no
    identity can get into it. ``reader``: the account, where it is to read a radiograph blind."""
    file = PatientFile(patient, reader=reader)
    labels = {lesion.pk: lesion.label for lesion in file.lesions}
    context = {
        "patient": patient,
        "summary": getattr(patient, "summary", None),
        "may_edit": may_edit and patient.registry_consent,
        "can_consent": may_edit,
        "visits": file.visits,
        **_lesions_and_course(file, asked),
        **_records(patient, file, labels),
        "todo": todo_of(patient, file.visits, file, queries),
    }
    diagnosis = file.one(Diagnosis)
    return Sections(
        main=render_to_string("lesions/_patient_main.html", context),
        aside=render_to_string("lesions/_patient_aside.html", context),
        disease=_disease(diagnosis) if diagnosis else None,
    )


def _disease(diagnosis: Diagnosis) -> Disease:
    return Disease(diagnosis.public_id, diagnosis.short, diagnosis.diagnosed_on, diagnosis.first_calcinosis)


def course_of(patient: Patient, asked: Asked, *, reader: int | None) -> SafeString:
    """The course alone, for another stretch of time."""
    file = PatientFile(patient, reader=reader)
    moments = timeline(file.visits, file.lesions, file.observations)
    first, incident = _incident(file)
    turned_out = outcomes(first, file.observations, incident)
    return render_to_string("lesions/_course.html", {"patient": patient, **_course(moments, file, turned_out, asked)})


def _incident(file: PatientFile) -> tuple[int | None, set[int]]:
    first, lesions = first_visit(file.visits), {one.pk: one for one in file.lesions}
    return first, incident_lesions(first, lesions, file.observations, file[ImagingStudy])


def _course(
    moments: list[Moment], file: PatientFile, turned_out: dict[int, str], asked: Asked
) -> dict[str, Any]:  # fmt: skip
    course = course_view(moments, file.lesions, file, timezone.localdate(), asked.window)
    if course is None:
        return {"course": None}
    return {
        "course": course,
        "asked": asked,
        "spans": [("1y", _("1 year")), ("3y", _("3 years")), ("all", _("All"))],
        "span": asked.window.span if asked.window else "all",
        "earlier_query": course.shown.shifted(later=False),
        "later_query": course.shown.shifted(later=True),
        "course_rows": tables.course_rows(course.moments, turned_out),
        "drawings": [("wide", mark_safe(course.wide)), ("narrow", mark_safe(course.narrow))],
    }


def _lesions_and_course(file: PatientFile, asked: Asked) -> dict[str, Any]:
    lesions = file.lesions
    moments = timeline(file.visits, lesions, file.observations)
    rows = rows_of(moments, lesions)
    first, incident = _incident(file)
    turned_out = outcomes(first, file.observations, incident)
    return {
        "moments": moments,
        "rows": rows,
        "matrix_heads": tables.matrix_heads(moments, turned_out),
        "matrix_body": tables.matrix_body(rows),
        "map_rows": tables.map_rows(rows),
        "maps": map_views(_mark(row) for row in rows),
        "legend": _legend(rows),
        "targets": sum(lesion.target for lesion in lesions),
        "lineage": _lineage(lesions),
        **_course(moments, file, turned_out, asked),
    }


def _lineage(lesions: Sequence[Lesion]) -> dict[str, Any] | None:
    found = families(lesions, timezone.localdate())
    if found is None:
        return None
    return {"drawings": [("wide", mark_safe(found.wide)), ("narrow", mark_safe(found.narrow))], "told": found.told}


def _mark(row: Row) -> body_map.Mark:
    status, ulcerated = row.lesion.current_status, row.lesion.ulcerated_now
    return mark_of(row.lesion, status=status, ulcerated=ulcerated, href=f"#l{row.lesion.number}")


def _legend(rows: list[Row]) -> list[dict[str, Any]]:
    """The statuses that occur, with the symbol of the map; the script takes the shapes from here."""
    occurring = {mark_code(cell.status) for row in rows for cell in row.cells if cell}
    words = dict(LesionStatus.choices)
    return [
        {"code": code, "word": words[code], "symbol": mark_safe(body_map.render_status_symbol(code))}
        for code in LEGEND
        if code in occurring
    ]


def _records(patient: Patient, file: PatientFile, labels: dict[int, str]) -> dict[str, Any]:
    courses = sorted(newest_first(file[TreatmentCourse], "start"), key=lambda one: not one.is_running)
    other, addable = other_records(file, patient)
    return {
        "treatments": tables.treatment_list(courses, file, labels),
        "events": [
            {
                "title": model.title(),
                "kind": model.kind(),
                "lines": tables.record_list([line_of(one) for one in newest_first(file[model], name)]),
            }
            for model, name in ((Complication, "onset"), (Procedure, "performed_on"), (AdverseEvent, "onset"))
        ],
        "studies": study_cards(file, labels),
        "labs": tables.lab_body(lab_rows(file[LaboratoryResult], patient)),
        "calculated": tables.calculated_body(calculated(patient, file[LaboratoryResult]).values()),
        "diagnosis": file.one(Diagnosis),
        "antibodies": _newest_antibodies(file[Antibody]),
        "consents": [
            {
                "consent": one,
                "scopes": [str(_scope(name)) for name in SCOPES if getattr(one, name)],
                "over": one != in_force(file[Consent]),
            }
            for one in sorted(file[Consent], key=lambda one: (one.consented_on, one.pk), reverse=True)
        ],
        "other": [
            {
                "title": group.title,
                "add": group.add,
                "recent": tables.record_list(group.lines[:RECENT]),
                "older": tables.record_list(group.lines[RECENT:]),
                "more": len(group.lines[RECENT:]),
            }
            for group in other
        ],
        "addable": addable,
    }


def _scope(name: str) -> Any:
    field: Any = Consent._meta.get_field(name)
    return field.verbose_name


def _newest_antibodies(found: list[Antibody]) -> list[Antibody]:
    """The newest result of each antibody; the later entry wins where the dates do not tell."""
    newest = {one.antibody: one for one in sorted(found, key=lambda one: (str(one.tested_on or ""), one.pk))}
    return sorted(newest.values(), key=lambda one: (one.result != "POS", str(one.get_antibody_display())))
