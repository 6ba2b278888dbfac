"""Registrations of a person that somebody began and never saved: only what is typed in them leads to the person.

Whoever registers a patient may have begun in another tab, or another day. A draft goes with the person when it has the
same number, or the same names and no other birth date. That of a namesake with another birth date stays; what is not
found so is deleted fourteen days after it was typed (records/kept.py).
"""

from __future__ import annotations

from django.http import QueryDict

from calcinosis_registry.identity.models import Identity, search_key
from calcinosis_registry.records.kept import Draft
from patients.models import Patient

REGISTRATION = "registration"


def drop_unfinished_registrations(patient: Patient) -> int:
    """To be called while the person is still in the database. Returns how many drafts went."""
    identity = Identity.objects.filter(registry_number=patient.registry_number).first()
    if identity is None:
        return 0
    mine = [
        draft.pk
        for draft in Draft.objects.filter(form=REGISTRATION).iterator()
        if (typed := draft.data()) is not None and _is_of(typed, identity, patient)
    ]
    return Draft.objects.filter(pk__in=mine).delete()[0] if mine else 0


def _is_of(typed: QueryDict, identity: Identity, patient: Patient) -> bool:
    def said(name: str) -> str:
        return search_key(typed.get(f"identity-{name}", ""))

    for name in ("national_number", "hospital_number"):
        if said(name) and said(name) == search_key(getattr(identity, name)):
            return True
    born = typed.get("person-birth_date", "").strip()
    names = (said("family_name"), said("given_name")) == (identity.family_key, identity.given_key)
    return names and (not born or not patient.birth_date or str(patient.birth_date).startswith(born))
