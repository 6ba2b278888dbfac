"""DuckDB and Spark give the same rows: of every table, of a cohort, of a snapshot with changes beside it, of a report.

Spark needs Java 17 and PySpark, which requirements.txt does not bring (half a gigabyte): ``make test-spark``
installs it and runs this file.
"""

from __future__ import annotations

import importlib.util
import shutil
from typing import Any

import pytest
from django.core.management import call_command

from calcinosis_registry.cohorts.counts import count
from calcinosis_registry.cohorts.dataset import Dataset, build
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.reports.frame import frame
from lesions.models import Lesion
from patients.models import Patient
from tests.cohorts.register import EVERYONE
from tests.factories import VisitFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.once,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17: apt-get install openjdk-17-jre"),
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="PySpark is missing: make test-spark"),
]
SCOPE = Scope(None, exact=True)
ULCERATED: dict[str, Any] = {
    "join": "all",
    "conditions": [
        {"item": "lesionobservation.ulcerated", "operator": "is", "value": "Y"},
        {"item": "diagnosis.primary_ctd", "operator": "is", "value": "SSC"},
    ],
}


@pytest.fixture
def demo_register(db):
    """Every kind of record, partial dates, unsigned visits; and changes that stand beside the snapshot made before."""
    call_command("load_demo", patients=10, clinics=2, seed=3)
    building.build(whole=True)
    VisitFactory(patient=Patient.objects.order_by("pk")[0], state="SIGNED", note="seen “again”, nothing new")
    lesion = Lesion.objects.order_by("pk")[0]
    lesion.site_detail = "told later"
    lesion.save()
    changed = building.build()
    assert 0 < changed.changed < changed.patients


def on(engine: str, settings: Any, **choices: Any) -> Dataset:
    settings.ANALYTICS = engine
    return build(**{"definition": EVERYONE, "scope": SCOPE} | choices)


@pytest.mark.parametrize("choices", [{"include_text": True}, {"all_visits": True}, {"definition": ULCERATED}])
def test_both_engines_give_the_same_rows_of_every_table(demo_register, settings, choices):
    duck, spark = (on(engine, settings, **choices) for engine in ("duckdb", "spark"))
    assert duck.people == spark.people and list(duck.tables) == list(spark.tables)
    filled = 0
    for name, table in duck.tables.items():
        rows, others = list(table.rows()), list(spark.tables[name].rows())
        assert len(rows) == len(others), name
        for row, other in zip(rows, others, strict=True):
            different = [one.name for one, a, b in zip(table.columns, row, other, strict=True) if a != b]
            assert not different, f"{name}: {different} {row} {other}"
        filled += bool(rows)
    assert filled > 20
    asked = choices.get("definition", EVERYONE)
    assert count(asked, SCOPE).number == len({row[0] for row in spark.tables["patients"].rows()}) > 0


def test_the_true_years_and_what_a_report_reads_are_the_same_too(demo_register, settings):
    duck, spark = (on(engine, settings) for engine in ("duckdb", "spark"))
    asked = ["patient", "visit_no", "__year_of_visit_date"]
    years = [made.tables["visits"].read(asked).read_all().select(asked) for made in (duck, spark)]
    assert years[0].to_pylist() == years[1].to_pylist()
    one, other = frame(duck), frame(spark)
    assert one.patients == other.patients
    for name, columns in one.tables.items():
        for column in columns.cells:
            assert columns.cells[column].to_pylist() == other.tables[name].cells[column].to_pylist(), (name, column)
