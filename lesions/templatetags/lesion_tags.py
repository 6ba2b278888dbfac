"""Lesions in words, for templates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms, template
from django.utils.translation import gettext as _

from lesions.course import rating_words
from lesions.hand_score import SiteRating
from lesions.matrix import about_lesion
from lesions.models import LesionObservation
from lesions.views.blank_lesion import blank_lesion
from lesions.views.maps import mark_code
from patients.models import Visit

register = template.Library()
register.filter(about_lesion)
register.simple_tag(blank_lesion)


@register.filter
def field(form: forms.BaseForm, name: str) -> forms.BoundField | None:
    """A form's field by name."""
    return form[name] if name in form.fields else None


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def rated(rating: SiteRating) -> str:
    """``40 % × 2``, ``0``, ``not scorable``."""
    if not rating.scorable:
        return _("not scorable")
    return f"{rating.coverage_pct} % × {rating.density}" if rating.density else "0"


@register.filter
def unlocalized(value: Any) -> str:
    return str(value)


@register.filter
def status_key(status: str) -> str:
    """The status as the shapes of marks.svg are named."""
    return mark_code(status)


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
    return rating_words(visit, name, _("not done"))
