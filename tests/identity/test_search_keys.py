"""A name is found by its beginning, compared by code point, on every database and in whatever language it runs."""

from __future__ import annotations

import pytest
from django.db import connection

from calcinosis_registry.identity.models import Identity
from tests.factories import IdentityFactory, PatientFactory

pytestmark = pytest.mark.django_db
NAMES = ("Muller", "Müller", "MULLER-Ångström", "Mulder", "Munro", "O'Neil", "Ōkubo", "Łukasz", "Ñandú")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("mull", {"Muller", "Müller", "MULLER-Ångström"}),
        ("Mül", {"Muller", "Müller", "MULLER-Ångström", "Mulder"}),
        ("o", {"O'Neil", "Ōkubo"}),
        ("o'", {"O'Neil"}),
        ("ł", {"Łukasz"}),
        ("nan", {"Ñandú"}),
        ("z", set()),
    ],
)
def test_a_name_is_found_by_how_it_begins_with_or_without_its_accents(north, typed, found):
    for name in NAMES:
        IdentityFactory(patient=PatientFactory(clinic=north), family_name=name, given_name="Xenia")
    assert {one.family_name for one in Identity.objects.starting_with(typed)} == found


@pytest.mark.postgres
def test_the_keys_do_not_follow_the_language_of_the_database():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, collation_name FROM information_schema.columns"
            " WHERE table_name = 'identity_identity' AND column_name LIKE '%\\_key'"
        )
        assert dict(cursor.fetchall()) == {"family_key": "C", "given_key": "C", "hospital_key": "C"}


@pytest.mark.postgres
def test_a_search_reads_a_range_of_each_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Identity.objects.starting_with("mul").explain()
    for column in ("family_key", "given_key", "hospital_key"):
        assert f"Index Cond: ((({column})::text >= 'mul'::text)" in plan
