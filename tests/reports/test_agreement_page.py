"""The page of a clinic: how far its readers of hand radiographs agree, and what it says when that cannot be told."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.clinics.roles import Role
from lesions.models import HandScore
from lesions.second_reading import ask, finish
from tests.factories import ImagingStudyFactory, MembershipFactory, PatientFactory, a_reading


@pytest.fixture
def colleagues(north):
    return [MembershipFactory(clinic=north, role=Role.CLINICIAN).user for _one in range(2)]


@pytest.fixture
def read_twice(north, clinician):
    def read_twice(first: int, second: int, reader, *, blind: bool = True, by=clinician, severity: str = "") -> None:
        study = ImagingStudyFactory(patient=PatientFactory(clinic=north))
        one = a_reading(study, by, {"R-MC1": (first, 1)} if first else {})
        asked = ask(study=study, reader=reader, by=by, now=timezone.now())
        other = a_reading(study, reader, {"R-MC1": (second, 1)} if second else {})
        other = HandScore.objects.get(pk=other.pk)
        other.blinded, other.simple_severity = blind, severity
        other.save()
        if severity:
            one = HandScore.objects.get(pk=one.pk)
            one.simple_severity = severity
            one.save()
        finish(asked=asked, reading=other, by=reader, now=timezone.now())

    return read_twice


@pytest.fixture
def page(client_of, clinician, north):
    return lambda: client_of(clinician).get(reverse("reports:agreement", args=[north.public_id]))


def test_the_same_two_readers_give_icc_2_1(page, read_twice, colleagues):
    for first, second in ((10, 12), (40, 38), (90, 85), (70, 80)):
        read_twice(first, second, colleagues[0], severity="1" if first < 50 else "2")
    found = page().context["found"]
    assert found.coefficient == "ICC(2,1)" and 0.9 < found.icc.value < 1 and found.by_readers == []
    assert found.limits.mean in (-1.25, 1.25)  # in the order of the readers' names
    assert [one.estimate.value for one in found.kappas] == [1, 1]
    assert "ICC(2,1)" in page().content.decode() and "<svg" in page().content.decode()


def test_pairs_that_vary_give_icc_1_1_and_a_line_for_each_pair(page, read_twice, colleagues):
    for place, (first, second) in enumerate(((10, 12), (40, 38), (90, 85), (70, 80))):
        read_twice(first, second, colleagues[place % 2])
    found = page().context["found"]
    assert found.coefficient == "ICC(1,1)" and [one.n for one in found.by_readers] == [2, 2]


def test_a_reading_that_was_not_blind_is_left_out_and_counted(page, read_twice, colleagues):
    read_twice(10, 90, colleagues[0], blind=False)
    found = page().context["found"]
    assert (found.rows, found.not_blind) == ([], 1)
    assert "may have seen the first reading" in page().content.decode()


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ([], "No radiograph was read twice yet"),
        ([(10, 20)], "agreement needs two at least"),
        ([(0, 0), (0, 0)], "Every reading gave the same total"),
    ],
)
def test_what_cannot_be_told_is_said_in_words(page, read_twice, colleagues, readings, said):
    for first, second in readings:
        read_twice(first, second, colleagues[0])
    answer = page()
    assert answer.context["found"].icc is None and said in answer.content.decode()
    assert "simple severity by both readers" in answer.content.decode()


def test_numbers_and_picture_are_files(client_of, clinician, north, read_twice, colleagues):
    for pair in ((10, 12), (40, 38)):
        read_twice(*pair, colleagues[0])
    client = client_of(clinician)
    lines = client.get(reverse("reports:agreement_csv", args=[north.public_id])).content.decode().splitlines()
    assert len(lines) == 3 and lines[0].startswith("patient,radiograph,reader_a")
    drawn = client.get(reverse("reports:agreement_svg", args=[north.public_id]))
    assert drawn["Content-Type"].startswith("image/svg+xml") and drawn.content.count(b"<circle") == 2
