"""What Complete asks for of a visit, and where on its page each answer is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lesions.models import Lesion, LesionObservation
from lesions.services import unlisted
from patients.models import Visit


@dataclass(frozen=True)
class Missing:
    """An answer still to be given. ``anchor``: where on the visit page it is asked."""

    label: str
    anchor: str

    def __str__(self) -> str:
        return self.label


# What a lesion's row shows as a field of its own; everything else is reached from the row.
SIZES = frozenset({"length_mm", "width_mm"})


def missing_at(visit: Visit, rows: Iterable[tuple[Lesion, LesionObservation]]) -> dict[str, list[Missing]]:
    """What Complete asks for of a visit. ``rows``: the lesions to answer, each with what is answered so far."""
    found: dict[str, list[Missing]] = {}
    own = [(str(field.verbose_name), field.name) for field in visit.missing()] + unlisted(visit)
    if own:
        found[""] = [Missing(label, f"div_id_{name}") for label, name in own]
    for lesion, seen in rows:
        row = f"l{lesion.number}"
        names = [(str(one.verbose_name), one.name) for one in seen.missing()]
        if names:
            found[lesion.label] = [
                Missing(label, f"id_{row}-{name}" if name in SIZES else row) for label, name in names
            ]
    return found
