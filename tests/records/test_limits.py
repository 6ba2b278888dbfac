"""The limits of an item, compared here: nobody waits for a statement, and the answer is the database's own."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from calcinosis_registry.records.limits import Possible
from calcinosis_registry.records.models import Record, record_kinds
from tests.factories import LesionFactory, LesionObservationFactory

LIMITED = [
    (model, one) for model in record_kinds(Record) for one in model._meta.constraints if isinstance(one, Possible)
]


def passes(constraint: models.CheckConstraint, model: type[models.Model], value: object, exclude: set[str]) -> bool:
    instance = model(**{constraint.column: value})  # type: ignore[attr-defined]
    try:
        # as Django's own, which asks the database; or as ours
        constraint.validate(model, instance, exclude=exclude)
    except ValidationError as refused:
        assert refused.messages == [constraint.violation_error_message]  # “%”, as a unit, too
        return False
    return True


@pytest.mark.django_db
def test_every_limit_answers_as_the_database_would():
    assert len(LIMITED) > 50
    for model, ours in LIMITED:
        theirs = ours.clone()
        assert type(theirs) is models.CheckConstraint and theirs == ours
        theirs.column = ours.column  # type: ignore[attr-defined]
        theirs.violation_error_message = "refused"
        for value in (ours.low - 1, ours.low, ours.high, ours.high + 1, None):
            assert passes(ours, model, value, set()) == passes(theirs, model, value, set()), (ours.name, value)
        assert passes(ours, model, ours.high + 1, {ours.column})
        assert passes(theirs, model, ours.high + 1, {ours.column})


@pytest.mark.django_db
def test_a_record_s_limits_are_checked_without_asking_the_database():
    seen = LesionObservationFactory(lesion=LesionFactory())
    seen.length_mm = 401
    with CaptureQueriesContext(connection) as asked, pytest.raises(ValidationError):
        seen.validate_constraints(exclude={"public_id"})
    assert not [one for one in asked.captured_queries if "_check" in one["sql"]]
