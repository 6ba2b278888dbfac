"""What reads much at once is held back, told and goes on later; one person's haste holds up nobody else."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from calcinosis_registry.accounts import rates
from calcinosis_registry.audit.models import Event
from calcinosis_registry.exports.models import Export
from tests.cohorts.register import cohort_of, project_of
from tests.factories import MembershipFactory, PatientFactory

pytestmark = pytest.mark.django_db
SEARCH = "/patients/search/"


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(rates, "RATES", {rates.SEARCH: "3/m/user", rates.TAKE_OUT: "1/h/user"})


def refusals() -> list:
    return [one.changes for one in Event.objects.filter(model="accounts.user", action="read")]


def test_searching_too_often_is_held_back_told_once_and_free_again_later(few, client_of, clinician, assistant, north):
    PatientFactory(clinic=north)
    hasty, other = client_of(clinician), client_of(assistant)
    assert [hasty.post(SEARCH, {"q": "a"}).status_code for _one in range(5)] == [200, 200, 200, 429, 429]
    held = hasty.post(SEARCH, {"q": "a"})
    assert held["Retry-After"] == "60" and "At most 3 in a minute" in held.content.decode()
    assert refusals() == [{"search": "refused, too often in a short time"}]
    assert other.post(SEARCH, {"q": "a"}).status_code == 200
    assert hasty.get("/patients/").status_code == 200, "reading goes on"
    cache.clear()
    assert hasty.post(SEARCH, {"q": "a"}).status_code == 200


def test_exports_and_the_key_list_count_together(few, proven, researcher, coordinator, north):
    MembershipFactory(user=researcher, clinic=north, role="clinician")
    client, asked = proven(researcher), {"clinic": north.pk, "reason": "the yearly audit"}
    assert [client.post("/patients/key-list/", asked).status_code for _one in range(2)] == [200, 429]
    page = f"/exports/of/{cohort_of(researcher, project=project_of(researcher, coordinator, north)).public_id}/"
    assert client.post(page, {"format": "csv", "profile": "coded", "reason": "a table"}).status_code == 429
    assert not Export.objects.exists()


def test_the_limits_are_those_promised():
    assert rates.RATES == {"search": "60/m/user", "take_out": "10/h/user"}
