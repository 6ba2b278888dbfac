"""A withdrawal stops exports at once: one that is being made, and one that was made and not taken yet."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.exports.models import Export
from patients.models import Patient


def all_consent(keys: Iterable[int]) -> bool:
    """Do all of these patients consent to research now, as they did when the file was begun?"""
    wanted = set(keys)
    return Patient.objects.consented_to_research().filter(pk__in=wanted).count() == len(wanted)


def holds_a_withdrawn(export: Export) -> bool:
    """Is somebody in the file who consents no longer? The ledger knows pseudonyms only, so theirs are looked for."""
    inside = set(export.people.values_list("pseudonym", flat=True))
    cipher = Cipher(settings.PSEUDONYM_KEY, export.project.public_id)
    consenting = Patient.objects.consented_to_research().values("pk")
    others = Patient.objects.exclude(pk__in=consenting).values_list("public_id", flat=True)
    return any(cipher.patient(public_id) in inside for public_id in others.iterator())
