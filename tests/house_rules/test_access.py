"""A new view is closed until somebody opens it: every route has its line in the access table, and keeps to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from tests.house_rules.access_table import (
    ACCOUNTS,
    BEFORE_THE_SECOND_FACTOR,
    OTHER_METHODS,
    SAME_AS,
    Line,
    lines,
    lines_about,
)
from tests.house_rules.cast import Cast
from tests.house_rules.paper import short_paper
from tests.house_rules.routes import Route, routes
from tests.house_rules.source import teach

METHODS = ("GET", "POST")
TABLE = list(lines())
LESSON = "Who may come here? Add a line to tests/house_rules/access_table.py for:"


def first_of_each_line() -> list[Route]:
    """One route for every name in the table: the admin pages of all records share one class, so one of them speaks."""
    found: dict[str, Route] = {}
    for route in routes():
        found.setdefault(route.line, route)
    return list(found.values())


def others_of_the_admin() -> list[Route]:
    spoken = set(first_of_each_line())
    return [
        one
        for one in routes()
        if one not in spoken and one.pattern.endswith(("change/", f"{one.model.rpartition('.')[2]}/"))
    ]


def unlisted(found: list[Route], table: list[Line]) -> list[str]:
    """The routes no line names, and the routes and methods two lines quarrel about."""
    names = {one.line for one in found}
    missing = sorted(name for name in names if not any(lines_about(name, method, table) for method in METHODS))
    twice = sorted(f"{name} ({m}, twice)" for name in names for m in METHODS if len(lines_about(name, m, table)) > 1)
    return missing + twice


@pytest.fixture(scope="module")
def cast(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Cast]:
    logging.disable(logging.ERROR)
    with (
        override_settings(FILES_DIR=tmp_path_factory.mktemp("files")),
        django_db_blocker.unblock(),
        transaction.atomic(),
        short_paper(),
    ):
        yield Cast()
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


def outcome(answer: HttpResponse) -> str:
    """The word of the table for an answer; the number for what the table has no word for."""
    if answer.status_code in (301, 302):
        to = answer["Location"].partition("?")[0]
        words = {
            "/account/sign-in/": "login",
            "/admin/login/": "login",
            "/account/reauthenticate/": "prove",
            "/admin/": "gone",
        }
        return words.get(to, "ok")
    return "ok" if answer.status_code in (200, 409, 422) else str(answer.status_code)


def wanted(route: str, method: str, account: str) -> str:
    """What the table says; without a line for the method it is not allowed, which anonymous people need not learn."""
    column = ACCOUNTS.index(SAME_AS.get(account, account))
    if found := lines_about(route, method, TABLE):
        return found[0].outcomes[column]
    other = lines_about(route, "GET" if method == "POST" else "POST", TABLE)[0].outcomes[column]
    return other if other == "login" else "405"


def test_every_route_has_its_line():
    assert not (found := unlisted(list(routes()), TABLE)), teach(LESSON, found)


def test_every_line_has_its_route():
    names = {one.line for one in routes()}
    dead = [line.route for line in TABLE if not any(line.about(name, method) for name in names for method in METHODS)]
    assert not dead, teach("These lines name no route: the page is gone, or its name is misspelt.", dead)


def test_a_view_nobody_listed_turns_the_check_red():
    class Urls:
        url_patterns = [path("back-door/", lambda request: HttpResponse(), name="back_door")]

    assert unlisted(list(routes(Urls())), TABLE) == ["back_door"]  # type: ignore[arg-type]
    quarrel = [*TABLE, Line("home", frozenset({"GET"}), ("ok",) * len(ACCOUNTS))]
    assert "home (GET, twice)" in unlisted(list(routes()), quarrel)


@pytest.mark.django_db
@pytest.mark.parametrize("route", first_of_each_line(), ids=lambda one: one.line)
def test_every_account_gets_what_the_table_says(cast: Cast, route: Route):
    if unlisted([route], TABLE):
        pytest.fail(teach(LESSON, [route.line]))
    try:
        address = route.address(cast.values(route))
    except KeyError as parameter:
        pytest.fail(f"Say in OBJECTS of access_table.py which row {parameter} of {route.pattern} means.")
    wrong = []
    for method in METHODS:
        for account in (*ACCOUNTS, *SAME_AS):
            got, said = outcome(cast.answer(account, method, address)), wanted(route.line, method, account)
            if got != said:
                wrong.append(f"{method} {address} as {account}: {got}, the table says {said}")
    assert not wrong, teach(f"{route.line} and its line disagree; one of them is wrong:", wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("account", ("clin", "strng"))
def test_every_table_of_the_admin_is_like_its_kind(cast: Cast, account: str):
    wrong = []
    for route in others_of_the_admin():
        address = route.address(cast.values(route))
        for method in METHODS:
            got, said = outcome(cast.answer(account, method, address)), wanted(route.line, method, account)
            if got != said:
                wrong.append(f"{method} {address}: {got}, the table says {said}")
    assert not wrong, teach(f"As {account}:", wrong)


def disagreements(cast: Cast, route: Route, methods: tuple[str, ...], accounts: tuple[str, ...]) -> list[str]:
    """Where answers and table differ. HEAD gets what GET gets; other methods 405."""
    wrong, address = [], route.address(cast.values(route))
    for method in methods:
        for account in accounts:
            said = "405" if method in OTHER_METHODS else wanted(route.line, method.replace("HEAD", "GET"), account)
            if (got := outcome(cast.answer(account, method, address))) != said:
                wrong.append(f"{method} {address} as {account}: {got}, the table says {said}")
    return wrong


@pytest.mark.django_db
@pytest.mark.parametrize("route", first_of_each_line(), ids=lambda one: one.line)
def test_other_methods_are_refused_and_head_is_get(cast: Cast, route: Route):
    found = disagreements(cast, route, ("HEAD", *OTHER_METHODS), ("anon", "clin"))
    assert not found, teach(f"{route.line}:", found)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("route", list(routes()), ids=lambda one: one.pattern)
def test_every_route_every_account_every_method(cast: Cast, route: Route):
    """The whole matrix, without a representative: also every table of the admin."""
    found = disagreements(cast, route, (*METHODS, "HEAD", *OTHER_METHODS), (*ACCOUNTS, *SAME_AS))
    assert not found, teach(f"{route.line}:", found)


@pytest.mark.django_db
@pytest.mark.parametrize("route", first_of_each_line(), ids=lambda one: one.line)
def test_nothing_is_changed_from_another_site(cast: Cast, route: Route):
    """Without the token of our own page: 403, also for sign-in and sign-out, also for who may do everything."""
    address = route.address(cast.values(route))
    for account in ("anon", "clin", "coord"):
        answer = cast.answer(account, "POST", address, csrf=True)
        assert answer.status_code == 403 and b"gone stale" in answer.content, (account, address)


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_without_a_second_factor_every_page_leads_to_adding_one(cast: Cast, settings, method: str):
    """Also right after an admin reset it: a new sign-in finds the same door."""
    settings.DEMO = False
    let_in = set()
    for route in first_of_each_line():
        answer = cast.answer("clin", method, route.address(cast.values(route)))
        if answer.status_code != 302 or answer["Location"] != "/account/second-factor/totp/activate/":
            let_in.add(route.line)
    assert let_in == BEFORE_THE_SECOND_FACTOR
