"""The strict policy and its companions stand on every answer: every route, every error, static files, health."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.house_rules.routes import routes
from tests.operations.wanted_headers import SANDBOXED, WANTED, lacking


@pytest.mark.django_db
@pytest.mark.parametrize("account", ["anon", "clin", "coord"])
def test_every_route_answers_with_all_of_them(cast, account: str):
    wrong, seen = [], set()
    for route in routes():
        if route.line in seen:
            continue
        seen.add(route.line)
        for method in ("GET", "POST", "DELETE"):
            answer = cast.answer(account, method, route.address(cast.values(route)))
            own = route.name in SANDBOXED and answer.status_code in (200, 422)
            wrong += [f"{method} {route.line} {answer.status_code}: {one}" for one in lacking(answer, own_policy=own)]
    assert not wrong, "\n".join(wrong)


def test_static_files_and_redirects_to_https_carry_them(tmp_path):
    """In a process of its own: these middlewares read the settings of production once."""
    code = (
        "import django; django.setup(); from django.test import Client;"
        "c = Client(); a = [c.get('/static/registry/theme.js', secure=True), c.get('/static/no', secure=True),"
        "c.get('/account/sign-in/'), c.get('/health/live')];"
        "[print(x.status_code, sorted(x.headers.items())) for x in a]"
    )
    env = os.environ | {
        "REGISTRY_DATA": str(tmp_path), "REGISTRY_DEMO": "0", "DJANGO_SETTINGS_MODULE": "calcinosis_registry.settings",
    }  # fmt: skip
    env.pop("DATABASE_URL", None)
    collect = subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput"], env=env, capture_output=True)
    assert collect.returncode == 0, collect.stderr
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    lines = told.stdout.splitlines()
    assert [line[:3] for line in lines] == ["200", "404", "301", "200"], told.stderr
    for line in lines:
        for name in (*WANTED, "Content-Security-Policy", "Permissions-Policy"):
            assert f"'{name}'" in line, f"{name} is not on {line}"
    assert "'Strict-Transport-Security'" in lines[0]
