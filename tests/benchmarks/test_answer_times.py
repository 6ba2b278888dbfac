"""How long an answer takes tells nobody what is there: a row of another clinic or none, an account or none."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from tests.benchmarks.measure import told
from tests.factories import PASSWORD, ImagingFileFactory, ImagingStudyFactory, PatientFactory, VisitFactory

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]
ROUNDS, HASHED = 40, 15  # the second where a password is hashed
MOST_MS, SLIGHT_MS, MOST_RATIO = 20, 5, 1.25  # of a short answer some milliseconds are a large share
NOBODYS = "z" * 16


def in_turn(one: Callable[[], object], other: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median milliseconds of both, asked in turn, of processor time: neighbours inflate the clock of either."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 2):
        for ask, mine in ((one, taken[0]), (other, taken[1])):
            start = time.process_time()
            ask()
            if turn > 1:
                mine.append(1000 * (time.process_time() - start))
    return statistics.median(taken[0]), statistics.median(taken[1])


def alike(what: str, there: float, not_there: float) -> None:
    told(what, there_ms=there, not_there_ms=not_there, ratio=there / not_there)
    assert abs(there - not_there) <= MOST_MS
    assert abs(there - not_there) <= SLIGHT_MS or 1 / MOST_RATIO <= there / not_there <= MOST_RATIO


@pytest.mark.parametrize("page", ["patient", "visit", "visit sent", "study", "file"])
def test_a_row_of_another_clinic_takes_as_long_as_none(page, client_of, clinician, south):
    patient = PatientFactory(clinic=south)
    visit = VisitFactory(patient=patient)
    study = ImagingStudyFactory(patient=patient, visit=visit)
    file = ImagingFileFactory(study=study)
    theirs, address = {
        "patient": (patient.public_id, "/patients/{}/"),
        "visit": (visit.public_id, "/visits/{}/"),
        "visit sent": (visit.public_id, "/visits/{}/"),
        "file": (file.public_id, "/imaging/files/{}/download/"),
        "study": (study.public_id, "/imaging/{}/"),
    }[page]
    client = client_of(clinician)
    ask = client.post if page.endswith("sent") else client.get

    def answer(public_id: str) -> int:
        return ask(address.format(public_id)).status_code

    assert answer(theirs) == answer(NOBODYS) == 404
    alike(f"404 of a {page}", *in_turn(lambda: answer(theirs), lambda: answer(NOBODYS)))


@pytest.mark.parametrize("place", ["elsewhere", "on a known device"])
def test_a_wrong_password_takes_as_long_for_an_account_as_for_none(place, clinician, settings):
    settings.DEMO = False
    clinician.set_password(PASSWORD)
    clinician.save()
    client, number = Client(), itertools.count()
    if place != "elsewhere":
        client.post("/account/sign-in/", {"login": clinician.email, "password": PASSWORD})
        client.post("/account/sign-out/")

    def wrong(email: str) -> None:
        cache.clear()  # neither is refused for having tried too often
        answer = client.post("/account/sign-in/", {"login": email, "password": f"wrong {next(number)}"})
        assert answer.status_code == 200

    alike(
        f"a wrong password {place}",
        *in_turn(lambda: wrong(clinician.email), lambda: wrong(f"nobody{next(number)}@example.org"), HASHED),
    )


def test_a_forgotten_password_takes_as_long_for_an_account_as_for_none(clinician, settings):
    settings.DEMO = False
    client, number = Client(), itertools.count()

    def forgot(email: str) -> None:
        cache.clear()
        assert client.post("/account/password/reset/", {"email": email}).status_code == 302

    alike(
        "a forgotten password",
        *in_turn(lambda: forgot(clinician.email), lambda: forgot(f"nobody{next(number)}@example.org")),
    )
