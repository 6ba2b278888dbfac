"""Registers of their own, on the kind of database the whole run is about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.house_rules.test_access import cast  # noqa: F401  the cast of the access table, for these tests too
from tests.operations.register import Register, copied
from tests.postgres_server import SAFE, postgres_server


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server with safe settings, where the run is about PostgreSQL; else ""."""
    if connection.vendor != "postgresql":
        yield ""
        return
    with postgres_server(SAFE) as url:
        yield url


@pytest.fixture(scope="session")
def template(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Register:
    """Nobody starts it: registers are copied from it."""
    database = ""
    if server_url:
        with psycopg.connect(server_url, autocommit=True) as to:
            to.execute("CREATE DATABASE template_register")
        database = server_url.rpartition("/")[0] + "/template_register"
    register = Register(tmp_path_factory.mktemp("template") / "data", database)
    register.folder.mkdir()
    register.create()
    return register


@pytest.fixture
def register(template: Register, tmp_path: Path) -> Iterator[Register]:
    with copied(template, tmp_path / "data") as one:
        yield one


@pytest.fixture
def empty(register: Register, tmp_path: Path) -> Register:
    """Another place with the same keys and nothing else."""
    folder = tmp_path / "empty"
    (folder / "keys").mkdir(parents=True)
    for key in (register.folder / "keys").iterdir():
        shutil.copy(key, folder / "keys" / key.name)
    database = ""
    if register.database:
        database = register.database + "_empty"
        with psycopg.connect(register.database, autocommit=True) as to:
            to.execute(f"CREATE DATABASE {database.rpartition('/')[2]} TEMPLATE template0")
    return Register(folder, database, register.known)
