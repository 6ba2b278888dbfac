"""The narrow rows find whom the records find, and never speak for a patient of whom something was saved since."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from calcinosis_registry.cohorts.builder import describe, matching, parse
from calcinosis_registry.cohorts.counts import count
from calcinosis_registry.cohorts.facts import MASKS, places, refresh, remake, stale
from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.cohorts.mapping import mapped
from calcinosis_registry.cohorts.models import Facts
from calcinosis_registry.cohorts.scope import Scope
from lesions.services import summarise
from patients.models import Consent, Patient, Summary
from patients.services import after_save
from tests.cohorts.register import patients
from tests.cohorts.test_language import KEPT
from tests.cohorts.worlds import drawn, joins, value_tests
from tests.factories import LesionFactory

LEVELS = ["patient", "diagnosis", "visit", "lesion", "lesionobservation", "treatmentcourse", "complication"]
WOMEN = {"item": "patient.sex_at_birth", "operator": "is", "value": "F"}
HAND = {"item": "lesion.site", "operator": "is", "value": "HAND"}
EVERYWHERE = Scope(None, exact=True)


def asking(*conditions, join="all"):
    return {"version": 2, "join": join, "conditions": list(conditions)}


@st.composite
def simple(draw):
    kind = draw(st.sampled_from(LEVELS))
    node = {"record": kind, "join": "all", "conditions": draw(st.lists(value_tests([kind]), min_size=1, max_size=1))}
    if kind in ("visit", "lesion") and draw(st.booleans()):
        node["conditions"] = []
    if draw(st.booleans()):
        operator = draw(st.sampled_from(["at least", "at most", "exactly"]))
        node["times"] = {"operator": operator, "number": draw(st.integers(operator == "at least", 2))}
    return node


@pytest.mark.django_db
@KEPT
@given(data=st.data(), asked=st.lists(st.tuples(joins, st.lists(simple(), min_size=1, max_size=3)), min_size=8))
def test_the_rows_find_whom_the_records_find(data, asked, north):
    with transaction.atomic():
        drawn(data.draw, north)
        remake(Patient.objects.values_list("pk", flat=True))
        for join, conditions in asked:
            question = asking(*conditions, join=join)
            if (clause := mapped(parse(question).group)) is not None:
                rows = set(Facts.objects.filter(clause).values_list("pk", flat=True))
                assert rows == set(matching(question, Patient.objects.all()).values_list("pk", flat=True)), describe(
                    question
                )
        transaction.set_rollback(True)


def test_every_code_of_a_masked_item_has_a_bit_of_its_own():
    for item in MASKS:
        bits = list(places()[item].values())
        assert len(set(bits)) == len(askable()[item].codes) + 1  # and one for a code that left the list
        assert all(bit < 2**60 for _column, bit in bits)


@pytest.fixture
def register(north):
    found = patients(north, 3)
    LesionFactory(patient=found[0], site="HAND.D1.PULP")
    summarise(patients=found)
    return found


def records_read(ask):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        number = ask()
    return number, any("lesions_lesion" in one["sql"] for one in queries)


@pytest.mark.django_db
def test_a_common_question_reads_the_rows_alone_once_they_are_made(register):
    question = asking(WOMEN, HAND)
    assert records_read(lambda: count(question, EVERYWHERE).number) == (1, True)
    assert refresh() == 3 and not stale().exists()
    assert records_read(lambda: count(question, EVERYWHERE).number) == (1, False)


@pytest.mark.django_db
def test_who_was_saved_since_is_asked_of_the_records(register):
    refresh()
    lesion = LesionFactory(patient=register[1], site="HAND.D2.DIP")
    after_save(patient=register[1], records=[lesion], now=timezone.now())
    assert records_read(lambda: count(asking(HAND), EVERYWHERE).number) == (2, True)
    call_command("refresh_counts")
    assert records_read(lambda: count(asking(HAND), EVERYWHERE).number) == (2, False)


@pytest.mark.django_db
def test_who_withdraws_is_not_counted_from_that_moment(register):
    refresh()
    day = timezone.localdate()
    consent = Consent(patient=register[0], consented_on=day, form_version="1", given_by="PERSON", registry=True)
    consent.save()
    after_save(patient=register[0], records=[consent], now=timezone.now())
    assert not Patient.objects.get(pk=register[0].pk).research_consent
    assert count(asking(), EVERYWHERE).number == 2
    refresh()
    assert count(asking(), EVERYWHERE).number == 2


@pytest.mark.django_db
def test_rows_of_other_code_lists_are_not_read(register):
    refresh()
    Facts.objects.filter(pk=register[2].pk).update(codes=1)
    assert records_read(lambda: count(asking(HAND), EVERYWHERE).number) == (1, True)
    call_command("refresh_counts")
    assert records_read(lambda: count(asking(HAND), EVERYWHERE).number) == (1, False)
    assert Summary.objects.filter(facts_stale=False).count() == 3


@pytest.mark.django_db
def test_a_clinic_counts_its_own(register, south):
    summarise(patients=patients(south, 2))
    refresh()
    assert count(asking(), Scope(frozenset({south.pk}), exact=True)).number == 2
