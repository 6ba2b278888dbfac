"""What was known after each visit: burden, active and ulcerated lesions, new ulcers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lesions.timeline import timeline

LESIONS = [SimpleNamespace(pk=1, target=True), SimpleNamespace(pk=2, target=True), SimpleNamespace(pk=3, target=False)]


def visits(number: int) -> list:
    return [SimpleNamespace(pk=key, state="OPEN") for key in range(1, number + 1)]


def seen(visit: int, lesion: int, status: str = "STABLE", size: int | None = 10, ulcerated: str = "N"):
    return SimpleNamespace(
        visit_id=visit, lesion_id=lesion, status_change=status, length_mm=size, width_mm=size, ulcerated=ulcerated
    )


def test_the_burden_is_the_sum_of_the_targets_areas():
    (moment,) = timeline(visits(1), LESIONS, [seen(1, 1), seen(1, 2), seen(1, 3, size=90)])
    assert float(moment.burden) == pytest.approx(2 * 78.54, abs=0.01)


def test_a_target_that_is_there_but_was_not_measured_makes_the_burden_missing():
    first, second = timeline(visits(2), LESIONS, [seen(1, 1), seen(1, 2), seen(2, 1)])
    assert first.burden is not None
    assert second.burden is None


def test_a_target_that_is_gone_counts_nothing_from_then_on():
    rows = [seen(1, 1), seen(1, 2), seen(2, 1), seen(2, 2, "RESOLVED", None), seen(3, 1)]
    burdens = [moment.burden for moment in timeline(visits(3), LESIONS, rows)]
    assert float(burdens[1]) == pytest.approx(78.54, abs=0.01)
    assert burdens[2] == burdens[1]


def test_a_lesion_not_examined_keeps_what_was_known_of_it():
    rows = [seen(1, 1, ulcerated="Y"), seen(2, 1, "NOT_ASSESSED", None, ulcerated="")]
    second = timeline(visits(2), LESIONS, rows)[1]
    assert (second.active, second.ulcerated) == (1, 1)


def test_an_ulcer_is_new_only_at_the_visit_that_first_saw_it():
    rows = [seen(1, 1), seen(2, 1, ulcerated="Y"), seen(3, 1, ulcerated="Y"), seen(4, 1), seen(5, 1, ulcerated="Y")]
    assert [one.new_ulcers for one in timeline(visits(5), LESIONS, rows)] == [(), (1,), (), (), (1,)]


def test_a_missed_visit_says_nothing():
    missed = SimpleNamespace(pk=2, state="MISSED")
    moments = timeline([*visits(1), missed], LESIONS, [seen(1, 1)])
    assert (moments[1].burden, moments[1].active, moments[1].ulcerated) == (None, None, None)
