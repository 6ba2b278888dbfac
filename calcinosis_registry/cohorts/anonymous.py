"""The anonymous profile: years instead of dates, no text, and nobody who stands out.

Of the declared quasi-identifiers every combination is shared by at least ``LEAST`` patients: they are made coarser step
by step until that is true; where the coarsest step is not enough, the combinations that stand out are named and nothing
is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.columns import Column, Kind, Rule
from calcinosis_registry.cohorts.expressions import YEAR

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Table

LEAST = 11  # trust.md: k of anonymous rows
NAMED = 12  # combinations in a refusal


@dataclass(frozen=True)
class Step:
    """``band``: years in an age group, 0 leaves ages out."""

    band: int
    clinic: bool

    @property
    def words(self) -> str:
        ages = (
            _("no ages") if not self.band
            else _("ages to the year") if self.band == 1
            else _("ages in groups of %(n)s years, told by the lowest") % {"n": self.band}
        )  # fmt: skip
        return f"{ages}, {_('clinics told apart') if self.clinic else _('no clinics')}"


STEPS = (Step(1, True), Step(5, True), Step(10, True), Step(5, False), Step(10, False), Step(20, False), Step(0, False))


class StandsOut(Exception):
    """Somebody could be told from the others. ``combinations``: {values in words: patients}."""

    def __init__(self, combinations: dict[str, int]) -> None:
        self.combinations = combinations
        told = "; ".join(f"{words}: {number}" for words, number in list(combinations.items())[:NAMED])
        more = len(combinations) - NAMED
        super().__init__(
            _("Even at the coarsest, fewer than %(k)s patients share: %(told)s.") % {"k": LEAST, "told": told}
            + (_(" And %(n)s more.") % {"n": more} if more > 0 else "")
        )


def anonymous(tables: dict[str, Table]) -> tuple[dict[str, Table], Step, int]:
    """(tables, the step that was needed, k). Raises StandsOut."""
    for step in STEPS:
        made = {name: _coarser(table, step) for name, table in tables.items()}
        groups, _by = groups_of(made["patients"])
        if min(groups.values(), default=LEAST) >= LEAST:
            return made, step, min(groups.values(), default=0)
    small = {words: number for words, number in sorted(groups.items(), key=lambda one: one[1]) if number < LEAST}
    raise StandsOut(small)


def groups_of(patients: Table) -> tuple[dict[str, int], list[str]]:
    """({combination in words: patients}, the declared quasi-identifiers it is made of)."""
    by = [column for column in patients.columns if column.is_quasi]
    if not by:
        number = patients.read(["patient"]).read_all().num_rows
        return ({_("everybody"): number} if number else {}), []
    names = [one.name for one in by]
    counted = patients.read(names).read_all().group_by(names).aggregate([([], "count_all")]).to_pylist()
    found = {}
    for row in counted:
        words = ", ".join(f"{one.label.lower()} {_said(one, row[one.name])}" for one in by)
        found[words] = row["count_all"]
    return found, [one.name for one in by]


def _said(column: Column, value: Any) -> str:
    return dict(column.codes).get(str(value)) or (_("unknown") if value is None else str(value))


def _coarser(table: Table, step: Step) -> Table:
    columns = [(column, made) for column in table.columns if (made := _column(column, step)) is not None]

    def read(names: Sequence[str]) -> Any:
        import pyarrow as pa  # heavy

        asked = [(one, made) for one, made in columns if made.name in names]
        needed = [f"{YEAR}{one.name}" if one.kind is Kind.DATE else one.name for one, _made in asked]
        answer = table.read(needed)
        schema = pa.schema([(made.name, made.arrow_type) for _one, made in asked])

        def batches() -> Iterator[Any]:
            for batch in answer:
                cells = [
                    _cells(batch.column(name), one, step) for name, (one, _made) in zip(needed, asked, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(
                    [cell.cast(field.type) for cell, field in zip(cells, schema, strict=True)], schema=schema
                )

        return pa.RecordBatchReader.from_batches(schema, batches())

    return replace(table, columns=tuple(made for _one, made in columns), read=read)


def _cells(cells: Any, column: Column, step: Step) -> Any:
    import pyarrow.compute as pc

    if column.rule is not Rule.AGE or step.band == 1:
        return cells
    return pc.multiply(pc.divide(cells, step.band), step.band)  # whole numbers: rounds down


def _column(column: Column, step: Step) -> Column | None:
    """What becomes of a column; None when it goes."""
    if column.kind is Kind.TEXT and column.rule is not Rule.UNIT:
        return None
    if column.rule is Rule.CLINIC:
        return column if step.clinic else None
    if column.rule in (Rule.AGE, Rule.VERY_OLD):
        if not step.band or (column.rule is Rule.VERY_OLD and step.band > 1):
            return None
        return replace(column, label=f"{column.label}, {step.words}") if step.band > 1 else column
    if column.kind is not Kind.DATE:
        return column
    if column.rule is Rule.LATEST:
        return None
    name = f"{column.name.removesuffix('_earliest')}_year"
    return replace(column, name=name, label=f"{column.label}, {_('year')}", kind=Kind.INTEGER)
