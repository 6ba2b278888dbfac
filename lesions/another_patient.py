"""Does a DICOM header name another registered patient? Of any clinic: the answer is yes or no, never who."""

from __future__ import annotations

import re

from django.db.models import Q

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.identity.models import Identity, IdentityQuerySet, search_key
from lesions.dicom import DicomHeader
from lesions.header_match import differences, is_number_of, is_person, number
from patients.models import Patient


def names_another_patient(header: DicomHeader, identity: Identity | None, patient: Patient) -> bool:
    """True where the number or the name and birth date in the header are those of somebody else in the register.

    A number counts wherever it is not this patient's own: a national or registry number of anybody, a hospital number
    of the same clinic (another hospital numbers its own people). A name counts where the header surely differs from
    this patient: in the same clinic unless the birth dates contradict, in another only where they agree.
    """
    others = Identity.objects.exclude(registry_number=patient.registry_number)
    if header.patient_id and not (identity and is_number_of(header.patient_id, identity)):
        if header.patient_id != patient.registry_number and _numbered(others, header.patient_id, patient.clinic_id):
            return True
    if not header.patient_name or not differences(header, identity, patient):
        return False
    family = {search_key(group.partition("^")[0]) for group in header.patient_name.split("=")}
    called = [one for one in others.filter(family_key__in=family - {""}) if is_person(header.patient_name, one)]
    born = dict(
        Patient.objects.filter(registry_number__in=[one.registry_number for one in called]).values_list(
            "registry_number", "birth_date"
        )
    )
    return any(
        _agrees(header, born.get(one.registry_number)) is not False
        if one.clinic_id == patient.clinic_id
        else _agrees(header, born.get(one.registry_number))
        for one in called
    )


def _numbered(others: IdentityQuerySet, said: str, clinic_id: int) -> bool:
    """As typed, as searched, or without punctuation and leading zeros."""
    forms = {said, search_key(said), number(said), re.sub(r"[\W_]+", "", said), number(said).upper()} - {""}
    anywhere = Q(national_number__in=forms) | Q(registry_number=said.strip().upper())
    return others.filter(anywhere | Q(hospital_key__in=forms, clinic=clinic_id)).exists()


def _agrees(header: DicomHeader, born: PartialDate | None) -> bool | None:
    """Do the birth dates agree? None where one side does not say."""
    day = header.patient_birth_date
    if day is None or born is None or born.earliest is None or born.latest is None:
        return None
    return born.earliest <= day <= born.latest
