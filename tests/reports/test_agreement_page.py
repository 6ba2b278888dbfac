"""How far the readers of hand radiographs agree, in a clinic and over a research project; and what is said when that
cannot be told."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.services import end_project, request_project
from calcinosis_registry.reports.agreement import Names, agreement_of
from lesions.hand_pairs import pairs_of
from lesions.models import HandScore
from lesions.second_reading import ask, finish
from tests.cohorts.register import project_of
from tests.factories import ImagingStudyFactory, MembershipFactory, PatientFactory, VisitFactory, a_reading


@pytest.fixture
def colleagues(north):
    return [MembershipFactory(clinic=north, role=Role.CLINICIAN).user for _one in range(2)]


@pytest.fixture
def read_twice(north, clinician):
    def read_twice(
        first: int,
        second: int,
        reader,
        *,
        blind: bool = True,
        by=clinician,
        severity: str = "",
        patient=None,
        visit=None,
    ) -> None:
        study = ImagingStudyFactory(patient=patient or PatientFactory(clinic=north))
        one = a_reading(study, by, {"R-MC1": (first, 1)} if first else {})
        asked = ask(study=study, reader=reader, by=by, now=timezone.now())
        other = a_reading(study, reader, {"R-MC1": (second, 1)} if second else {})
        other = HandScore.objects.get(pk=other.pk)
        other.blinded, other.simple_severity, other.visit = blind, severity, visit
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
    shown = client.get(reverse("reports:agreement", args=[north.public_id])).content.decode()
    assert "North: 2 radiographs of 2 patients" in shown
    assert all(reverse(f"reports:agreement_{kind}", args=[north.public_id]) in shown for kind in ("csv", "svg"))
    lines = client.get(reverse("reports:agreement_csv", args=[north.public_id])).content.decode().splitlines()
    assert len(lines) == 3 and lines[0].startswith("patient,radiograph,reader_a")
    drawn = client.get(reverse("reports:agreement_svg", args=[north.public_id]))
    assert drawn["Content-Type"].startswith("image/svg+xml") and drawn.content.count(b"<circle") == 2


# ---- over a research project


@pytest.fixture
def both(north, south, researcher, coordinator):
    """A project of both clinics."""
    return project_of(researcher, coordinator, north, south)


@pytest.fixture
def southern(south, stranger, read_twice):
    """A pair of readers of the south: ``southern(first, second)``."""
    second = MembershipFactory(clinic=south, role=Role.CLINICIAN).user
    return lambda *totals, **more: read_twice(
        *totals, second, by=stranger, patient=PatientFactory(clinic=south), **more
    )


@pytest.fixture
def over(client_of, researcher):
    """The page of a project, as the researcher sees it."""
    return lambda project, name="project_agreement", who=researcher: client_of(who).get(
        reverse(f"reports:{name}", args=[project.public_id])
    )


def test_over_a_project_the_readings_of_all_its_clinics_count_and_nobody_is_named(
    over, both, read_twice, colleagues, southern, clinician, stranger, settings
):
    for first, second in ((10, 12), (40, 38), (90, 85)):
        read_twice(first, second, colleagues[0], severity="1" if first < 50 else "2")
        southern(second, first)
    answer = over(both)
    found = answer.context["found"]
    assert (len(found.rows), found.patients, found.coefficient) == (6, 6, "ICC(1,1)")
    assert 0.9 < found.icc.value < 1 and found.icc.low < found.icc.value < found.icc.high
    cipher = Cipher(settings.PSEUDONYM_KEY, both.public_id)
    codes = sorted(cipher.clinic(clinic.public_id) for clinic in both.clinics.all())
    assert [(one.name, one.n, one.coefficient) for one in found.by_clinic] == [
        (code, 3, "ICC(2,1)") for code in codes
    ]  # fmt: skip
    assert [one.n for one in found.kappas] == [3, 3]
    told = answer.content.decode() + over(both, "project_agreement_csv").content.decode()
    told += over(both, "project_agreement_svg").content.decode()
    for person in (clinician, stranger, colleagues[0]):
        assert str(person) not in told
    shown = told[told.index("<main") :]
    assert "North" not in shown and "South" not in shown and all(code in shown for code in codes)
    assert "in the order of their numbers" in told and "of their names" not in told
    assert all(row.patient not in told and row.study not in told for row in found.rows)
    assert "Reader 4" in told and "<circle" in told
    assert all(reverse(f"reports:project_agreement_{kind}", args=[both.public_id]) in told for kind in ("csv", "svg"))


def test_over_a_project_the_same_two_readers_give_icc_2_1(over, both, read_twice, colleagues):
    for first, second in ((10, 12), (40, 38), (90, 85)):
        read_twice(first, second, colleagues[0])
    found = over(both).context["found"]
    assert (found.coefficient, found.by_clinic, found.by_readers) == ("ICC(2,1)", [], [])
    lines = over(both, "project_agreement_csv").content.decode().splitlines()
    assert len(lines) == 2 and lines[1].startswith('all,,3,"ICC(2,1)",0.9')


def test_who_did_not_consent_to_research_and_a_reading_at_an_unsigned_visit_are_not_in_it(
    over, both, read_twice, colleagues, north
):
    without = PatientFactory(clinic=north, research_consent=False)
    patient = PatientFactory(clinic=north)
    read_twice(10, 12, colleagues[0], patient=without)
    read_twice(20, 22, colleagues[0], patient=patient, visit=VisitFactory(patient=patient))
    assert over(both).context["found"].rows == []
    read_twice(30, 32, colleagues[0])
    assert [sorted(row.totals) for row in over(both).context["found"].rows] == [[30, 32]]


def test_only_the_clinics_and_the_items_of_the_project_are_told(
    over, north, researcher, coordinator, read_twice, colleagues, southern
):
    project = project_of(researcher, coordinator, north)
    for first, second in ((10, 12), (40, 38)):
        read_twice(first, second, colleagues[0], severity="1")
        southern(first, second)
    assert len(over(project).context["found"].rows) == 2
    project.items = ["handscore.simple_severity"]
    project.save()
    answer = over(project)
    assert answer.context["found"].icc is None and "not among the project’s items" in answer.content.decode()
    assert over(project, "project_agreement_svg").status_code == 404
    assert answer.context["picture"] == ""


def test_a_project_that_waits_or_is_over_tells_why_and_no_figure(
    over, both, north, researcher, coordinator, read_twice, colleagues
):
    read_twice(10, 12, colleagues[0])
    today = timezone.localdate()
    waiting = request_project(
        title="Later", purpose="x", ethics_reference="y", clinics=[north], members=[], valid_from=today,
        valid_until=today, by=researcher,
    )  # fmt: skip
    end_project(project=both, by=coordinator, now=timezone.now())
    for project, said in ((waiting, "is not approved yet"), (both, "is not in force")):
        answer = over(project)
        assert answer.context["found"] is None and said in answer.content.decode()
        assert over(project, "project_agreement_csv").status_code == 404


def test_a_clinician_who_is_a_member_sees_counts_and_not_the_readings_of_a_project(
    over, both, clinician, stranger, coordinator
):
    assert over(both, who=stranger).status_code == 404
    both.members.add(clinician)
    assert over(both, who=clinician).status_code == 403


def test_who_is_to_read_a_study_blind_does_not_find_its_readings_in_the_project(
    over, both, researcher, read_twice, colleagues, north
):
    MembershipFactory(user=researcher, clinic=north, role=Role.CLINICIAN)
    read_twice(10, 12, colleagues[0])
    assert len(over(both).context["found"].rows) == 1
    study = HandScore.objects.get(total=12).study
    ask(study=study, reader=researcher, by=colleagues[0], now=timezone.now())
    assert over(both).context["found"].rows == []


def test_reader_10_stands_after_reader_2(read_twice, clinician, north):
    for _one in range(10):
        second = MembershipFactory(clinic=north, role=Role.CLINICIAN).user
        read_twice(10, 20, second)
        read_twice(20, 40, second)
    pairs = pairs_of(clinician)
    others = sorted({pair.second.rater_id for pair in pairs})
    places = {clinician.pk: 2, **{pk: place for place, pk in enumerate(others, 3)}, others[0]: 1}
    names = Names(reader=lambda account: f"Reader {places[account.pk]}", order=lambda account: places[account.pk])
    found = agreement_of(pairs, names=names)
    assert [one.name for one in found.by_readers] == [
        "Reader 1, Reader 2", *(f"Reader 2, Reader {place}" for place in range(4, 13))
    ]  # fmt: skip
    assert [one.limits.mean for one in found.by_readers] == [15] + [-15] * 9  # the first minus the second


# ---- the list of readings


def test_who_works_in_two_clinics_sees_the_readings_of_one_at_a_time(
    client_of, clinician, south, north, read_twice, colleagues, southern
):
    MembershipFactory(user=clinician, clinic=south, role=Role.CLINICIAN)
    read_twice(10, 12, colleagues[0])
    southern(10, 90)
    client, url = client_of(clinician), reverse("lesions:readings")
    at_once = client.get(url)
    assert at_once.context["here"].clinic == south  # where a decision waits
    assert (len(at_once.context["here"].wanting), len(at_once.context["here"].settled)) == (1, 0)
    chosen = client.get(url, {"clinic": north.public_id})
    assert chosen.context["here"].clinic == north and len(chosen.context["here"].settled) == 1
    assert reverse("reports:agreement", args=[north.public_id]) in chosen.content.decode()
    assert reverse("reports:agreement", args=[south.public_id]) not in chosen.content.decode()


def test_who_works_in_one_clinic_has_nothing_to_choose(client_of, clinician, read_twice, colleagues):
    read_twice(10, 12, colleagues[0])
    answer = client_of(clinician).get(reverse("lesions:readings"), {"clinic": "unknown"})
    assert answer.context["shelves"] == [] and len(answer.context["here"].settled) == 1
