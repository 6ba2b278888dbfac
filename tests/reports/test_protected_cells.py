"""Outside a project a cell of a report is protected by whom it counts, as a count of the cohort builder is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from calcinosis_registry.cohorts.scope import Cell, Scope, protected
from calcinosis_registry.reports.building import chapters
from calcinosis_registry.reports.chapters.course import QUESTIONS, kaplan_meier
from calcinosis_registry.reports.crowd import Crowd, crowds
from calcinosis_registry.reports.grouping import Grouping
from calcinosis_registry.reports.histories import Times
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import NONE, Teller
from tests.cohorts.register import EVERYONE, patients
from tests.factories import LesionFactory

KEYS = np.arange(1000, 3000)
TELL, EXACT = Teller(Scope(None, exact=False), KEYS), Teller(Scope(None, exact=True))


def groups(size: int, many: int = 60) -> list[Crowd]:
    drawn = np.random.default_rng(size)
    return [Crowd(drawn.choice(len(KEYS), size, replace=False)) for _one in range(many)]


@pytest.mark.once
def test_a_cell_and_a_count_of_the_same_patients_are_one_answer():
    for size in (8, 12, 13, 40):
        for group in groups(size):
            assert TELL.n(group) == protected(size, Cell.of(KEYS[group.places].tolist())).short


@pytest.mark.once
def test_no_answer_stands_for_one_number_and_no_small_one_is_shown():
    stands_for: dict[str, set[int]] = {}
    for size in range(40):
        for group in groups(size):
            stands_for.setdefault(TELL.n(group), set()).add(size)
    assert stands_for.pop("<10") == set(range(10))
    sure = {text for text, sizes in stands_for.items() if len(sizes) < 3 and int(text) < 35}
    assert not sure


@pytest.mark.once
def test_one_patient_more_cannot_be_read_from_where_an_answer_moves():
    """With plain rounding the answer moves exactly at 13; here it does so anywhere."""
    moves = set()
    for start in range(50):
        people = list(range(start * 30, start * 30 + 20))
        told = [TELL.n(Crowd(people[:size])) for size in range(10, 20)]
        moves.add(next((size for size, text in enumerate(told, 10) if text == "15"), 0))
    assert len(moves) >= 4


@pytest.mark.once
def test_many_lesions_of_few_patients_are_few():
    assert TELL.n(Crowd([1] * 50 + [2] * 50)) == "<10" and TELL.percent(Crowd([1] * 50), Crowd(range(90))) == "<10/90"
    assert EXACT.n(Crowd([1] * 50)) == "50"


@pytest.mark.once
def test_a_protected_mean_goes_to_a_half_and_is_right_on_average():
    shown = [TELL.middle(4.3, group) for group in groups(20, 400)]
    assert set(shown) == {4.0, 4.5} and np.mean(shown) == pytest.approx(4.3, abs=0.06)
    assert TELL.value(4.3, of=Crowd([1, 2, 3])) == NONE and EXACT.value(4.3, of=Crowd([1])) == "4.3"


@pytest.mark.once
def test_a_protected_number_that_does_not_know_whom_it_counts_is_a_mistake():
    for ask in (TELL.n, TELL.shown, lambda number: TELL.years(12.5, number)):
        with pytest.raises(TypeError, match="crowd"):
            ask(12)


@pytest.mark.once
def test_a_hidden_value_of_a_curve_is_said_to_be_hidden_and_nothing_is_drawn_over_it():
    """Of 200 patients 3 have the event in the first year: hidden. 120 more have it in the second."""
    years = np.array([0.4] * 3 + [1.4] * 120 + [3.0] * 77)
    causes = np.array([1] * 123 + [0] * 77)
    times = Times(years, causes, np.arange(200), np.full(200, np.nan), Crowd(), Crowd())
    by = Grouping("", "", ("All patients",), np.zeros(200, np.int64))
    shown = kaplan_meier(Subject(None, by, TELL), QUESTIONS[0], times)  # type: ignore[arg-type]
    (row,) = shown.sheet.rows
    free, band = row[5].split(" %")
    assert row[4] == NONE and free in ("38", "40") and row[3].partition(" ")[0] == "1.5"
    low, high = (int(end) for end in band.strip(" ()").split("–"))
    assert 25 < low < int(free) < high < 55
    assert [row[1] for row in shown.data.rows] == ["0", "1.5", "2", "2.5", "3"]
    assert shown.data.rows[0][3:] == ("", "")  # no band where nobody had it yet
    assert [f"{100 * float(end):.0f}" for end in shown.data.rows[2][3:]] == [str(low), str(high)]
    (way,) = re.findall(r'<path d="([^"]+)"[^>]*class="line s1"', shown.drawings[0][1])
    start, later = re.findall(r"M[^M]+", way)
    assert "H" not in start and later.count("H") == 3


@pytest.mark.once
def test_crowds_keep_whose_each_is():
    found = crowds("abab", [1, 2, 1, 3])
    assert found["a"].places.tolist() == [1, 1] and found["a"].people == 1 and found["c"] == 0
    assert (found["a"] + found["b"]).people.places.tolist() == [1, 2, 3] and found.whole == 4


@pytest.mark.django_db
def test_the_lesions_of_one_patient_are_no_cell_of_the_chapter(north):
    first, *_others = patients(north, 12)
    for _lesion in range(12):
        LesionFactory(patient=first, site="ELBOW")
    (chapter,) = chapters(definition=EVERYONE, scope=Scope(None, exact=False), keys=("lesions",))
    assert "enough patients" in chapter.exhibit("sites").nothing and "of <10 " in chapter.exhibit("sites").title
