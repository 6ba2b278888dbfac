"""How rows of different tables point at each other: numbers within the patient instead of database keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from calcinosis_registry.cohorts.structure import Level, levels

# A key of these names says nothing that the table it points at does not say: study → imaging_no, antibiotic →
# antibiotic_treatment_no.
PLAIN_KEYS = frozenset({"visit", "lesion", "study", "course", "procedure", "score"})


@dataclass(frozen=True)
class Link:
    """A key of ``source`` to ``target``; of a many-to-many relation ``through`` holds the pairs."""

    source: Level
    target: Level
    field: Any

    @property
    def attname(self) -> str:
        return self.field.attname

    @property
    def name(self) -> str:
        return self.target.number if self.field.name in PLAIN_KEYS else f"{self.field.name}_{self.target.number}"

    @property
    def label(self) -> str:
        words = str(self.field.verbose_name)
        return words[:1].upper() + words[1:]


def links_of(level: Level) -> list[Link]:
    """The keys of a record to records that are tables too, its patient left out."""
    found = []
    for field in level.model._meta.concrete_fields:
        target = _level_of(field.related_model) if field.is_relation else None
        if target is not None and not target.is_patient:
            found.append(Link(level, target, field))
    return found


def link_tables() -> list[Link]:
    """The many-to-many relations between records."""
    return [
        Link(level, target, field)
        for level in levels().values()
        for field in level.model._meta.many_to_many
        if (target := _level_of(field.related_model)) is not None
    ]


def _level_of(model: Any) -> Level | None:
    """``model``: what a relation points at, or None."""
    return levels().get(model._meta.model_name) if model is not None else None


@cache
def numbered() -> frozenset[str]:
    """Kinds whose rows carry a number, because other rows point at them."""
    pointed = {link.target.kind for level in levels().values() for link in links_of(level)}
    return frozenset(pointed | {link.source.kind for link in link_tables()})
