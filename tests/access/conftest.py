from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.access.world import World, world_in_a_transaction


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    yield from world_in_a_transaction(tmp_path_factory, django_db_blocker.unblock)
