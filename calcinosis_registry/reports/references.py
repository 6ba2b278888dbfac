"""Published numbers to set beside ours: only those whose denominator is people with calcinosis (clinical-model 10)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import patients
from calcinosis_registry.codebook import codelists


@dataclass(frozen=True)
class Reference:
    """``value`` as printed; ``denominator`` in words; ``source`` is the key in the clinical model's list of sources."""

    id: str
    cohort: str
    figure: str
    value: str
    unit: str
    denominator: str
    certainty: str
    source: str

    @property
    def text(self) -> str:
        unit = {"%": "%", "patients": ""}.get(self.unit, f" {self.unit}")
        return f"{self.value}{unit}: {self.figure}; denominator: {self.denominator}"


@cache
def references() -> dict[str, Reference]:
    """{id: Reference} of the rows this register may be compared with."""
    path = Path(patients.__file__).parent / "data" / "reference_values.csv"
    rows = [row for row in codelists.read(path) if row["within_calcinosis"] == "1"]
    return {row["id"]: Reference(**{name: row[name] for name in Reference.__dataclass_fields__}) for row in rows}


def chosen(*ids: str) -> tuple[Reference, ...]:
    """Those of the given rows that may be compared with."""
    known = references()
    return tuple(known[one] for one in ids if one in known)
