from __future__ import annotations

from django.core.cache.backends.db import DatabaseCache


def test_migrations_made_the_table_that_rate_limits_count_in(db):
    shared = DatabaseCache("registry_cache", {})
    shared.set("attempts", 3)
    assert shared.get("attempts") == 3
