"""The invented courses: their totals resemble clinical-model section 10, and nothing in them is impossible."""

from __future__ import annotations

import datetime
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest

from calcinosis_registry.demo import radiograph
from calcinosis_registry.demo.loader import ORDER
from calcinosis_registry.demo.story import tell
from calcinosis_registry.demo.told import Dice, Told

UNTIL = datetime.date(2026, 6, 30)
CLINIC, CLINICIAN = Told("clinics.clinic", {}), Told("accounts.user", {})
MANY = 400
Story = list[Told]


def story(index: int, seed: int = 7) -> Story:
    return tell(seed=seed, index=index, clinic=CLINIC, clinician=CLINICIAN, until=UNTIL)


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    # Past the first sixty, to whom rare things are made to happen.
    return [story(index) for index in range(100, 100 + MANY)]


def of(one: Story, kind: str) -> list[Told]:
    return [record for record in one if record.kind == kind]


def share(stories: list[Story], true_of) -> float:
    return sum(map(true_of, stories)) / len(stories)


def plain(one: Story) -> list[tuple]:
    """The story without identities of objects: references as their place in it."""
    places = {id(record): place for place, record in enumerate(one)}
    return [
        (
            record.kind,
            [(name, places.get(id(v), v.kind) if isinstance(v, Told) else v) for name, v in record.values.items()],
        )
        for record in one
    ]


def test_the_same_seed_tells_the_same_story_and_another_seed_another():
    assert plain(story(3)) == plain(story(3))
    assert plain(story(3)) != plain(story(3, seed=8))


def test_about_85_percent_are_women(stories):
    assert 0.80 <= share(stories, lambda one: of(one, "patients.patient")[0]["sex_at_birth"] == "F") <= 0.90


def test_about_70_percent_have_deposits_in_the_hands(stories):
    assert (
        0.62 <= share(stories, lambda one: any(x["site"].startswith("HAND") for x in of(one, "lesions.lesion"))) <= 0.82
    )


def test_the_thumb_is_hit_most_and_the_little_finger_least(stories):
    sites = [x["site"] for one in stories for x in of(one, "lesions.lesion")]
    digits = Counter(
        site.split(".")[1] for site in sites if site.startswith("HAND.D") and site.split(".")[1][1:].isdigit()
    )
    assert digits.most_common()[0][0] == "D1"
    assert digits.most_common()[-1][0] == "D5"


def test_about_half_of_the_lesions_are_ulcerated_at_some_visit(stories):
    lesions = sum(len(of(one, "lesions.lesion")) for one in stories)
    sore = {
        id(x["lesion"]) for one in stories for x in of(one, "lesions.lesionobservation") if x["ulcerated"] == "Y"
    }  # fmt: skip
    assert 0.33 <= len(sore) / lesions <= 0.55


def test_infection_is_rare_and_extrusion_happens_to_about_a_fifth(stories):
    def any_observation(one: Story, name: str, *codes: str) -> bool:
        return any(x[name] in codes for x in of(one, "lesions.lesionobservation"))

    assert share(stories, lambda one: any_observation(one, "infection", "SUSPECTED", "CONFIRMED_CULTURE")) <= 0.05
    extruding = share(
        stories,
        lambda one: (
            any_observation(one, "drainage", "CHALKY", "MILKY", "MIXED")
            or any_observation(one, "status_change", "EXTRUDED_COMPLETE")
        ),
    )
    assert 0.10 <= extruding <= 0.30


def test_about_two_fifths_progress_by_more_than_a_quarter_in_a_year(stories):
    changes = [change for one in stories if (change := _change_in_a_year(one)) is not None]
    assert len(changes) > 100
    assert 0.28 <= sum(change > Decimal("1.25") for change in changes) / len(changes) <= 0.52


