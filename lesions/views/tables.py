"""The tables of the patient page. They have hundreds of cells: written here, at a tenth of the template engine's cost.

Every value goes through ``escape``; words are looked up once a table, not once a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from calcinosis_registry.records.marks import lesion_tag
from lesions.course import dose_words, period_words, rating_words
from lesions.matrix import Cell, Row, about_lesion
from lesions.models import TreatmentCourse
from lesions.outcome import MEANING, VisitOutcome
from lesions.patient_cards import LabRow, Line, page_of
from lesions.patient_file import PatientFile
from lesions.timeline import Moment
from lesions.views.maps import mark_code
from patients.calculated import Calculated
from patients.models import VisitState, VisitType

NOTHING = "–"


# --- Lesion × visit ---------------------------------------------------------------------------------------------------


def matrix_heads(moments: Iterable[Moment], outcomes: Mapping[int, str]) -> SafeString:
    """A column head per visit: date, type, state, and how it turned out."""
    types, states = dict(VisitType.choices), dict(VisitState.choices)
    parts = []
    for moment in moments:
        visit = moment.visit
        kind, state = str(types.get(visit.visit_type, visit.visit_type)), str(states.get(visit.state, visit.state))
        parts.append(
            f'<th scope="col" data-date="{visit.visit_date}"><a href="{moment.url}" title="{escape(kind)}">'
            f"{visit.visit_date}</a>"
            f'<span class="visit-state is-{visit.state.lower()}">{escape(state.lower())}</span>'
            f"{_outcome(outcomes.get(visit.pk))}</th>"
        )
    return mark_safe("".join(parts))


def _outcome(code: str | None) -> str:
    if code is None:
        return ""
    one = VisitOutcome(code)
    title = escape(str(MEANING[one]), quote=True)
    return f'<span class="visit-outcome" data-outcome="{code}" title="{title}">{escape(one.label.lower())}</span>'


def matrix_body(rows: Iterable[Row]) -> SafeString:
    """A row per lesion; the script of the page reads its cells."""
    cells = _Cells()
    return mark_safe("".join([_matrix_row(row, cells) for row in rows]))


def _matrix_row(row: Row, written: _Cells) -> str:
    lesion = row.lesion
    status, label = mark_code(lesion.current_status), escape(lesion.label)
    url = page_of(lesion)
    tag = lesion_tag(lesion.label, status, ulcerated=lesion.ulcerated_now, url=url)
    about = [escape(about_lesion(lesion))] if about_lesion(lesion) else []
    about += [
        f'<span class="lineage">{escape(words)} <a href="#l{other.number}">{escape(other.label)}</a></span>'
        for words, other in row.origin
    ]
    cells = "".join([written[cell] for cell in row.cells])
    gone = ' class="is-gone"' if row.now is not None and row.now.is_gone else ""
    return (
        f'<tr id="l{lesion.number}" data-lesion="{label}"{gone}><td class="pin-tag">{tag}</td>'
        f'<th scope="row" class="pin-site" data-label="{label}" data-status="{status}">{escape(lesion.where)}'
        f'<span class="sub">{" · ".join(about)}</span></th>{cells}'
        f'<td class="col-spark" data-status="{status}">{row.spark}</td></tr>\n'
    )


class _Cells(dict[Cell | None, str]):
    """One lesion at one visit, as a cell; those that say the same are written once."""

    def __init__(self) -> None:
        super().__init__({None: "<td></td>"})
        self._ulcer, self._infected = _("ulcer"), _("infected")

    def __missing__(self, cell: Cell) -> str:
        key, word = mark_code(cell.status), escape(cell.word)
        if cell.size:
            told = f'<span class="visually-hidden word">{word}</span> <span class="size">{cell.size}</span>'
        else:
            told = f' <span class="word">{word}</span>'
        if cell.ulcerated:
            told += f' <b class="ulcer-word">{self._ulcer}</b>'
        if cell.infected:
            told += f' <b class="ulcer-word">{self._infected}</b>'
        self[cell] = f'<td data-status="{key}"{" data-ulcer" if cell.ulcerated else ""}>{told}</td>'
        return self[cell]


# --- Course and map in numbers ----------------------------------------------------------------------------------------


def course_rows(moments: Sequence[Moment], outcomes: Mapping[int, str]) -> SafeString:
    """A row per visit, the newest first."""
    not_done = _("not done")
    parts = []
    for moment in reversed(moments):
        visit = moment.visit
        numbers = (
            NOTHING if moment.burden is None else f"{moment.burden:.0f}",
            *(rating_words(visit, name, not_done) for name in ("pain_nrs", "patient_global", "physician_global")),
            *(NOTHING if one is None else str(one) for one in (moment.active, moment.ulcerated, visit.mrss)),  # type: ignore[attr-defined]
        )
        cells = "".join([f'<td class="number">{one}</td>' for one in numbers])
        outcome = _outcome(outcomes.get(visit.pk)) or NOTHING
        parts.append(
            f'<tr><td class="nowrap"><a href="{moment.url}">{visit.visit_date}</a></td>{cells}<td>{outcome}</td></tr>\n'
        )
    return mark_safe("".join(parts))


def map_rows(rows: Iterable[Row]) -> SafeString:
    """The map as a table: where each lesion is, and how it is now."""
    yes = escape(_("yes"))
    parts = []
    for row in rows:
        lesion, now = row.lesion, row.now
        label = escape(lesion.label)
        site, side = escape(str(lesion.get_site_display())), escape(str(lesion.get_laterality_display()).lower())
        parts.append(
            f'<tr data-row="{label}"><td><a href="#l{lesion.number}">{label}</a></td><td>{site}</td>'
            f"<td>{side or NOTHING}</td><td data-word>{escape(now.word) if now else NOTHING}</td>"
            f'<td data-size class="nowrap">{(now and now.size) or NOTHING}</td>'
            f'<td data-ulcer data-yes="{yes}">{yes if now and now.ulcerated else NOTHING}</td></tr>\n'
        )
    return mark_safe("".join(parts))


# --- Lists of records -------------------------------------------------------------------------------------------------


def lab_body(rows: Iterable[LabRow]) -> SafeString:
    """A row per analyte: its newest value, the one before, its line over time."""
    unusual, reported = escape(_("unusual")), _("reported %(value)s")
    parts = []
    for row in rows:
        name = escape(str(row.result.get_analyte_display()))
        newest = f"<b>{escape(row.value)}</b> {escape(row.unit)}"
        if row.unusual:
            newest = f'<span class="pill is-warn">{unusual}</span> {newest}'
        if row.reported:
            newest += f'<span class="sub">{escape(reported % {"value": row.reported})}</span>'
        look = ' class="is-unusual"' if row.unusual else ""
        before = NOTHING
        if row.previous:
            before = f'{escape(row.previous)}<span class="sub nowrap">{row.previous_on}</span>'
        parts.append(
            f"<tr{look}>"
            f'<th scope="row"><a href="{page_of(row.result)}">{name}</a></th>'
            f'<td class="number">{newest}<span class="sub">{row.result.collected_on}</span></td>'
            f'<td class="number">{before}</td><td>{row.spark}</td></tr>\n'
        )
    return mark_safe("".join(parts))


def calculated_body(values: Iterable[Calculated]) -> SafeString:
    """A row per calculated value, with what it is made of."""
    unusual, word = escape(_("unusual")), escape(_("calculated"))
    parts = []
    for one in values:
        newest = f"<b>{round(one.value, 2).normalize():f}</b> {escape(one.unit)}"
        if one.unusual:
            newest = f'<span class="pill is-warn">{unusual}</span> {newest}'
        parts.append(
            f'<tr><th scope="row">{escape(one.label)} <span class="pill">{word}</span>'
            f'<span class="sub">{escape(one.formula)}</span><span class="sub">{escape(one.inputs)}</span></th>'
            f'<td class="number">{newest}<span class="sub">{one.day}</span></td></tr>\n'
        )
    return mark_safe("".join(parts))


def treatment_list(
    courses: Iterable[TreatmentCourse], file: PatientFile, lesion_labels: Mapping[int, str]
) -> SafeString:
    """Treatments, one a line: agent, dose, route, lesions; why, with what response, why it ended; when."""
    response, stopped = _("Response: %(response)s."), _("Stopped: %(why)s.")
    parts = []
    for one in courses:
        said = f'<a class="row-title" href="{page_of(one)}">{escape(one.name)}</a>'
        if dose := dose_words(one):
            said += f" {escape(dose)}"
        if one.route:
            said += f", {escape(str(one.get_route_display()).lower())}"
        if lesions := [lesion_labels[key] for key in sorted(file.lesion_ids(one)) if key in lesion_labels]:
            said += f" ({escape(', '.join(lesions))})"
        about = [
            f"{one.get_intent_display()}." if one.intent else "",
            response % {"response": str(one.get_response_display()).lower()} if one.response else "",
            stopped % {"why": str(one.get_reason_stopped_display()).lower()} if one.reason_stopped else "",
        ]
        period = period_words(one.start, one.stop, ongoing=one.is_running)
        over = "" if one.is_running else ' class="is-over"'
        parts.append(
            f'<li{over}><span class="row-main">{said} '
            f'<span class="sub">{escape(" ".join(part for part in about if part))}</span></span>'
            f'<span class="row-end nowrap">{escape(period)}</span></li>\n'
        )
    return mark_safe(f'<ul class="rows is-tight">{"".join(parts)}</ul>' if parts else "")


def record_list(lines: Sequence[Line]) -> SafeString:
    """Records, one a line: what, its first answers, when; "" for none."""
    return mark_safe(f'<ul class="rows is-tight">{"".join([_line(one) for one in lines])}</ul>' if lines else "")


def _line(line: Line) -> str:
    said = line.name or line.text or str(line.record)
    look = ' class="row-title"' if line.name else ""
    more = f'<span class="sub">{escape(line.text)}</span>' if line.name and line.text else ""
    return (
        f'<li><span class="row-main"><a href="{line.url}"{look}>{escape(said)}</a>{more}</span>'
        f'<span class="row-end nowrap">{escape(line.when) or NOTHING}</span></li>\n'
    )
