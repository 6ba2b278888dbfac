"""What is decided where two readings differ."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from calcinosis_registry.clinics.roles import Role
from lesions.models import HandScore, SecondReading
from tests.factories import (
    MembershipFactory,
)
from tests.lesions.readings.hands import SURE, told_by, typed


@pytest.fixture
def pair(client_of, study, asked, colleague) -> SecondReading:
    sites = SURE | {"R-D2.DIST": (83, 1), "R-D4.PROX": (40, 2)}
    client_of(colleague).post(reverse("lesions:hand_score", args=[study.public_id]), typed(sites, finish="1"))
    asked.refresh_from_db()
    return asked


def test_the_sites_beyond_the_threshold_are_listed(client_of, pair, clinician):
    text = told_by(client_of(clinician), reverse("lesions:readings"))
    assert pair.get_absolute_url() in text and "To adjudicate" in text
    page = client_of(clinician).get(pair.get_absolute_url())
    found = page.context["pair"]
    assert [(one.hand, one.site, one.points, one.beyond) for one in found.differing] == [
        ("R", "D2.DIST", Decimal(166), True),
        ("R", "D4.PROX", Decimal(-80), True),
    ]
    assert (found.totals.first, found.totals.second, found.totals.common) == (1582, 1496, 44)


def test_the_adjudicated_score_is_the_score_of_record_with_who_and_why(client_of, pair, study, north):
    third = MembershipFactory(clinic=north, role=Role.CLINICIAN).user
    at = pair.get_absolute_url()
    open_site = client_of(third).post(at, {"R-D2.DIST": "first", "how": "THIRD_READER", "why": "edge of the film"})
    assert open_site.status_code == 422 and "1 are left" in open_site.content.decode()
    decided = {"R-D2.DIST": "first", "R-D4.PROX": "other", "R-D4.PROX-coverage": "30", "R-D4.PROX-density": "1"}
    page = client_of(third).post(at, decided | {"how": "THIRD_READER", "why": "edge of the film"}, follow=True)
    assert "edge of the film" in page.content.decode()
    pair.refresh_from_db()
    adjudicated = pair.adjudication
    assert (adjudicated.total, adjudicated.of_record, adjudicated.rater) == (1582 + 30, "ADJUDICATED", third)
    others = HandScore.objects.filter(study=study).exclude(pk=adjudicated.pk)
    assert set(others.values_list("of_record", flat=True)) == {""}
    assert "1612" in told_by(client_of(third), study.patient.get_absolute_url())
    assert at not in told_by(client_of(third), reverse("lesions:readings")).partition("Agreed or decided")[0]


def test_of_two_who_adjudicate_the_second_sees_the_first_ones_word_beside_their_own(client_of, pair, north):
    first, second = (MembershipFactory(clinic=north, role=Role.CLINICIAN).user for _who in range(2))
    decided = {"R-D2.DIST": "first", "R-D4.PROX": "second", "how": "THIRD_READER", "why": "edge of the film"}
    assert client_of(first).post(pair.get_absolute_url(), decided).status_code == 302
    assert client_of(second).post(pair.get_absolute_url(), decided | cell("9" * 5000, "x")).status_code == 409
    mine = cell("30", "1") | {"R-D4.PROX": "other", "why": "my own words"}
    page = client_of(second).post(pair.get_absolute_url(), decided | mine)
    told = " ".join(page.content.decode().split())
    assert page.status_code == 409 and f"{first} adjudicated this while you were deciding" in told
    assert "edge of the film" in told and "my own words" in told
    assert "you chose: 30 % × 1" in told
    assert HandScore.objects.filter(reading_kind="ADJUDICATION").get().rater == first


def cell(coverage: str, density: str) -> dict[str, str]:
    return {"R-D4.PROX-coverage": coverage, "R-D4.PROX-density": density}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"how": "THIRD_READER", "why": "x"}, "neither of the two"),
        ({"how": "CONSENSUS", "why": " "}, "Say why"),
        ({"how": "", "why": "x"}, "how it was decided"),
        ({"how": "CONSENSUS", "why": "x", "R-D4.PROX": "other", "R-D4.PROX-coverage": "x"}, "whole numbers"),
        ({"how": "CONSENSUS", "why": "x", "R-D4.PROX": "other", **cell("400", "1")}, "0 to 100"),
        ({"how": "CONSENSUS", "why": "x", "R-D4.PROX": "other", **cell("9" * 5000, "1")}, "0 to 100"),
        ({"how": "CONSENSUS", "why": "x", "R-D4.PROX": "other", **cell("40", "0")}, "both 0 or both above 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_adjudication_is_refused_in_words(client_of, pair, clinician, sent, said):
    data = {"R-D2.DIST": "first", "R-D4.PROX": "second"} | sent
    page = client_of(clinician).post(pair.get_absolute_url(), data)
    assert page.status_code == 422 and said in page.content.decode()
    assert HandScore.objects.count() == 2


def test_readers_that_found_other_sites_scorable_have_no_score_of_record(client_of, study, asked, colleague):
    data = typed(finish="1") | {"R-ULNA-unscorable": "1"}
    client_of(colleague).post(reverse("lesions:hand_score", args=[study.public_id]), data)
    assert set(HandScore.objects.values_list("of_record", flat=True)) == {""}
    assert "No score of record" in told_by(client_of(colleague), study.get_absolute_url())