def _change_in_a_year(one: Story) -> Decimal | None:
    """Sum of the target areas about a year after baseline, as a multiple of the sum then."""
    areas: dict[datetime.date, dict[int, Decimal]] = {}
    for x in of(one, "lesions.lesionobservation"):
        if x["area_mm2"] and x["lesion"]["target"]:
            areas.setdefault(x["visit"]["visit_date"], {})[id(x["lesion"])] = x["area_mm2"]
    first = min((x["visit_date"] for x in of(one, "patients.visit")), default=None)
    later = next((day for day in sorted(areas) if 300 < (day - first).days < 460), None)
    common = set(areas.get(first, {})) & set(areas.get(later, {}))
    if not common:
        return None
    return sum(areas[later][key] for key in common) / sum(areas[first][key] for key in common)


def test_pain_is_worse_where_there_are_ulcers(stories):
    pain: dict[bool, list[int]] = {True: [], False: []}
    for one in stories:
        sore = {id(x["visit"]) for x in of(one, "lesions.lesionobservation") if x["ulcerated"] == "Y"}
        for visit in of(one, "patients.visit"):
            if visit["pain_nrs"] is not None:
                pain[id(visit) in sore].append(visit["pain_nrs"])
    mean = {sore: sum(values) / len(values) for sore, values in pain.items()}
    assert mean[True] >= mean[False] + 1


def test_a_course_that_helps_slows_growth():
    """Two worlds of the same deposits: one treated with success, one not."""
    from calcinosis_registry.demo.deposits import Deposit, age

    class Still:
        dice, tempo = Dice("still"), 0.0

    def grown(effect: float) -> float:
        Still.dice = Dice("still")
        one = Deposit(Told("lesions.lesion", {}), length=10, ratio=0.8, drift=0.4, prone=0, method="RULER")
        for _half_year in range(6):
            age(Still, [one], 0.5, effect)
        return one.length

    assert grown(0.6) < grown(0.0) - 1


def test_visits_come_in_order_about_every_six_months_and_some_are_missed(stories):
    gaps = []
    for one in stories:
        visits = [visit["visit_date"] for visit in of(one, "patients.visit")]
        assert visits == sorted(set(visits))
        gaps += [(b - a).days for a, b in pairwise(visits)]
        assert of(one, "patients.visit")[0]["state"] != "MISSED"
    assert 150 <= sorted(gaps)[len(gaps) // 2] <= 220
    assert any(visit["state"] == "MISSED" for one in stories for visit in of(one, "patients.visit"))


def test_nothing_is_told_after_the_day_it_is_told_up_to(stories):
    late = [
        (record.kind, name, value)
        for one in stories
        for record in one
        for name, value in record.values.items()
        if type(value) is datetime.date and value > UNTIL and name != "next_visit_due"
    ]
    assert late == []


def test_a_few_give_no_research_consent_and_a_few_withdraw(stories):
    assert 0.02 <= share(stories, lambda one: not of(one, "patients.patient")[0]["research_consent"]) <= 0.20
    assert any(x["withdrawn_on"] for one in stories for x in of(one, "patients.consent"))


def test_every_kind_has_its_place_in_the_loader(stories):
    assert {record.kind for one in stories for record in one} <= set(ORDER)


@pytest.mark.parametrize("side", ["R", "L"])
def test_the_drawn_radiograph_puts_the_deposit_on_its_side(side):
    spot = radiograph.spot("HAND.D2.PULP", side)
    assert spot is not None
    assert (spot[0] < radiograph.SIZE[0] / 2) == (side == "R")


def test_the_drawn_radiograph_is_brighter_where_a_deposit_lies():
    import io

    from PIL import Image

    x, y = map(round, radiograph.spot("HAND.D3.PULP", "L"))
    with_it, without = (
        Image.open(io.BytesIO(radiograph.draw(Dice("film"), deposits))).getpixel((x, y))
        for deposits in ([("HAND.D3.PULP", "L", 12.0)], [])
    )
    assert with_it > without + 40
