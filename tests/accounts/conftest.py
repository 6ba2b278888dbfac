"""Nobody has guessed yet, and the clinician has a password."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from calcinosis_registry.accounts.models import User
from tests.factories import PASSWORD


@pytest.fixture(autouse=True)
def fresh_rate_limits(db: None) -> None:
    cache.clear()


@pytest.fixture
def person(clinician: User) -> User:
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician
