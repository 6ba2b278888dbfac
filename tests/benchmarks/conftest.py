"""``BENCH_DATABASE=/path/to/file.sqlite3``: a register that does not fit in memory, and is read as a real one is."""

from __future__ import annotations

import os

import pytest
from django.conf import settings


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    path = os.environ.get("BENCH_DATABASE", "")
    if path and settings.DATABASES["default"]["ENGINE"].endswith("sqlite_queue"):
        settings.DATABASES["default"]["TEST"]["NAME"] = path
