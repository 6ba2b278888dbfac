"""The cast: two clinics, one person per role in the north, one stranger from the south, one admin of everything."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as project_settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.core.management.commands import migrate
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import settings as hypothesis_settings
from whitenoise.middleware import WhiteNoiseMiddleware

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import guards
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.roles import Role
from tests import tables
from tests.factories import ClinicFactory, MembershipFactory, UserFactory

# Whether something is true does not depend on how busy the machine is.
hypothesis_settings.register_profile("calm", deadline=None)
hypothesis_settings.load_profile("calm")


# What the kind of database has no part in: .ci/run leaves it out of its second run, on PostgreSQL.
# Single tests elsewhere carry the mark themselves.
ONCE = (
    "accounts/test_second_factor.py",
    "clinical_rules/",
    "cohorts/test_reading_aside.py",
    "exports/formats/",
    "exports/test_anonymous.py",
    "exports/test_cleared_pictures.py",
    "exports/test_pictures.py",
    "house_rules/test_access.py",
    "lesions/imaging/test_another_patient.py",
    "lesions/imaging/test_dicom.py",
    "lesions/imaging/test_fuzz.py",
    "lesions/imaging/test_hostile_corpus.py",
    "lesions/imaging/test_ingest.py",
    "lesions/imaging/test_raster.py",
    "lesions/test_verify_signatures.py",
    "letters/",
    "operations/test_headers.py",
    "reports/test_bad_input.py",
    "reports/test_every_exhibit.py",
    "reports/test_on_paper.py",
    "reports/test_poor_pages.py",
    "reports/test_same_numbers.py",
    "transfers/test_in_the_way.py",
)


# Everything of something, at every address or at every statement: .ci/run and `make test-thorough` run it.
THOROUGH = (
    "access/test_hostile_input.py",
    "house_rules/test_access.py::test_every_account",
    "house_rules/test_access.py::test_every_table",
    "house_rules/test_access.py::test_other_methods",
    "house_rules/test_access.py::test_nothing_is_changed",
    "house_rules/test_access.py::test_without_a_second_factor",
    "lesions/imaging/test_hostile_corpus.py",
    "lesions/test_verify_signatures.py",
    "operations/test_backup.py",
    "operations/test_fail_at_n.py",
    "operations/test_headers.py",
    "operations/test_kill.py",
    "reports/test_every_exhibit.py",
    "reports/test_poor_pages.py",
    "transfers/test_in_the_way.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = str(Path(item.path).relative_to(tables.ROOT / "tests"))
        if name.startswith(ONCE):
            item.add_marker(pytest.mark.once)
        if f"{name}::{item.name}".startswith(THOROUGH):
            item.add_marker(pytest.mark.thorough)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the collector of garbage need not look at it again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked postgres needs that database; CI leaves it out of the SQLite run, so a skip there is a mistake."""
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        give_up = pytest.fail if os.environ.get("REGISTRY_CI_STRICT") else pytest.skip
        give_up("needs PostgreSQL: python tests/postgres_server.py -- make test")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrate.Command, "handle", tables.copied_or_made(migrate.Command.handle))
        yield


@pytest.fixture(scope="session", autouse=True)
def witness_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Head of the chain and list of erasures: this process's own. Between two tests the tables are emptied, which the
    trail's triggers refuse."""
    project_settings.WITNESS_DIR = folder = tmp_path_factory.mktemp("witness")
    emptied = TransactionTestCase._fixture_teardown

    def emptied_without_guards(test: TransactionTestCase) -> None:
        guards.lift()
        emptied(test)
        guards.install()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", emptied_without_guards)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _snapshots_of_this_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every process of the tests has a database of its own, and so its own snapshots."""
    project_settings.SNAPSHOT_DIR = tmp_path_factory.mktemp("snapshot")


@pytest.fixture(scope="session", autouse=True)
def _assets_are_listed_once() -> Iterator[None]:
    """Every test client makes a handler of its own, and each would list all the assets again: a quarter of a run."""
    lists, listed = WhiteNoiseMiddleware.add_files_from_finders, {}

    def once(middleware: WhiteNoiseMiddleware) -> None:
        if not listed:
            lists(middleware)
            listed.update(middleware.files)
        middleware.files.update(listed)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WhiteNoiseMiddleware, "add_files_from_finders", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_cheap(request: pytest.FixtureRequest) -> Iterator[None]:
    """The same algorithm at its least cost: at the real one thirty guesses take ten seconds. Benchmarks pay it."""
    with pytest.MonkeyPatch.context() as patched:
        if not any(item.get_closest_marker("benchmark") for item in request.session.items):
            for cost in ("time_cost", "memory_cost", "parallelism"):
                patched.setattr(Argon2PasswordHasher, cost, {"memory_cost": 8}.get(cost, 1))
        yield


@pytest.fixture(autouse=True)
def _nothing_witnessed(witness_folder: Path) -> Iterator[None]:
    yield
    for left in witness_folder.iterdir():
        left.unlink()
    cache.clear()  # the numbers of accounts are given again, and what they asked is counted by number


@pytest.fixture
def north(db: None) -> Clinic:
    return ClinicFactory(name="North", code="NOR")


@pytest.fixture
def south(db: None) -> Clinic:
    return ClinicFactory(name="South", code="SOU")


def _person(name: str, role: str, clinic: Clinic | None) -> User:
    return MembershipFactory(user=UserFactory(name=name), role=role, clinic=clinic).user


@pytest.fixture
def clinician(north: Clinic) -> User:
    return _person("Clara Clinician", Role.CLINICIAN, north)


@pytest.fixture
def assistant(north: Clinic) -> User:
    return _person("Anna Assistant", Role.ASSISTANT, north)


@pytest.fixture
def monitor(north: Clinic) -> User:
    return _person("Mona Monitor", Role.MONITOR, north)


@pytest.fixture
def researcher(north: Clinic) -> User:
    return _person("Rosa Researcher", Role.RESEARCHER, north)


@pytest.fixture
def admin(north: Clinic) -> User:
    return _person("Ada Admin", Role.ADMIN, north)


@pytest.fixture
def stranger(south: Clinic) -> User:
    return _person("Stella Stranger", Role.CLINICIAN, south)


@pytest.fixture
def coordinator(db: None) -> User:
    """An admin of the whole register."""
    return _person("Cora Coordinator", Role.ADMIN, None)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """``client_of(user)``: a browser in which that person is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def proven(client_of: Callable[[User], Client]) -> Callable[[User], Client]:
    """``proven(user)``: signed in and just re-authenticated, as for a change of roles."""

    def signed_in(user: User) -> Client:
        client = client_of(user)
        prove(client, user)
        return client

    return signed_in


def prove(client: Client, user: User, *, lasting: float = 0) -> None:
    """Write into the session what allauth writes after the password was asked again."""
    session = client.session
    proof = {"method": "password", "at": time.time() + lasting, "reauthenticated": True}
    session["account_authentication_methods"] = [proof]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
