"""Every export format: rows per second and peak memory, beside the ORM iterator; the workbook against xlsxwriter.

REGISTRY_BENCH_PATIENTS (default 400) says how many patients; REGISTRY_BENCH_FORMATS which formats (default: all).
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter
from django.test import override_settings

from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.structure import levels
from calcinosis_registry.demo import loader
from calcinosis_registry.exports.writers import FORMATS
from calcinosis_registry.exports.writers.xlsx import Book
from tests.benchmarks.measure import told
from tests.benchmarks.write_format import keep
from tests.cohorts.register import EVERYONE

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]
ROOT = Path(__file__).resolve().parents[2]
STORIES = 20
PATIENTS = int(os.environ.get("REGISTRY_BENCH_PATIENTS", "400"))
CHOSEN = os.environ.get("REGISTRY_BENCH_FORMATS", " ".join(FORMATS)).split()
ROWS = int(os.environ.get("REGISTRY_BENCH_XLSX_ROWS", "20000"))
# A writer's memory does not grow with the cohort but for SPSS, Stata and SAS, whose library takes a table whole: at
# 100,000 patients (15 M rows) performance.md allows 1.5 GB.
MOST_MORE_MB = 400 if PATIENTS <= 10_000 else 1_000


def test_formats_beside_the_orm_iterator(tmp_path: Path):
    with override_settings(DEMO=True, FILES_DIR=tmp_path / "files"):
        loader.load(patients=STORIES, clinics=2, seed=1, until=datetime.date(2026, 6, 30))
        made = build(definition=EVERYONE, scope=Scope(None, exact=True), all_visits=True)
        keep(made, tmp_path)
    start, rows = time.process_time(), 0
    for level in levels().values():
        rows += sum(1 for _one in level.model._default_manager.order_by("pk").iterator(chunk_size=2000))
    taken = time.process_time() - start
    told("ORM iterator", rows=rows, rows_per_s=rows / taken)
    grown = {}
    for format in CHOSEN:
        command = [sys.executable, "-m", "tests.benchmarks.write_format", str(tmp_path), format]
        env = os.environ | {"REGISTRY_DATA": str(tmp_path / "data"), "REGISTRY_DEMO": "1", "DATABASE_URL": ""}
        env.pop("DATABASE_URL")
        copies = str(max(1, PATIENTS // len(made.people)))
        done = subprocess.run([*command, copies], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        one = json.loads(done.stdout.splitlines()[-1])
        grown[format] = one["peak_mb"] - one["before_mb"]
        told(
            format, rows=one["rows"], rows_per_s=one["rows"] / one["processor"], wall_s=one["seconds"],
            peak_mb=one["peak_mb"], more_mb=grown[format], file_mb=one["file_mb"],
        )  # fmt: skip
    assert all(more < MOST_MORE_MB for more in grown.values()), grown


def test_a_workbook_in_a_tenth_of_the_time_xlsxwriter_takes(tmp_path: Path):
    table = sheet_of(ROWS)
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def ours() -> None:
        with Book(tmp_path / "ours.xlsx") as book:
            book.sheet("table", table.schema, table.to_batches(8192))

    def theirs() -> None:
        with xlsxwriter.Workbook(str(tmp_path / "theirs.xlsx"), {"constant_memory": True}) as book:
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            sheet = book.add_worksheet()
            for place, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, datetime.date):
                        sheet.write_datetime(place, column, value, day)
                    elif isinstance(value, str):
                        sheet.write_string(place, column, value)
                    elif value is not None:
                        sheet.write_number(place, column, value)

    ours()  # the libraries are loaded
    taken = []
    for work in (theirs, ours, ours):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    times = taken[0] / min(taken[1:])
    told("workbook", rows=ROWS, columns=table.num_columns, ours_s=min(taken[1:]), xlsxwriter_s=taken[0], times=times)
    assert times >= 10


def sheet_of(rows: int) -> pa.Table:
    """36 columns as the register has them: codes, whole numbers, days and decimals, a pseudonym first."""
    some = list(range(rows))
    codes, days = ("Y", "N", "U", None, "FINGER.INDEX"), datetime.date(2010, 1, 1)
    kinds = (
        pa.array([codes[n % 5] for n in some]),
        pa.array([n * 7919 % 997 for n in some], pa.int64()),
        pa.array([days + datetime.timedelta(days=n * 31 % 5000) for n in some]),
        pa.array([n * 13 % 4001 / 10 for n in some]),
    )
    columns = {f"column_{place}": kinds[place % 4] for place in range(35)}
    return pa.table({"patient": pa.array([f"P{n * 2654435761 % 2**64:016X}" for n in some]), **columns})
