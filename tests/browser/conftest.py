"""Debian's Chromium against pytest-django's live server; a page that complains or asks another host fails its test."""

from __future__ import annotations

import datetime
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from calcinosis_registry.clinics.models import Clinic
from patients.models import Visit
from tests.browser.watching import carry_session, watch
from tests.factories import IdentityFactory, PatientFactory, known_lesions

# Playwright's sync API keeps an event loop running in this thread, and Django then takes every query of a fixture for a
# query from async code. The queries are plain synchronous ones.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # a busy machine is late; only a test that fails waits so long

QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything of this directory, so that `-m "not browser"` leaves it out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's hook: which Chromium, started how."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        give_up = pytest.fail if os.environ.get("REGISTRY_CI_STRICT") else pytest.skip
        give_up("Chromium is not installed (Debian: apt-get install chromium)")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to run as root
    return {**browser_type_launch_args, "executable_path": chromium, "args": [*QUIET, *root]}


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], live_server: Any) -> dict[str, Any]:
    """Every context starts at the live server, so that a test says ``page.goto("/patients/")``."""
    return {**browser_context_args, "base_url": live_server.url, "locale": "en-GB"}


@pytest.fixture
def complaints() -> list[str]:
    """What the pages of this test complained about; a test that expects a complaint checks and clears it."""
    return []


@pytest.fixture
def context(context: BrowserContext, live_server: Any, complaints: list[str], settings: Any) -> Any:
    """pytest-playwright's context, watched: console errors, page errors and requests to another host fail the test.

    ``settings`` are given back after it: a page still asks for its pictures while it is closed.
    """
    watch(context, live_server.url, complaints)
    yield context
    _let_drafts_arrive(context)
    assert not complaints, "\n".join(["The browser complained:", *complaints])


def _let_drafts_arrive(context: BrowserContext) -> None:
    """A page that is closed sends what was typed last; it must arrive before the tables are emptied."""
    for page in context.pages:
        with suppress(Error):  # still on its way somewhere
            page.wait_for_load_state("load", timeout=5000)
    typed_in = bool(context.pages)
    for page in context.pages:
        page.close()
    time.sleep(0.5 if typed_in else 0)


@pytest.fixture
def patient(north: Clinic) -> Any:
    """With a name, and nothing seen yet."""
    patient = PatientFactory(clinic=north)
    IdentityFactory(patient=patient)
    return patient


@pytest.fixture
def visit(patient: Any) -> Visit:
    """The last one, with two lesions."""
    return known_lesions(patient, datetime.date(2026, 5, 12), [("HAND.D1.PULP", "R"), ("ELBOW", "L")])


@pytest.fixture
def sign_in(context: BrowserContext, live_server: Any) -> Callable[[Any], None]:
    """``sign_in(user)``: the browser carries that account's session."""

    def signed_in(user: Any) -> None:
        carry_session(context, user, live_server.url)

    return signed_in


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """``axe(page)``: the accessibility violations of the page, each with its rule and the elements it is about."""
    from axe_playwright_python.sync_playwright import Axe  # reads half a megabyte of script: only when asked for

    checker = Axe()

    # Half-way through the change of a colour there is no contrast to judge.
    settled = "Promise.all(document.getAnimations().filter((one) => one.transitionProperty).map((one) => one.finished))"

    def violations(page: Page) -> list[str]:
        page.evaluate(f"new Promise((done) => requestAnimationFrame(() => done({settled})))")
        return [
            f"{one['id']}: {one['help']}: " + "; ".join(str(node["html"])[:200] for node in one["nodes"][:5])
            for one in checker.run(page).response["violations"]
        ]

    return violations


@pytest.fixture(scope="session")
def check_axe(axe: Callable[[Page], list[str]]) -> Callable[[Page], None]:
    """``check_axe(page)`` fails with what axe found, when it found anything."""

    def check(page: Page) -> None:
        assert axe(page) == [], page.url

    return check
