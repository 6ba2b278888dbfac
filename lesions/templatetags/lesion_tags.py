"""Lesions in words, for templates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms, template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from lesions.matrix import Cell
from lesions.models import Lesion, LesionObservation
from lesions.views.maps import mark_code
from patients.models import Visit

register = template.Library()


@register.filter
def field(form: forms.BaseForm, name: str) -> forms.BoundField | None:
    """A form's field by name."""
    return form[name] if name in form.fields else None


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def unlocalized(value: Any) -> str:
    return str(value)


@register.filter
def status_key(status: str) -> str:
    """The status as the shapes of marks.svg are named."""
    return mark_code(status)


@register.filter
def matrix_cell(cell: Cell | None) -> SafeString:
    """One lesion at one visit as a table cell. The matrix has hundreds: written here, not by the template engine."""
    if cell is None:
        return mark_safe("<td></td>")
    key = mark_code(cell.status)
    word = format_html(' <span class="word">{}</span>', cell.word)
    if cell.size:
        word = format_html(
            '<span class="visually-hidden word">{}</span> <span class="size">{}</span>', cell.word, cell.size
        )
    told = [_("ulcer")] * cell.ulcerated + [_("infected")] * cell.infected
    return format_html(
        '<td data-status="{}"{}><svg class="status-mark" viewBox="0 0 12 12" aria-hidden="true">'
        '<use href="{}#{}"/></svg>{}{}</td>',
        key, mark_safe(" data-ulcer") if cell.ulcerated else "", static("registry/marks.svg"), key, word,
        format_html_join("", ' <b class="ulcer-word">{}</b>', ((one,) for one in told)),
    )  # fmt: skip


@register.filter
def about_lesion(lesion: Lesion) -> str:
    """Kind, pattern, target: what helps to recognise it."""
    parts = []
    if lesion.ssc_clinical_morphology not in ("", "NA"):
        parts.append(lesion.get_ssc_clinical_morphology_display().split(":")[0].lower())
    elif lesion.ssc_xray_morphology:
        parts.append(lesion.get_ssc_xray_morphology_display().split(":")[0].lower())
    if lesion.lesion_kind != "SINGLE":
        parts.append(lesion.get_lesion_kind_display().lower())
    if lesion.visibility == "IMAGING_ONLY":
        parts.append(_("imaging only"))
    if lesion.target:
        parts.append(_("target lesion"))
    return " · ".join(parts)


@register.filter
def size_of(observation: LesionObservation | None) -> str:
    """``9.5 × 7.0 mm``, "" where not measured."""
    if observation is None or observation.length_mm is None:
        return ""
    axes = [observation.length_mm, observation.width_mm]
    return " × ".join(f"{Decimal(axis):.1f}" for axis in axes if axis is not None) + " mm"


@register.filter
def seen_in_words(observation: LesionObservation) -> str:
    """``larger, ulcer 3 mm, chalky drainage``."""
    parts = [observation.get_status_change_display().lower()]
    if observation.ulcerated == "Y":
        size = f" {observation.ulcer_size_mm:.0f} mm" if observation.ulcer_size_mm else ""
        parts.append(_("ulcer") + size)
    if observation.drainage not in ("", "NONE", "U"):
        parts.append(_("%(kind)s drainage") % {"kind": observation.get_drainage_display().lower()})
    if observation.is_infected:
        parts.append(_("infection"))
    if observation.flare == "Y":
        parts.append(_("flare"))
    if observation.has_severe_pain:
        parts.append(_("severe pain (%(n)s)") % {"n": observation.lesion_pain_nrs})
    if observation.count_estimate:
        parts.append(_("%(n)s deposits") % {"n": observation.count_estimate})
    return ", ".join(parts)


@register.filter
def rating(visit: Visit, name: str) -> str:
    """A rating of a visit: the number, "not done" or a dash."""
    value = getattr(visit, name)
    if value is not None:
        return str(value)
    return _("not done") if getattr(visit, f"{name.removesuffix('_nrs')}_not_done") else "—"
