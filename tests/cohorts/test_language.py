"""The compiled question finds whom the slow evaluator finds, in every register and for every question drawn."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from calcinosis_registry.cohorts.builder import describe, matching, parse
from calcinosis_registry.cohorts.language import Group, Join, Records
from patients.models import Patient
from tests.cohorts.evaluator import World
from tests.cohorts.worlds import drawn, questions

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "25"))
# Without shrinking: an example is a whole register, and making it smaller takes minutes.
KEPT = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@pytest.mark.django_db
@KEPT
@given(data=st.data(), asked=st.lists(questions(), min_size=1, max_size=6))
def test_the_database_finds_whom_the_evaluator_finds(data, asked, north):
    with transaction.atomic():
        drawn(data.draw, north)
        for all_visits in (False, True):
            world = World(all_visits=all_visits)
            for question in asked:
                rows = matching(question, Patient.objects.all(), all_visits=all_visits)
                assert set(rows.values_list("pk", flat=True)) == world.found(question), describe(question)
        transaction.set_rollback(True)


def plain(node):
    """Of a single part "any" is "all": the two read alike because they are alike."""
    if isinstance(node, Group):
        join = Join.ALL if node.join is Join.ANY and len(node.parts) == 1 else node.join
        return Group(join, tuple(plain(part) for part in node.parts))
    if not isinstance(node, Records):
        return node
    event = node.when.event if node.when else None
    when = replace(node.when, event=plain(event)) if node.when and event else node.when
    return replace(node, of=plain(node.of), when=when)


@KEPT
@given(one=questions(), other=questions())
def test_two_questions_that_differ_read_differently(one, other):
    if plain(parse(one).group) != plain(parse(other).group):
        assert describe(one) != describe(other)
