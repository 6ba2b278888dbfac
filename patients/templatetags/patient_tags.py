"""The header of every page about one patient, and where a patient stands with the next visit."""

from __future__ import annotations

from typing import Any

from django import template

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.services import read_identity
from patients.models import Consent, Patient
from patients.services import SCOPES

register = template.Library()


@register.inclusion_tag("patients/_header.html", takes_context=True)
def patient_header(context: template.Context, patient: Patient) -> dict[str, Any]:
    """Name, number, age, disease, last visit, consent. Showing the name is one reading, told to the trail.

    A page that has read ``identity``, ``diagnosis`` or ``summary`` already passes them in its context; ``actions``
    names a template with the page's buttons.
    """
    shared: dict[str, Any] = {str(name): value for name, value in context.flatten().items()}
    user = shared["request"].user
    identity = shared.get("identity")
    if identity is None and may(user, Permission.SEE_IDENTITY, patient.clinic_id):
        identity = read_identity(user=user, registry_number=patient.registry_number)
    return {
        **shared,
        "patient": patient,
        "identity": identity,
        "diagnosis": shared.get("diagnosis") or patient.diagnosis_set.first(),
        "summary": shared.get("summary") or getattr(patient, "summary", None),
        "scopes": [
            str(Consent._meta.get_field(scope).verbose_name)  # type: ignore[union-attr]  # they are columns
            for scope in SCOPES
            if getattr(patient, f"{scope}_consent")
        ],
    }
