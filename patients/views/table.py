"""The rows of a list of patients. A page has five hundred cells: written here, which halves what the page costs.

Every value goes through ``escape``; words are looked up once a table, not once a cell.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.records.marks import status_mark
from patients.models import FollowUp, Patient, Status, Summary

NOTHING = "–"
LOOKS = {FollowUp.OVERDUE: "is-warn", FollowUp.DUE: "is-accent", FollowUp.LOST: "is-danger"}


def patient_rows(patients: Iterable[Patient], *, several_clinics: bool) -> SafeString:
    """A line per patient, who has ``name`` and ``disease`` from listing.with_names."""
    names = (_("Age"), _("Sex"), _("Disease"), _("Active lesions"), _("Worst"), _("Last visit"), _("Next visit"))
    heads = [f'data-label="{escape(one)}"' for one in (*names, _("Complete"), _("Clinic"))]
    standing = {FollowUp.OVERDUE: _("overdue"), FollowUp.DUE: _("due"), FollowUp.LOST: _("lost")}
    pills = {key: f' <span class="pill {LOOKS[key]}">{escape(word)}</span>' for key, word in standing.items()}
    return mark_safe("".join([_row(one, heads, pills, several_clinics) for one in patients]))


def _row(patient: Patient, heads: list[str], pills: dict[FollowUp, str], several_clinics: bool) -> str:
    summary: Summary | None = getattr(patient, "summary", None)
    age, sex, disease, active, worst, last, next_, complete, clinic = heads
    short = patient.disease.short if patient.disease else ""  # type: ignore[attr-defined]  # with_names
    state = summary.follow_up if summary else None
    where = f"<td {clinic}>{escape(patient.clinic.code)}</td>" if several_clinics else ""
    return (
        f'<tr><th scope="row">{_who(patient)}</th>'
        f'<td class="number" {age}>{NOTHING if (years := patient.age) is None else years}</td>'
        f"<td {sex}>{escape(patient.get_sex_at_birth_display())}</td>"
        f"<td {disease}>{escape(short) or NOTHING}</td>"
        f'<td class="number" {active}>{summary.active_lesions if summary else NOTHING}</td>'
        f"<td {worst}>{_worst(summary)}</td>"
        f'<td {last}><span class="nowrap">{_day(summary and summary.last_visit_on)}</span></td>'
        f'<td {next_}><span class="nowrap">{_day(summary and summary.next_due_on)}</span>'
        f"{pills[state] if state else ''}</td>"
        f'<td class="number" {complete}>{f"{summary.completeness} %" if summary and summary.visit_count else NOTHING}'
        f"</td>{where}</tr>"
    )


def _who(patient: Patient) -> str:
    """The name, where it may be seen, and the registry number."""
    number, name = escape(patient.registry_number), escape(patient.name)  # type: ignore[attr-defined]  # with_names
    link = f'<a href="{escape(patient.get_absolute_url())}">'
    pill = f' <span class="pill">{escape(patient.get_status_display())}</span>'
    told = f'{name}</a><span class="sub code">{number}</span>' if name else f'<span class="code">{number}</span></a>'
    return f"{link}{told}{pill if patient.status != Status.ALIVE else ''}"


def _worst(summary: Summary | None) -> str:
    word = escape(summary.worst_feature) if summary else ""
    if not word or summary is None:
        return NOTHING
    if summary.infected_lesions:
        return f'<span class="ulcer-word">{word}</span>'
    return f'<span class="status" data-status="ULCER">{status_mark("ULCER")}{word}</span>'


def _day(day: datetime.date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else NOTHING
