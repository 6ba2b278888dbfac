"""A reading of a hand radiograph: saved whole, told what is wrong, compared with the last comparable one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.hand_score import instrument
from lesions.models import HandScore, ImagingStudy
from tests.factories import PatientFactory
from tests.sent_forms import sent_by

ALL = {(hand, site) for hand in "RL" for site in instrument().labels}


@pytest.fixture
def patient(north):
    return PatientFactory(clinic=north)


@pytest.fixture
def study_of(patient):
    def study_of(year: int, modality: str = "CR", patient=patient) -> ImagingStudy:
        study = ImagingStudy(patient=patient, modality=modality, study_date=PartialDate(year))
        study.save()
        return study

    return study_of


@pytest.fixture
def score(client_of, clinician):
    def score(study: ImagingStudy, sites: dict[str, tuple[str, str]], user=clinician, *, zeros: bool = True, **more):
        typed = {key: value for hand, site in ALL for key, value in _zero(hand, site).items()} if zeros else {}
        for name, (coverage, density) in sites.items():
            typed |= {f"{name}-coverage": coverage, f"{name}-density": density}
        reading = HandScore.objects.filter(study=study, rater=user).order_by("read_number").last()
        typed["reason"] = "read again"
        typed["version"] = "0" if reading is None or more.get("again") else str(reading.version)
        return client_of(user).post(reverse("lesions:hand_score", args=[study.public_id]), typed | more, follow=True)

    return score


def _zero(hand: str, site: str) -> dict[str, str]:
    return {f"{hand}-{site}-coverage": "0", f"{hand}-{site}-density": "0"}


def test_a_reading_is_saved_with_its_sites_totals_and_reader(study_of, score, clinician):
    study = study_of(2025)
    page = score(study, {"R-D1.DIST": ("30", "2"), "L-D2.MID": ("10", "3")}, rater_role="RHEUMATOLOGIST")
    reading = HandScore.objects.get()
    assert (reading.right_total, reading.left_total, reading.total) == (60, 30, 90)
    assert (reading.n_sites, reading.max_density, reading.complete, reading.read_number) == (2, 3, True, 1)
    assert (reading.rater, reading.rater_role, reading.ratings.count()) == (clinician, "RHEUMATOLOGIST", 44)
    assert "unverified v0" in page.content.decode()


def test_what_was_typed_wrong_is_told_at_its_site_and_nothing_is_saved(study_of, score):
    page = score(study_of(2025), {"R-D1.DIST": ("130", "2"), "R-D2.DIST": ("5", "0"), "R-D3.DIST": ("x", "")})
    text = page.content.decode()
    assert not HandScore.objects.exists()
    assert "Coverage is 0 to 100 %" in text and "both 0 or both above 0" in text and 'value="130"' in text
    assert "3 sites need your answer" in text


def test_a_site_that_cannot_be_scored_has_no_numbers(study_of, score):
    score(study_of(2025), {"R-D1.DIST": ("30", "2")}, **{"R-D1.DIST-unscorable": "1"})
    site = HandScore.objects.get().ratings.get(laterality="R", site="D1.DIST")
    assert (site.scorable, site.coverage_pct, site.density) == (False, None, None)


def test_the_rest_of_a_hand_is_0_without_script_and_saves_nothing_yet(study_of, score):
    page = score(study_of(2025), {"R-D1.DIST": ("30", "2")}, zeros=False, rest="R")
    assert not HandScore.objects.exists()
    assert page.context["rated"] == 22 and page.context["now"].total == Decimal(60)


def test_a_reading_is_gone_on_with_or_read_once_more(study_of, score):
    study = study_of(2025)
    score(study, {"R-D1.DIST": ("30", "2")}, zeros=False)
    score(study, {"R-D1.DIST": ("40", "2"), "R-D2.DIST": ("10", "1")}, zeros=False)
    assert [(one.total, one.ratings.count()) for one in HandScore.objects.all()] == [(90, 2)]
    score(study, {"R-D2.DIST": ("10", "1")}, zeros=False)
    assert [(one.total, one.ratings.count()) for one in HandScore.objects.all()] == [(10, 1)]
    score(study, {}, again="1")
    assert [one.read_number for one in HandScore.objects.order_by("read_number")] == [1, 2]


def test_a_changed_rating_alone_needs_a_reason_as_every_saved_answer_does(study_of, score):
    study = study_of(2025)
    score(study, {"R-D1.DIST": ("30", "2")}, zeros=False)
    page = score(study, {"R-D1.DIST": ("40", "2")}, zeros=False, reason=" ")
    assert "Say why a saved answer changes: R Thumb, distal" in page.content.decode()
    assert 'value="40"' in page.content.decode() and HandScore.objects.get().total == 60
    page = score(study, {}, zeros=False, reason="", **{"R-D1.DIST-unscorable": "1"})
    assert "Say why" in page.content.decode()
    score(study, {"R-D1.DIST": ("40", "2")}, zeros=False, reason="misread")
    assert HandScore.objects.get().total == 80
    told = Event.objects.get(action=Action.CHANGE, model="lesions.handscoresite")
    assert (told.changes["coverage_pct"], told.reason) == ([30, 40], "misread")


def test_a_rating_that_was_missing_needs_none(study_of, score):
    study = study_of(2025)
    score(study, {"R-D1.DIST": ("30", "2")}, zeros=False)
    score(study, {"R-D1.DIST": ("30", "2"), "R-D2.DIST": ("10", "1")}, zeros=False, reason="")
    assert HandScore.objects.get().total == 70


def test_the_change_since_the_last_comparable_radiograph_is_shown(study_of, score):
    score(study_of(2023), {"R-D1.DIST": ("20", "2")})
    page = score(study_of(2025), {"R-D1.DIST": ("30", "2")})
    change = page.context["since"]["change"]
    assert (change.before, change.after, change.pct, change.category) == (40, 60, 50, "PROGRESSED")
    assert "<strong>progressed</strong> (50.0 %)" in page.content.decode()


def test_a_reading_by_somebody_else_is_neither_shown_nor_compared(study_of, score, assistant):
    score(study_of(2023), {"R-D1.DIST": ("20", "2")}, user=assistant)
    study = study_of(2025)
    score(study, {"R-D1.DIST": ("99", "3")}, user=assistant)
    page = score(study, {"R-D1.DIST": ("30", "2")})
    assert page.context["since"] is None and 'value="99"' not in page.content.decode()
    assert HandScore.objects.filter(study=study).count() == 2


def test_only_a_radiograph_of_the_own_clinic_is_scored(study_of, score, client_of, clinician, stranger, south):
    ultrasound, foreign = study_of(2025, "US"), study_of(2025, patient=PatientFactory(clinic=south))
    for study in (ultrasound, foreign):
        assert score(study, {"R-D1.DIST": ("30", "2")}).status_code == 404
    assert not HandScore.objects.exists()


# Two tabs of one reader.


@pytest.fixture
def both(study_of, score, client_of, clinician):
    """(the address, two tabs opened on the same saved reading)."""
    study = study_of(2025)
    score(study, {"R-D1.DIST": ("30", "2"), "R-D2.DIST": ("10", "1")}, zeros=False)
    url = reverse("lesions:hand_score", args=[study.public_id])
    tab = client_of(clinician)
    return url, tab, sent_by(tab.get(url), "data-keep-form", reason="read again"), sent_by(tab.get(url))


def test_the_second_tab_to_save_chooses_site_by_site_and_nothing_of_either_is_lost(both):
    url, tab, first, second = both
    first |= {"R-D1.DIST-coverage": "40", "R-D3.DIST-coverage": "20", "R-D3.DIST-density": "2"}
    assert tab.post(url, first).status_code == 302
    second |= {"R-D1.DIST-coverage": "50", "R-D2.DIST-coverage": "", "R-D2.DIST-density": "", "simple_severity": "1"}
    second |= {"R-D2.DIST-unscorable": "1"}
    answer = tab.post(url, second)
    found = {one.name: (one.before, one.theirs, one.mine, one.picked) for one in answer.context["clashes"][0].choices}
    assert answer.status_code == 409 and found == {
        "simple_severity": ("", "", "Mild", "mine"),
        "R-D1.DIST": (
            "30 % × 2", "40 % × 2", "50 % × 2", "",
        ),
        "R-D2.DIST": ("10 % × 1", "10 % × 1", "not scorable", "mine"),
        "R-D3.DIST": ("", "20 % × 2", "", "theirs"),
    }  # fmt: skip
    assert "Right hand: Thumb, distal" in answer.content.decode()
    unanswered = sent_by(answer)
    assert tab.post(url, unanswered).status_code == 409, "where both changed a site one must be chosen"
    assert tab.post(url, unanswered | {"keep:R-D1.DIST": "theirs"}).status_code == 302
    reading = HandScore.objects.get()
    sites = {f"{one.laterality}-{one.site}": one for one in reading.ratings.all()}
    assert {name: (one.coverage_pct, one.density, one.scorable) for name, one in sites.items()} == {
        "R-D1.DIST": (40, 2, True), "R-D2.DIST": (None, None, False), "R-D3.DIST": (20, 2, True),
    }  # fmt: skip
    assert reading.simple_severity == "1" and reading.total == 120


def test_a_site_of_which_one_s_own_answer_is_chosen_is_saved_as_typed(both):
    url, tab, first, second = both
    tab.post(url, first | {"R-D1.DIST-coverage": "40"})
    answer = tab.post(url, second | {"R-D1.DIST-coverage": "50"})
    tab.post(url, sent_by(answer) | {"keep:R-D1.DIST": "mine"})
    assert HandScore.objects.get().total == 110
    assert Event.objects.filter(model="lesions.handscoresite", action=Action.CHANGE).first().changes == {
        "coverage_pct": [40, 50]
    }


def test_the_same_answers_from_both_tabs_are_no_conflict(both):
    url, tab, first, second = both
    tab.post(url, first | {"R-D1.DIST-coverage": "40"})
    assert tab.post(url, second | {"R-D1.DIST-coverage": "040"}).status_code == 302


def test_a_reading_begun_in_another_tab_is_not_overwritten_by_the_one_before_it(both, study_of, score):
    url, tab, first, _second = both
    score(HandScore.objects.get().study, {"R-D1.DIST": ("99", "3")}, zeros=False, again="1")
    assert tab.post(url, first | {"R-D1.DIST-coverage": "40"}).status_code == 302
    assert [(one.read_number, one.total) for one in HandScore.objects.order_by("read_number")] == [(1, 90), (2, 297)]


def test_a_draft_of_a_reading_is_compared_site_by_site(both):
    url, tab, first, _second = both
    assert tab.post("/drafts/", first | {"R-D1.DIST-coverage": "4"}).status_code in (200, 201)
    draft = tab.get(url).context["keeping"].offers[0]
    page = tab.get(draft.compare_url)
    (choice,) = page.context["compared"][0].choices
    assert (choice.theirs, choice.mine) == ("30 % × 2", "4 % × 2")
