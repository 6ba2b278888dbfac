"""A date as far as it is known: an interval of days, never silently 1 January."""

from __future__ import annotations

import datetime
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from calcinosis_registry.codebook.fields import PartialDateField, PartialDateFormField
from calcinosis_registry.codebook.partial_dates import PartialDate, Precision
from patients.models import Patient
from tests.factories import PatientFactory

days = st.dates(min_value=datetime.date(1000, 1, 1))
known = st.builds(
    lambda day, precision: PartialDate(day.year, *(day.month, day.day)[:precision]), days, st.integers(0, 2)
)
any_date = known | st.just(PartialDate())

NONSENSE = (
    "87", "1987-13", "1987-00", "1987-02-30", "1987-03-00", "13/1987", "0000", "1987-03-12T10:00", "12.03.1987",
    "1987/03", "March 1987", "1987-", "-1987", "19870312", "1987-03-12-01", "unknow", "0", "198 7",
)  # fmt: skip


@given(any_date)
def test_what_is_written_reads_back_the_same(date: PartialDate):
    assert PartialDate.parse(str(date)) == date
    field = PartialDateField()
    assert field.from_db_value(field.get_prep_value(date)) == date
    assert PartialDateFormField().clean(str(date)) == date


@given(known)
def test_the_interval_is_as_wide_as_the_precision(date: PartialDate):
    width = (date.latest - date.earliest).days + 1
    assert width in {Precision.DAY: {1}, Precision.MONTH: {28, 29, 30, 31}, Precision.YEAR: {365, 366}}[date.precision]
    assert (date.earliest.year, date.latest.year) == (date.year, date.year)


@given(days)
def test_every_day_lies_in_its_month_and_its_year(day: datetime.date):
    for date in (PartialDate.of(day), PartialDate(day.year, day.month), PartialDate(day.year)):
        assert date.earliest <= day <= date.latest
        assert date.can_be_on_or_before(day) and PartialDate.of(day).can_be_on_or_before(date)


@given(any_date, any_date)
def test_one_of_two_dates_can_come_first(one: PartialDate, other: PartialDate):
    assert one.can_be_on_or_before(other) or other.can_be_on_or_before(one)


@given(known, known)
def test_only_what_is_surely_later_is_refused(one: PartialDate, other: PartialDate):
    assert one.can_be_on_or_before(other) == (one.earliest <= other.latest)


@given(any_date)
def test_the_unknown_forbids_nothing(date: PartialDate):
    assert PartialDate().can_be_on_or_before(date) and date.can_be_on_or_before(PartialDate())


@given(st.lists(any_date, min_size=2))
def test_a_list_has_one_order_with_the_unknown_last(dates: list[PartialDate]):
    ordered = sorted(dates)
    assert all(one <= other for one, other in pairwise(ordered))
    assert [one.year is None for one in ordered] == sorted(one.year is None for one in ordered)
    starts = [one.earliest for one in ordered if one.earliest]
    assert starts == sorted(starts)


def test_the_database_sorts_as_python_does(db, north):
    dates = [PartialDate(1987), PartialDate(1987, 3, 12), PartialDate(1986, 12), PartialDate(1987, 3)]
    for date in dates:
        PatientFactory(clinic=north, birth_date=date)
    found = [one.birth_date for one in Patient.objects.order_by("birth_date")]
    assert found == sorted(dates)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("1987", "1987"), ("1987-3", "1987-03"), (" 1987-03-12 ", "1987-03-12"), ("3/1987", "1987-03"),
        ("UNKNOWN", "unknown"), ("?", "unknown"), ("2024-02-29", "2024-02-29"),
    ],
)  # fmt: skip
def test_people_write_dates_in_their_ways(typed: str, stored: str):
    assert str(PartialDateFormField().clean(typed)) == stored


@pytest.mark.parametrize("typed", NONSENSE)
def test_what_is_no_date_is_refused_with_what_is_accepted(typed: str):
    for field in (PartialDateFormField(), PartialDateField()):
        with pytest.raises(ValidationError, match="1987-03"):
            field.to_python(typed)


@given(st.text(max_size=12))
def test_no_text_breaks_the_form(typed: str):
    try:
        found = PartialDateFormField(required=False).clean(typed)
    except ValidationError:
        return
    assert found is None or str(found) == str(PartialDate.parse(str(found)))


def test_nothing_typed_is_not_the_same_as_unknown():
    assert PartialDateFormField(required=False).clean("") is None
    assert PartialDateField().get_prep_value("") is None
    assert PartialDateField().get_prep_value("unknown") == "unknown"
    assert bool(PartialDate()) is True


def test_a_bad_date_cannot_be_stored_by_a_path_around_the_form(db, north):
    patient = PatientFactory(clinic=north)
    with pytest.raises(ValidationError):
        models.QuerySet(Patient).filter(pk=patient.pk).update(birth_date="1987-02-30")
