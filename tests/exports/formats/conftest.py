"""One small register, loaded once, read as a dataset and rolled back: the writers need no database."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from calcinosis_registry.cohorts.dataset import Dataset, build
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.demo import loader
from tests.cohorts.register import EVERYONE
from tests.exports.formats.given import AWKWARD, awkward, held, with_tables


@pytest.fixture(scope="session")
def register(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Eight invented patients with every kind of record the demo tells of, free text included."""
    files = tmp_path_factory.mktemp("files")
    with django_db_blocker.unblock(), override_settings(DEMO=True, FILES_DIR=files), transaction.atomic():
        loader.load(patients=8, clinics=2, seed=3, until=datetime.date(2026, 10, 1))
        made = build(definition=EVERYONE, scope=Scope(None, exact=True), include_text=True, all_visits=True)
        read = replace(made, tables={name: held(table) for name, table in made.tables.items()})
        transaction.set_rollback(True)
    return read


@pytest.fixture
def dataset(register: Dataset) -> Dataset:
    return with_tables(register, awkward())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    parts = tmp_path / "parts"
    parts.mkdir()
    return parts


@pytest.fixture
def few(dataset: Dataset) -> Dataset:
    """Three tables, where one would do as well as forty."""
    return replace(dataset, tables={name: dataset.tables[name] for name in ("patients", "visits", AWKWARD)})
