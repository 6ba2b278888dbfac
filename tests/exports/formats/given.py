"""What the writers are given in these tests: a demo register in memory, and a table of everything awkward."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute as pc
from django.db import models

from calcinosis_registry.codebook.items import Privacy, clinical
from calcinosis_registry.cohorts.columns import YES_NO, Column, Kind, Rule, said
from calcinosis_registry.cohorts.dataset import Dataset, Table
from calcinosis_registry.exports.writers import FORMATS

LONG = "Ärztlich geprüft – „ja“ " * 30  # 720 characters, more bytes
VERY_LONG = "Ω" + "lang und länger " * 2_500  # beyond a cell of a spreadsheet and beyond a variable of SPSS
SITES = tuple((f"SITE_{n}", f"Site number {n}, its name is a long one – {'x' * 60}") for n in range(400))
AWKWARD = "awkward"


def about() -> dict[str, Any]:
    """What the manifest says, as exports/services.py tells it."""
    return {
        "software": {"name": "calcinosis registry", "version": "1.2.3"}, "made_at": "2026-11-23T05:00:00+00:00",
        "made_by": "Rosa Researcher", "reason": "analysis", "export": "EXP123",
        "project": {"title": "Course of calcinosis", "id": "PRJ9", "ethics_reference": "EK 12/2026"},
        "cohort": {"name": "everyone", "definition": {}, "in_words": "Every patient."},
        "profile": "coded", "free_text": True, "images": False, "visits": "signed", "patients": 3,
    }  # fmt: skip


def written(folder: Path, dataset: Dataset, format: str) -> dict[str, Any]:
    """Write a format as the package does; its ``about`` afterwards. The counts are the rows."""
    told = about()
    counts = FORMATS[format].write(folder, dataset, told)
    assert counts == {table.name: sum(1 for _row in table.rows()) for table in dataset.tables.values()}
    return told


def of_arrow(name: str, label: str, columns: Sequence[Column], kinds: tuple[str, ...], rows: pyarrow.Table) -> Table:
    return Table(name, label, tuple(columns), lambda names: rows.select(list(names)).to_reader(), kinds)


def held(table: Table) -> Table:
    """The table with its rows in memory: read from the register once."""
    return of_arrow(table.name, table.label, table.columns, table.kinds, table.arrow())


def with_tables(dataset: Dataset, *tables: Table) -> Dataset:
    return replace(dataset, tables=dataset.tables | {table.name: table for table in tables})


def changed(dataset: Dataset, change: Callable[[pyarrow.Table], pyarrow.Table]) -> dict[str, Table]:
    tables = dataset.tables.values()
    return {t.name: of_arrow(t.name, t.label, t.columns, t.kinds, change(t.arrow())) for t in tables}


def emptied(dataset: Dataset) -> Dataset:
    """The same tables and columns without a patient."""
    return replace(dataset, tables=changed(dataset, lambda rows: rows.slice(0, 0)), people=())


def first_patient(dataset: Dataset) -> Dataset:
    pseudonym = dataset.people[0].pseudonym
    tables = changed(dataset, lambda rows: rows.filter(pc.equal(rows["patient"], pseudonym)))
    return replace(dataset, tables=tables, people=dataset.people[:1])


def column(name: str, kind: Kind, **more: Any) -> Column:
    return Column(name, more.pop("label", name.replace("_", " ").capitalize()), (), Rule.PLAIN, kind, **more)


class Awkward:
    """Stands for the model of the conditional columns, as far as the codebook asks it."""

    class _meta:
        model_name, verbose_name = "awkward", "awkward row"

        @staticmethod
        def get_field(name: str) -> models.Field:
            return models.CharField(name, max_length=9)


def conditional(name: str, kind: Kind, only_if: dict[str, Any], **more: Any) -> Column:
    """A column of an item that is asked under a condition."""
    field = clinical(
        models.CharField(name, max_length=9), section="x", privacy=Privacy.CLINICAL, source="x", only_if=only_if
    )
    field.set_attributes_from_name(name)
    field.model = Awkward
    return column(name, kind, field=field, **more)


Y_N_U = (("Y", "Yes"), ("N", "No"), ("U", "Unknown"))
AWKWARD_COLUMNS = (
    column("patient", Kind.KEY),
    column("visit_no", Kind.NUMBER),
    column("ulcer", Kind.CODE, codes=Y_N_U, label="Ulcer: “yes” & <no>"),
    conditional("ulcer_size", Kind.DECIMAL, {"ulcer": "Y"}, digits=(6, 2), unit="mm²"),
    conditional("ulcer_base", Kind.CODE, {"ulcer": "Y"}, codes=(("CLEAN", "Clean"), ("U", "Unknown"))),
    conditional("base_seen", Kind.DATE, {"ulcer_base": ("CLEAN",)}),
    column("a_code_list_with_very_many_entries_and_a_long_name", Kind.CODE, codes=SITES),
    column("grade", Kind.CODE, codes=(("0", "None"), ("1", "Mild"), ("3", "Severe"), ("NA", "Not assessed"))),
    column("basis", Kind.CODES, codes=(("EXAM", "Examination"), ("X-RAY", "Röntgen | X-ray"), ("U", "Unknown"))),
    column("seen", Kind.BOOLEAN, codes=said(YES_NO)),
    column("count", Kind.INTEGER),
    column("t_score", Kind.DECIMAL, digits=(12, 4), unit="T-score"),
    column("on_day", Kind.DATE),
    column("note", Kind.TEXT),
    column("note_long", Kind.TEXT),
    column("note_2", Kind.TEXT, label="A second note that has the name of the second piece of the first one"),
    column("by", Kind.TEXT, label="By: a name no package takes"),
)
DAY = datetime.date
AWKWARD_ROWS: tuple[Sequence[Any], ...] = (
    ("P1", 1, "Y", Decimal("12.50"), "CLEAN", DAY(2024, 2, 29), "SITE_399", "3", "EXAM;X-RAY", 1, 2_000_000_000,
     Decimal("-3.1250"), DAY(1899, 5, 4), "ä\nzwei Zeilen, „mit“ \"Komma\"; und\tTab", LONG.rstrip(), "=1+1", "José"),
    ("P1", 2, "N", None, None, None, "SITE_0", "NA", "U", 0, -5, Decimal("0.0001"), DAY(1900, 2, 28), "'=SUM(A1)",
     VERY_LONG.rstrip(), "-5", "李 😀"),
    ("P2", 1, "U", None, None, None, None, "0", None, None, None, None, None, None, None, None, None),
    ("P2", 2, None, None, None, None, "GONE", None, "EXAM", 1, 0, Decimal("99999999.9999"), DAY(2199, 12, 31),
     "<b>&amp;</b> _x000D_ \\ 'a'", "kurz", "@x", "NA"),
    ("P3", None, "Y", None, "U", None, "SITE_7", "1", "X-RAY", 0, 7, Decimal("1"), DAY(1, 1, 1), "|", "+1-1", "0012",
     "."),
)  # fmt: skip


def awkward(rows: Sequence[Sequence[Any]] = AWKWARD_ROWS) -> Table:
    """Every kind of column with every trouble: accents, line breaks, formulas, long lists, longer texts, gone codes."""
    cells = zip(*rows, strict=True)
    arrays = [pyarrow.array(some, one.arrow_type) for some, one in zip(cells, AWKWARD_COLUMNS, strict=True)]
    made = pyarrow.table(arrays, names=[one.name for one in AWKWARD_COLUMNS])
    return of_arrow(AWKWARD, "awkward rows", AWKWARD_COLUMNS, (AWKWARD,), made)


def expected(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.header, row, strict=True)) for row in table.rows()]
