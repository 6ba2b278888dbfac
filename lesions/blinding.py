"""Who reads blind: an account with an unfinished second reading of a study sees nobody else's reading of it, anywhere.

ReadingQuerySet, MeasureQuerySet and PatientFile keep back the readings, and what was measured on the study; here is
what else would tell of them.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.roles import Permission
from lesions.models import HandScore, HandScoreSite, ImagingMeasure, ImagingStudy, SecondReading
from patients.models import Patient

# Records whose events tell of a score, and of what was measured on the picture.
SCORES = frozenset(one._meta.label_lower for one in (HandScore, HandScoreSite))
TELL_TALE = SCORES | {ImagingMeasure._meta.label_lower}


def blind_patients(user: Any) -> set[str]:
    """Registry numbers of the patients of whom this account has a second reading to finish."""
    unfinished = SecondReading.objects.unfinished().filter(reader=user.pk)
    return set(unfinished.values_list("study__patient__registry_number", flat=True))


def is_withheld(event: Event, user: Any) -> bool:
    """Does the event tell of a reading, or a measurement, this account may not see yet?"""
    if event.model not in TELL_TALE or event.actor_id == user.pk:
        return False
    if not hasattr(user, "_unfinished"):
        rows = SecondReading.objects.unfinished().values_list("study__patient__registry_number", "reader")
        user._unfinished = set(rows)
    if (event.patient, user.pk) in user._unfinished:
        return True
    return event.model in SCORES and (event.patient, event.actor_id) in user._unfinished


def is_blind(user: Any) -> Exists:
    """For a query of patients: has this account a second reading of theirs to finish?"""
    return Exists(SecondReading.objects.unfinished().filter(study__patient=OuterRef("pk"), reader=user.pk))


def unfinished_of(user: Any, study: ImagingStudy) -> SecondReading | None:
    """The second reading of this study that this account is to finish."""
    rows = SecondReading.objects.visible_to(user, Permission.VIEW_RECORDS).unfinished()
    return rows.filter(study=study, reader=user.pk).first()


def why_not_given(user: Any, patients: QuerySet[Patient]) -> str:
    """Why a whole file with hand scores in it is not given to this account; "" when it is."""
    numbers = sorted(blind_patients(user) & set(patients.values_list("registry_number", flat=True)))
    if not numbers:
        return ""
    return _(
        "You have a second reading to finish (%(patients)s), and the file would show you the first one. Finish it, or"
        " give it up, or ask a colleague to make the file."
    ) % {"patients": ", ".join(numbers)}
