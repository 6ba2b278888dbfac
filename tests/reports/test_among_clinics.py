"""A clinic among all: drawn where there are enough clinics, in words otherwise; others unnamed and protected."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from calcinosis_registry.cohorts.scope import Cell
from calcinosis_registry.reports.chapters import benchmark
from calcinosis_registry.reports.clinic import Some, Standing
from tests.cohorts.register import patients
from tests.factories import ClinicFactory, SummaryFactory


def some(number: int, start: int = 1) -> Some:
    return Some(number, Cell.of(range(start, start + number)))


def standing(whole: int, in_time: int, *, own: bool = False, start: int = 1) -> Standing:
    return Standing("North" if own else "", some(whole, start), some(in_time, start), some(whole - in_time, start),
                    90.0, 3, own)  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize(
    ("in_time", "said"),
    [(160, "within what chance alone"), (145, "outside the 95 % limits"), (120, "outside the 99.8 % limits")],
)
def test_the_finding_names_the_limits_the_clinic_lies_in(in_time, said):
    others = [standing(200, 160, start=1000 * place) for place in range(1, 8)]
    exhibit = benchmark.funnel([standing(200, in_time, own=True, start=9000), *others])
    assert said in exhibit.says and f"Here {in_time} of 200 patients" in exhibit.says
    assert exhibit.picture.count('class="limit"') >= 4 and "North" in exhibit.picture


@pytest.mark.once
def test_other_clinics_are_rounded_unnamed_and_shown_with_what_their_point_may_stand_for():
    others = [standing(33, 27, start=1000 * place) for place in range(1, 5)]
    exhibit = benchmark.funnel([standing(40, 31, own=True, start=9000), *others])
    assert "27 / 33" not in exhibit.picture and "31 / 40" in exhibit.picture
    counts = [part for row in exhibit.sheet.rows[:-1] for part in row[1].split(" / ")]
    assert all(int(one) % 5 == 0 for one in counts) and sum("other clinic" in row[0] for row in exhibit.sheet.rows) >= 1
    assert benchmark.beside_all([standing(40, 31, own=True, start=9000), *others]).sheet.rows[0][1] == "78 %"


@pytest.mark.once
def test_clinics_too_small_to_be_shown_are_counted_and_few_clinics_are_not_compared():
    small = [standing(6, 5, start=1000 * place) for place in range(1, 5)]
    big = [standing(60, 50, start=100_000 + 1000 * place) for place in range(2)]
    own = standing(40, 31, own=True, start=9000)
    assert "4 clinics are too small" in " ".join(benchmark.funnel([own, *small, *big]).notes)
    for make in (benchmark.funnel, benchmark.beside_all):
        assert "from 5 on they are compared" in make([own, *big]).nothing
        assert "no place among the others" in make(small).nothing
    assert "too small to be shown" in benchmark.funnel([own, *small]).nothing


@pytest.mark.django_db
def test_overdue_and_lost_patients_are_not_in_time(client_of, clinician, north):
    today = timezone.localdate()
    for code in ("AA", "BB", "CC", "DD"):
        patients(ClinicFactory(code=code), 12)
    late, lost, *_rest = patients(north, 10)
    SummaryFactory(patient=late, next_due_on=today - datetime.timedelta(days=60), last_visit_on=today)
    lost.status = "LOST"
    lost.save()
    page = client_of(clinician).get(f"/reports/clinic/{north.public_id}/").content.decode()
    assert "Here 8 of 10 patients (80 %)" in page and "beside all" in page
