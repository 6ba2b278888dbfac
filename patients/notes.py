"""A name in the note of a visit is asked about: names stand in identity and nowhere else (clinical-model 12.3 (19)).

The question never repeats the name: it is read by people who may not see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.identity.models import Identity, search_key
from calcinosis_registry.quality.findings import Finding
from patients.models import Patient, Visit

WORD = re.compile(r"\w+")
SHORTEST = 3  # letters; "Li" or "de" would ask about half of all notes


def find_names(*, patient: Patient, records: Iterable[Any]) -> dict[Any, list[Finding]]:
    """A finding for each visit whose note holds a word of the patient's own name."""
    noted = [one for one in records if isinstance(one, Visit) and one.note.strip()]
    if not noted:
        return {}
    person = Identity.objects.filter(registry_number=patient.registry_number).first()
    names = words(f"{person.given_name} {person.family_name}") if person is not None else set()
    return {one: [_asked()] for one in noted if words(one.note) & names}


def words(text: str) -> set[str]:
    """Compared as the search compares them: without accents, whatever the case."""
    return {key for one in WORD.findall(text) if len(key := search_key(one)) >= SHORTEST}


def _asked() -> Finding:
    return Finding("name_in_note", _("The note looks as if it held the patient's name: remove it."), "note")
