"""Does a DICOM header name this patient? What it says beside what the register says, where the two differ. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.identity.models import Identity, search_key
from lesions.dicom import DicomHeader
from patients.models import Patient


@dataclass(frozen=True)
class Difference:
    """``what`` differs: the file says one thing, the register another."""

    what: str | Promise
    in_file: str
    in_register: str


def differences(header: DicomHeader, identity: Identity | None, patient: Patient) -> list[Difference]:
    """Name, number and birth date that surely differ; what either side does not say is no difference."""
    found = []
    if header.patient_name and identity is not None and not is_person(header.patient_name, identity):
        shown = " ".join(header.patient_name.replace("^", " ").split())
        found.append(Difference(_("Name"), shown, str(identity)))
    if header.patient_id and identity is not None:
        known = [one for one in (identity.hospital_number, identity.national_number) if one]
        if known and not is_number_of(header.patient_id, identity):
            found.append(Difference(_("Number"), header.patient_id, known[0]))
    day, born = header.patient_birth_date, patient.birth_date
    if day and born and born.earliest and born.latest and not born.earliest <= day <= born.latest:
        found.append(Difference(_("Date of birth"), str(day), str(born)))
    return found


def _words(text: str) -> set[str]:
    return set(re.split(r"[\W_]+", search_key(text))) - {""}


def is_person(name: str, identity: Identity) -> bool:
    """Is ``Family^Given^Middle`` (PS3.5 6.2) this person? The family name, and a given name or its initial."""
    said, family, given = _words(name), _words(identity.family_name), _words(identity.given_name)
    rest = said - family
    return family <= said and (not rest or not given or any(_stands_for(word, one) for word in rest for one in given))


def _stands_for(word: str, given: str) -> bool:
    return word == given or (word[0] == given[0] and 1 in (len(word), len(given)))


def is_number_of(said: str, identity: Identity) -> bool:
    """Is it one of the numbers this person is known by?"""
    return number(said) in {number(one) for one in identity.numbers if one}


def number(text: str) -> str:
    """A number without punctuation, leading zeros and case."""
    return re.sub(r"[\W_]+", "", search_key(text)).lstrip("0")
