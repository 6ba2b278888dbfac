"""The blank form of a lesion to add, which every visit page holds for its script: a sixth of the page, and the same for
everybody but for the choices of two fields. It is drawn once a process, of nobody's visit, and those two each time.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, zip_longest

from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from lesions.models import Lesion, LesionObservation
from lesions.row_forms import FEATURES, NewLesionForm, NewObservationForm
from lesions.visit_entry import new_lesion
from patients.models import Patient, Visit

PREFIX = "new-0000"
HERE = "<!-- the patient's own -->"


class OwnOfLesion(NewLesionForm):
    """The fields of the new lesion whose choices are the patient's."""

    class Meta(NewLesionForm.Meta):
        fields = [name for name in Lesion.form_relations if name in NewLesionForm.base_fields]


class OwnOfObservation(NewObservationForm):
    """Those of what was seen of it."""

    class Meta(NewObservationForm.Meta):
        fields = [name for name in LesionObservation.form_relations if name in NewObservationForm.base_fields]


def blank_lesion(visit: Visit) -> SafeString:
    """The form as the page of this visit holds it."""
    lesion = Lesion(patient=visit.patient)
    seen = LesionObservation(patient=visit.patient, visit=visit, lesion=lesion)
    own = (
        OwnOfLesion(instance=lesion, prefix=PREFIX),
        OwnOfObservation(instance=seen, prefix=f"{PREFIX}-seen"),
    )
    drawn = [str(form[name]) for form in own for name in form._meta.fields]
    same = _same_for_everybody(get_language(), get_script_prefix())
    return mark_safe("".join(chain.from_iterable(zip_longest(same, drawn, fillvalue=""))))


@lru_cache(maxsize=8)
def _same_for_everybody(_language: str | None, _prefix: str) -> tuple[str, ...]:
    """What stands before, between and behind the patient's own fields."""
    new = new_lesion(Visit(patient=Patient()), PREFIX)
    for form, own in ((new.lesion, OwnOfLesion), (new.observation, OwnOfObservation)):
        for name in own._meta.fields:
            setattr(form.fields[name].widget, "render", lambda *_, **__: HERE)  # noqa: B010
    return tuple(render_to_string("lesions/_new_lesion.html", {"new": new, "features": FEATURES}).split(HERE))
