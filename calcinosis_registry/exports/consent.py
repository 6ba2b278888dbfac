"""A withdrawal stops exports at once: one that is being made, and one that was made and not taken yet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.pictures import FOLDER
from patients.models import Patient


def all_consent(keys: Iterable[int], pictured: Iterable[int] = ()) -> bool:
    """Do all of these patients consent to research now, and those of whom there is a picture to that too?"""
    wanted, seen = set(keys), set(pictured)
    consenting = Patient.objects.consented_to_research()
    return consenting.filter(pk__in=wanted).count() == len(wanted) and consenting.filter(
        pk__in=seen, images_consent=True
    ).count() == len(seen)


def holds_a_withdrawn(export: Export, path: Path) -> bool:
    """Is somebody in the file who consents no longer? The ledger knows pseudonyms only, so theirs are looked for."""
    inside = set(export.people.values_list("pseudonym", flat=True))
    cipher = Cipher(settings.PSEUDONYM_KEY, export.project.public_id)
    consenting = Patient.objects.consented_to_research().values("pk")
    others = Patient.objects.exclude(pk__in=consenting).values_list("public_id", flat=True)
    if any(cipher.patient(public_id) in inside for public_id in others.iterator()):
        return True
    if not export.include_images:
        return False
    with zipfile.ZipFile(path) as archive:
        names = [one for one in archive.namelist() if one.startswith(f"{FOLDER}/")]
    pictured = {one.removeprefix(f"{FOLDER}/").split("-")[0] for one in names}
    unseen = Patient.objects.exclude(images_consent=True).values_list("public_id", flat=True)
    return any(cipher.patient(public_id) in pictured for public_id in unseen.iterator())
