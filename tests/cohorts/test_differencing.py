"""What somebody learns who asks for protected counts of overlapping groups: never a small number exactly."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calcinosis_registry.audit.models import Event
from calcinosis_registry.cohorts import asking
from calcinosis_registry.cohorts.counts import count
from calcinosis_registry.cohorts.scope import Cell, Scope, protected
from tests.cohorts.register import patients

LARGEST = 60
people = st.sets(st.integers(1, 10_000), min_size=1, max_size=40)


def answers() -> dict[str, set[int]]:
    """{what is shown: every number it may stand for}, over many groups of each size."""
    drawn = random.Random(1)
    shown: dict[str, set[int]] = {}
    for number in range(LARGEST):
        for _group in range(200):
            cell = Cell.of(drawn.sample(range(1, 100_000), number))
            shown.setdefault(protected(number, cell).text, set()).add(number)
    return shown


SHOWN = answers()


def test_a_small_count_is_never_shown_and_never_told_from_another():
    texts = {protected(n, Cell.of(range(start, start + n))).text for n in range(8) for start in range(1, 500)}
    assert texts == {"fewer than 10"}
    assert SHOWN["fewer than 10"] == set(range(10))


def test_what_is_shown_is_a_multiple_of_5_and_at_most_4_off():
    for text, numbers in SHOWN.items():
        if text != "fewer than 10":
            number = int(text.removeprefix("about "))
            assert number % 5 == 0 and number >= 10
            assert max(abs(number - one) for one in numbers) <= 4


def test_two_overlapping_counts_never_give_a_small_one_exactly():
    """For any two answers about a group and a larger one: what lies between them is never certain when it is small."""
    for inner, outer in itertools.product(SHOWN.values(), repeat=2):
        between = {b - a for a in inner for b in outer if b >= a}
        assert len(between) != 1 or not between <= set(range(1, 8))


def test_a_union_an_overlap_and_its_parts_never_give_a_small_one_exactly():
    """|A and B| from |A| + |B| - |A or B|, all three as shown."""
    some = [SHOWN[text] for text in ("fewer than 10", "about 10", "about 15", "about 20")]
    for a, b, union in itertools.product(some, repeat=3):
        common = {x + y - z for x in a for y in b for z in union if max(x, y) <= z <= x + y}
        assert len(common) != 1 or not common <= set(range(1, 8))


@settings(max_examples=200, deadline=None)
@given(people)
def test_the_same_patients_give_the_same_answer_however_they_are_found(group):
    one = protected(len(group), Cell.of(sorted(group))).text
    assert one == protected(len(group), Cell.of(sorted(group, reverse=True))).text


def steps(hidden: list[int], others: list[int], count) -> int | None:
    """The attack on plain rounding: add known patients one by one until the answer moves, with and without the hidden
    ones; the difference of the two numbers of steps is how many the hidden ones are."""

    def moves_at(start: list[int]) -> int:
        first = count([*start, *others[:20]])
        return next(n for n in range(20, len(others)) if count([*start, *others[:n]]) != first)

    try:
        return (moves_at([]) - moves_at(hidden)) % 5
    except StopIteration:
        return None


def test_counting_up_to_where_the_answer_moves_finds_a_small_group_in_plain_rounding_only():
    drawn = random.Random(2)
    right = {"plain": 0, "ours": 0}
    for _attempt in range(200):
        keys = drawn.sample(range(1, 100_000), 60)
        size = drawn.randint(1, 4)
        hidden, others = keys[:size], keys[10:]
        right["plain"] += steps(hidden, others, lambda group: protected(len(group)).text) == size
        right["ours"] += steps(hidden, others, lambda group: protected(len(group), Cell.of(group)).text) == size
    assert right["plain"] == 200
    assert right["ours"] < 90  # one in four by luck


@pytest.mark.django_db
def test_a_count_of_the_register_is_keyed_by_its_patients(north, south):
    of = [one.pk for one in patients(north, 11)]
    patients(south, 11)
    everyone = {"join": "all", "conditions": []}
    women = {"join": "all", "conditions": [{"item": "patient.sex_at_birth", "operator": "is", "value": "F"}]}
    scope = Scope(frozenset({north.pk}), exact=False)
    expected = protected(11, Cell.of(of))
    assert count(everyone, scope) == count(women, scope) == expected


@pytest.mark.django_db
def test_too_many_protected_counts_leave_one_event(client_of, researcher, monkeypatch):
    monkeypatch.setitem(asking.RATES, "protected_count", "2/m/user")
    browser = client_of(researcher)
    answers = [browser.post("/cohorts/count/", {"join": "all"}).json() for _one in range(5)]
    assert [bool(one["count"]) for one in answers] == [True, True, False, False, False]
    (event,) = Event.objects.filter(changes__has_key="protected counts")
    assert event.actor_id == researcher.pk and event.object_id == researcher.pk
