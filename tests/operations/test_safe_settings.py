"""Combinations a register of real patients must not run with do not start, each with its sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from calcinosis_registry.operations import safe_database, safe_settings
from tests.operations.register import FOREIGN, ROOT, Register

KEY, OTHER = "kH3x9dQz7LmW2pVb8nRt5sYc4jFg6aEu", "aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV"
SAFE = {
    "DEBUG": False, "DEMO": False, "INSECURE_HTTP": False, "ALLOWED_HOSTS": ["registry.example.org"],
    "SECRET_KEY": KEY, "PSEUDONYM_KEY": OTHER, "AUDIT_KEY": KEY[::-1],
    "KEY_NAMES": ["SECRET_KEY", "PSEUDONYM_KEY", "AUDIT_KEY"], "CSRF_TRUSTED_ORIGINS": ["https://registry.example.org"],
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "mail.example.org",
    "EMAIL_USE_TLS": True, "DEFAULT_FROM_EMAIL": "registry@example.org", "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "OPTIONS": {}}},
}  # fmt: skip
LITE = {
    "ENGINE": "calcinosis_registry.operations.sqlite_queue",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    },
}


def lite(**options: str) -> dict:
    return {"DATABASES": {"default": {**LITE, "OPTIONS": {**LITE["OPTIONS"], **options}}}}  # type: ignore[dict-item]


def remote(**options: str) -> dict:
    return {"DATABASES": {"default": {**SAFE["DATABASES"]["default"], "HOST": "db.example.org", "OPTIONS": options}}}  # type: ignore[index]


CASES: list[tuple[dict, str]] = [
    ({"DEBUG": True}, "REGISTRY_DEBUG"),
    ({"DEBUG": True, "ALLOWED_HOSTS": ["127.0.0.1"]}, "REGISTRY_DEBUG"),
    ({"DEBUG": True, "DEMO": True}, "REGISTRY_DEBUG"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is short"),
    ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is short or simple"),
    ({"SECRET_KEY": "django-insecure-" + KEY}, "SECRET_KEY is short"),
    ({"SECRET_KEY": ""}, "SECRET_KEY is short"),
    ({"PSEUDONYM_KEY": "short"}, "PSEUDONYM_KEY is short"),
    ({"PSEUDONYM_KEY": ""}, "PSEUDONYM_KEY is short"),
    ({"PSEUDONYM_KEY": KEY}, "are the same"),
    ({"AUDIT_KEY": OTHER}, "are the same"),
    ({"AUDIT_KEY": "short"}, "AUDIT_KEY is short"),
    ({"ALLOWED_HOSTS": ["*"]}, "lets any name in"),
    ({"ALLOWED_HOSTS": [".example.org"]}, "lets any name in"),
    ({"ALLOWED_HOSTS": []}, "ALLOWED_HOSTS is empty"),
    ({"INSECURE_HTTP": True}, "in the clear: only on this machine"),
    ({"CSRF_TRUSTED_ORIGINS": ["http://registry.example.org"]}, "without https"),
    ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "EMAIL_URL is not set"),
    ({"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}, "EMAIL_URL is not set"),
    ({"EMAIL_USE_TLS": False}, "secret links in the clear"),
    ({"DEFAULT_FROM_EMAIL": "registry@localhost"}, "DEFAULT_FROM_EMAIL is not set"),
    (
        lite(init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"),
        "synchronous=FULL",
    ),
    (lite(init_command="PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"), "journal_mode=WAL"),
    (lite(init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"), "foreign_keys=ON"),
    (lite(transaction_mode="DEFERRED"), "transaction_mode=IMMEDIATE"),
    (remote(), "over the network without TLS"),
    (remote(sslmode="prefer"), "over the network without TLS"),
    ({"SESSION_COOKIE_SECURE": False}, "Cookies would go over plain http"),
    ({"CSRF_COOKIE_SECURE": False}, "Cookies would go over plain http"),
]


@pytest.mark.parametrize(("change", "sentence"), CASES, ids=lambda one: str(one)[:60])
def test_an_unsafe_combination_is_refused(change: dict, sentence: str):
    found = list(safe_settings.unsafe(SAFE | change))
    assert any(sentence in one for one in found), found


@pytest.mark.parametrize(
    "change",
    [
        {}, lite(), remote(sslmode="verify-full"), {"ALLOWED_HOSTS": ["127.0.0.1", "localhost"], "INSECURE_HTTP": True},
        {"DEMO": True, "ALLOWED_HOSTS": ["*"], "INSECURE_HTTP": True, "DEFAULT_FROM_EMAIL": "registry@localhost"},
    ],
    ids=["PostgreSQL", "SQLite", "PostgreSQL elsewhere", "this machine only", "a demo"],
)  # fmt: skip
def test_a_safe_combination_starts(change: dict):
    assert list(safe_settings.unsafe(SAFE | change)) == []


def test_every_rule_has_a_case():
    rules = safe_settings.ALWAYS + safe_settings.UNLESS_DEMO
    untried = [text for _holds, text in rules if not any(sentence in text for _change, sentence in CASES)]
    assert not untried


PRODUCTION = {
    "ALLOWED_HOSTS": "registry.example.org", "CSRF_TRUSTED_ORIGINS": "https://registry.example.org",
    "EMAIL_URL": "smtp+tls://user:word@mail.example.org:587", "DEFAULT_FROM_EMAIL": "registry@example.org",
}  # fmt: skip


def check(folder: Path, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith((*FOREIGN, "DEFAULT_FROM"))}
    return subprocess.run(
        [sys.executable, "manage.py", "check", *more], cwd=ROOT, env=clean | {"REGISTRY_DATA": str(folder)} | env,
        capture_output=True, text=True,
    )  # fmt: skip


def test_with_the_environment_of_the_guide_djangos_own_deployment_checks_are_silent(tmp_path: Path):
    done = check(tmp_path, "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


def test_an_unsafe_environment_does_not_start(tmp_path: Path):
    done = check(tmp_path, **{**PRODUCTION, "ALLOWED_HOSTS": "registry.example.org,*"})
    assert done.returncode == 1 and "lets any name in" in done.stderr


def test_lost_keys_are_not_made_anew_beside_a_database(tmp_path: Path):
    (tmp_path / "registry.sqlite3").write_bytes(b"a register")
    done = check(tmp_path, **PRODUCTION)
    assert done.returncode == 1 and "put the keys back" in done.stderr
    assert not (tmp_path / "keys").exists()


def test_a_key_others_can_read_is_refused(tmp_path: Path):
    assert check(tmp_path, **PRODUCTION).returncode == 0
    (tmp_path / "keys" / "secret_key").chmod(0o644)
    done = check(tmp_path, **PRODUCTION)
    assert done.returncode == 1 and "chmod 600" in done.stderr


@pytest.mark.postgres
@pytest.mark.parametrize("name", safe_database.POSTGRESQL)
def test_a_postgresql_that_forgets_is_refused(db: None, settings, name: str):
    """The server of the tests runs with all three off."""
    settings.DEMO = False
    assert any(f"{name}=off instead of on" in reason for reason in safe_database.reasons())
    with pytest.raises(ImproperlyConfigured, match=f"{name}=off"):
        safe_database.refuse()
    assert any(name in one.msg for one in safe_database.database_keeps_what_it_acknowledged(None))


@pytest.mark.django_db
def test_the_database_of_a_production_register_is_asked_and_may_run(register: Register):
    """SQLite as settings.py opens it; a PostgreSQL server as Debian installs it."""
    register.manage("check")
    code = "import django; django.setup(); from calcinosis_registry.operations.safe_database import *; print(reasons())"
    assert register.run("-c", code).stdout.strip() == "[]"
    if not register.database:
        weak = code.replace("print", "c = connection.cursor(); c.execute('PRAGMA synchronous=NORMAL'); print")
        assert "synchronous=1 instead of FULL" in register.run("-c", weak).stdout
