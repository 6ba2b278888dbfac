"""What somebody of the clinic has begun with a record, and would lose or leave hanging if it moved now."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.records.models import Draft
from calcinosis_registry.rights.models import ErasureRequest
from lesions import staging
from lesions.models import SecondReading
from patients.models import Patient, Signature


def obstacles(patient: Patient) -> list[str]:
    """Why the record cannot move as things stand, one sentence each."""
    found = []
    if not patient.registry_consent:
        found.append(_("No consent to the registry is in force."))
    if ErasureRequest.objects.open().filter(registry_number=patient.registry_number).exists():
        found.append(_("Erasing the person has been asked for: decide that first."))
    asked = Signature.objects.asked_about().filter(visit__patient=patient)
    said = _("Somebody asks to unlock the visit of %(date)s: agree or refuse first.")
    found += [said % {"date": day} for day in asked.values_list("visit__visit_date", flat=True)]
    if SecondReading.objects.to_do().filter(study__patient=patient).exists():
        found.append(_("A second reading of a radiograph is not finished: finish it, or give it up."))
    drafts = Draft.objects.filter(patient=patient.public_id).fresh(timezone.now()).select_related("owner")
    said = _("%(who)s typed something and did not save it: save or discard the draft first.")
    found += [said % {"who": who} for who in sorted({str(one.owner) for one in drafts})]
    if staging.anything_waits(patient_id=patient.pk, root=Path(settings.FILES_DIR)):
        found.append(_("An uploaded file waits to be confirmed or thrown away."))
    return found
