"""A foreign id, wherever one can be typed, is answered like an id that nobody has, and moves nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calcinosis_registry.accounts.models import User
from tests.access.world import CANARY, Answer, Fields, Swap, World
from tests.house_rules.routes import Route, routes

pytestmark = pytest.mark.django_db
ACCOUNTS = ("clin", "asst", "mon", "member", "admin")
# Words of an address that name no row.
WORDS = {"kind", "part", "figure", "digest", "uidb36", "key", "app_label", "url", "content_type_id"}
# Names under which views and forms take an id, beside those their own pages show.
NAMES = (
    "id", "pk", "public_id", "patient", "patient_id", "visit", "lesion", "lesions", "study", "file", "clinic", "person",
    "membership", "invitation", "project", "cohort", "export", "draft", "draft_from", "submission", "again", "then",
    "held", "compare", "item", "staged", "join", "joined", "number", "object_id", "user", "members", "clinics", "q",
    "query", "before", "after", "visits", "next", "person_id", "course", "_selected_action", "lesions-0-id", "l1-id",
    "form-0-id", "form-TOTAL_FORMS", "new-0-public_id",
)  # fmt: skip
ALL = list(dict.fromkeys(routes()))
# Pages that make a new secret each time they are asked; and one that says 503 of a database made without migrations, as
# that of the tests is. None of them takes an id.
LEFT_OUT = {"mfa_activate_totp", "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "health_ready"}
ROUTES = [route for route in ALL if route.name not in LEFT_OUT]
WITH_IDS = [route for route in ALL if set(route.parameters) - WORDS]
_pages: dict[tuple[str, str], dict[str, list[str]]] = {}


def own_fields(world: World, account: str, address: str) -> dict[str, list[str]]:
    """What the page at this address would send, when it has a form of that account's own."""
    if (account, address) not in _pages:
        page = world.ask(account, "GET", address)
        _pages[account, address] = Fields(page.raw).values if page.status == 200 else {}
    return dict(_pages[account, address])


def the_same(foreign: Answer, nobodys: Answer, said: str) -> None:
    assert CANARY not in foreign.raw + foreign.headers, f"{said}: words of the other clinic"
    assert not foreign.changed, f"{said}: changed {foreign.changed}"
    assert (foreign.status, foreign.body) == (nobodys.status, nobodys.body), f"{said}: tells that the row is there"
    assert foreign.status < 500, f"{said}: {foreign.status}"


def swap_in_the_address(world: World, route: Route, account: str, method: str, place: str, swap: Swap) -> None:
    values, answers = world.values(route), []
    for value in (swap.foreign, swap.nobodys):
        address = route.address({**values, place: value})
        answers.append(world.ask(account, method, address, swap=swap))
        assert answers[-1].status in (302, 403, 404, 405, 410), f"{method} {address} as {account}: {answers[-1].status}"
    the_same(*answers, f"{method} {route.pattern} as {account} with {place}={swap.foreign}")


def swap_in_the_form(world: World, route: Route, account: str, name: str, swap: Swap) -> None:
    address = route.address(world.values(route))
    own, both = own_fields(world, account, address), (swap.foreign, swap.nobodys)
    answers = [world.ask(account, "POST", address, {**own, name: value}, swap=swap) for value in both]
    the_same(*answers, f"POST {address} as {account} with {name}={swap.foreign}")


def swap_in_the_query(world: World, route: Route, account: str, name: str, swap: Swap) -> None:
    address, both = route.address(world.values(route)), (swap.foreign, swap.nobodys)
    answers = [world.ask(account, "GET", f"{address}?{name}={value}", swap=swap) for value in both]
    the_same(*answers, f"GET {address} as {account} with {name}={swap.foreign}")


def probes(world: World, data: st.DataObject) -> None:
    """One probe: an account, a route, a place for an id, a row of the other clinic."""
    account = data.draw(st.sampled_from(ACCOUNTS))
    swap = data.draw(st.sampled_from(world.swaps()))
    where = data.draw(st.sampled_from(["address", "form", "query"]))
    if where == "address":
        route = data.draw(st.sampled_from(WITH_IDS))
        place = data.draw(st.sampled_from(sorted(set(route.parameters) - WORDS)))
        swap_in_the_address(world, route, account, data.draw(st.sampled_from(["GET", "POST"])), place, swap)
        return
    route = data.draw(st.sampled_from(ROUTES))
    own = own_fields(world, account, route.address(world.values(route)))
    name = data.draw(st.sampled_from(sorted({*NAMES, *own} - {"csrfmiddlewaretoken", "password", ""})))
    (swap_in_the_form if where == "form" else swap_in_the_query)(world, route, account, name, swap)


def searching(examples: int, *, again: bool) -> Callable[[Callable], Callable]:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples, deadline=None, derandomize=again, database=None, suppress_health_check=checks
    )


@given(data=st.data())
@searching(25, again=True)
def test_a_foreign_id_is_answered_like_one_that_nobody_has(world: World, data: st.DataObject):
    probes(world, data)


@pytest.mark.long
@given(data=st.data())
@searching(10_000, again=False)
def test_ten_thousand_foreign_ids_are_answered_like_one_that_nobody_has(world: World, data: st.DataObject):
    probes(world, data)


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda one: one.pattern)
def test_the_right_row_of_the_wrong_clinic_is_not_there(world: World, route: Route):
    """Not by chance: at every address, in each place, exactly the row the page is about, of the other clinic."""
    if route.model:
        theirs = {"object_id": str(world.foreign[type(world.near_of(route))].pk)}
    else:
        theirs = world.foreign_values(route)
    for place in sorted((set(route.parameters) - WORDS) & set(theirs)):
        kind = "z" * len(theirs[place]) if not theirs[place].isdigit() else "8123456"
        for method in ("GET", "POST"):
            swap_in_the_address(world, route, "clin", method, place, Swap(theirs[place], kind))


def test_the_search_would_find_a_hole(world: World):
    """The probe itself: an answer with the other clinic's words, or other words than for nobody's id, is a finding."""
    answer = world.ask("strng", "GET", f"/patients/{world.foreign_rows['patient'].public_id}/")
    assert CANARY in answer.raw, "who may see the patient sees the canaries"
    with pytest.raises(AssertionError, match="words of the other clinic"):
        the_same(answer, answer, "the page")
    nobody = world.ask("strng", "GET", "/patients/zzzzzzzzzzzzzzzz/")
    answer.raw = ""
    with pytest.raises(AssertionError, match="tells that the row is there"):
        the_same(answer, nobody, "the page")


def test_a_change_over_there_would_be_seen(world: World):
    person = world.foreign[User]
    answer = world.ask("oadm", "POST", "/accounts/sessions/end/", {"person": person.pk})
    assert answer.changed == {f"accounts.user {person.pk}"}
