"""The dataset itself: what its columns say before a row is read, and that its two faces are one."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from pyarrow import parquet

from calcinosis_registry.cohorts.columns import Kind
from calcinosis_registry.cohorts.dataset import Dataset, build
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.snapshot import building
from lesions.second_reading import adjudicate, finish, take
from tests.cohorts.reference import rows_of
from tests.cohorts.register import EVERYONE, patients
from tests.factories import (
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    MembershipFactory,
    PatientFactory,
    VisitFactory,
    a_reading,
    a_second_reading,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo_register(db):
    """Invented courses of every kind; some visits unsigned, some dates known to the year."""
    call_command("load_demo", patients=5, clinics=2, seed=3)


def dataset(**choices) -> Dataset:
    return build(definition=EVERYONE, scope=Scope(None, exact=True), **choices)


def test_a_column_tells_its_type_before_a_row_is_read(north, django_assert_num_queries):
    made = dataset(include_text=True)
    with django_assert_num_queries(0):
        kinds = {f"{table.name}.{one.name}": one.kind for table in made.tables.values() for one in table.columns}
        types = {f"{table.name}.{one.name}": str(one.type) for table in made.tables.values() for one in table.schema}
    assert kinds["patients.patient"] is Kind.KEY and types["patients.patient"] == "string"
    assert kinds["visits.visit_date"] is Kind.DATE and types["visits.visit_date"] == "date32[day]"
    assert types["visits.weight_kg"] == "decimal128(5, 1)" and types["visits.pain_nrs"] == "int64"
    assert Kind.CODES in kinds.values() and Kind.BOOLEAN in kinds.values()


def test_every_coded_column_names_its_codes_and_every_value_is_one_of_them(north):
    patients(north, 2)
    made = dataset()
    for table in made.tables.values():
        for column, cells in zip(table.columns, zip(*table.rows(), strict=True), strict=False):
            if column.kind in (Kind.CODE, Kind.CODES, Kind.BOOLEAN):
                known = {code for code, _label in column.codes}
                assert known, f"{table.name}.{column.name}"
                said = {part for cell in cells if cell is not None for part in str(cell).split(";")}
                assert said <= known, f"{table.name}.{column.name}: {said - known}"


def test_the_arrow_table_holds_the_rows(north):
    patients(north, 3)
    made = dataset(include_text=True)
    for table in made.tables.values():
        arrow = table.arrow()
        assert arrow.schema.equals(table.schema)
        assert [tuple(row.values()) for row in arrow.to_pylist()] == [tuple(row) for row in table.rows()], table.name


@pytest.mark.parametrize("all_visits", [False, pytest.param(True, marks=pytest.mark.long)])
def test_every_value_of_every_table_agrees_with_the_database_read_row_by_row(all_visits, demo_register):
    made = dataset(include_text=True, all_visits=all_visits)
    filled = 0
    for name, table in made.tables.items():
        expected, found = rows_of(made, name), list(table.rows())
        assert len(found) == len(expected), name
        for row, other in zip(found, expected, strict=True):
            different = [one.name for one, a, b in zip(table.columns, row, other, strict=True) if a != b]
            assert not different, f"{name}: {different} {row} {other}"
        filled += bool(found)
    assert filled > 20


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_both_readers_of_the_database_make_the_same_snapshot(north):
    patients(north, 2)
    aside = building.build(whole=True)
    by_driver = rows_of_files(aside)
    with transaction.atomic():
        assert rows_of_files(building.build(whole=True)) == by_driver


def rows_of_files(snapshot: building.Snapshot) -> dict[str, list]:
    paths = snapshot.folder.glob("*.base.parquet")
    return {path.name: sorted(parquet.read_table(path).to_pylist(), key=str) for path in paths}


def test_an_observation_says_into_which_lesion_it_merged_by_that_lesion_s_number(north):
    patient = PatientFactory(clinic=north)
    one, two, three = (LesionFactory(patient=patient, number=number) for number in (4, 7, 9))
    visit = VisitFactory(patient=patient)
    LesionObservationFactory(visit=visit, lesion=one, status_change="MERGED", merged_into=three)
    LesionObservationFactory(visit=visit, lesion=two, status_change="STABLE")
    LesionObservationFactory(visit=visit, lesion=three, status_change="LARGER")
    table = dataset(all_visits=True).tables["observations"]
    numbers = {row["lesion_no"]: row["merged_into_lesion_no"] for row in table.arrow().to_pylist()}
    names = {number: label for label, number in zip("abc", sorted(numbers), strict=True)}
    assert {names[one]: names.get(into) for one, into in numbers.items()} == {"a": "c", "b": None, "c": None}
    (column,) = (one for one in table.columns if one.name == "merged_into_lesion_no")
    assert column.kind is Kind.NUMBER and column.label


def test_a_reading_says_which_it_is_and_its_codes_are_in_the_codebook(north):
    study = ImagingStudyFactory(patient=PatientFactory(clinic=north))
    asked = a_second_reading(study)
    reader = MembershipFactory(clinic=north).user
    take(asked=asked, by=reader, now=timezone.now())
    asked.refresh_from_db()
    reading = a_reading(study, reader, {"R-MC1": (40, 1)})
    finish(asked=asked, reading=reading, by=reader, now=timezone.now())
    asked.refresh_from_db()
    adjudicate(
        pair=asked, ratings=[one.rating for one in reading.ratings.all()], how="CONSENSUS", why="seen together",
        by=reader, now=timezone.now(),
    )  # fmt: skip
    table = dataset(all_visits=True).tables["hand_scores"]
    kinds = sorted(row["reading_kind"] for row in table.arrow().to_pylist())
    assert kinds == ["ADJUDICATION", "FIRST", "SECOND"]
    (column,) = (one for one in table.columns if one.name == "reading_kind")
    assert set(kinds) < {code for code, _label in column.codes} and column.about is not None
    assert {row["of_record"] for row in table.arrow().to_pylist()} == {"ADJUDICATED", None}
