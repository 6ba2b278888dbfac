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
# The fields whose choices are the patient's, of the new lesion and of what was seen of it.
OF_LESION = [name for name in Lesion.form_relations if name in NewLesionForm.base_fields]
OF_OBSERVATION = [name for name in LesionObservation.form_relations if name in NewObservationForm.base_fields]


class OwnOfLesion(NewLesionForm):
    class Meta(NewLesionForm.Meta):
        fields = OF_LESION


class OwnOfObservation(NewObservationForm):
    class Meta(NewObservationForm.Meta):
        fields = OF_OBSERVATION


def blank_lesion(visit: Visit) -> SafeString:
    """The form as the page of this visit holds it."""
    lesion = Lesion(patient=visit.patient)
    seen = LesionObservation(patient=visit.patient, visit=visit, lesion=lesion)
    place = OwnOfLesion(instance=lesion, prefix=PREFIX)
    beside = OwnOfObservation(instance=seen, prefix=f"{PREFIX}-seen")
    drawn = [str(place[name]) for name in OF_LESION] + [str(beside[name]) for name in OF_OBSERVATION]
    same = _same_for_everybody(get_language(), get_script_prefix())
    return mark_safe("".join(chain.from_iterable(zip_longest(same, drawn, fillvalue=""))))


@lru_cache(maxsize=8)
def _same_for_everybody(_language: str | None, _prefix: str) -> tuple[str, ...]:
    """What stands before, between and behind the patient's own fields."""
    new = new_lesion(Visit(patient=Patient()), PREFIX)
    for field in [new.lesion.fields[one] for one in OF_LESION] + [
        new.observation.fields[one] for one in OF_OBSERVATION
    ]:
        setattr(field.widget, "render", lambda *_, **__: HERE)  # noqa: B010
    return tuple(render_to_string("lesions/_new_lesion.html", {"new": new, "features": FEATURES}).split(HERE))
