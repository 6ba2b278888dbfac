"""Markup in every text, odd words in every parameter, fields no form offers; what roles without patients see."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from calcinosis_registry.quality.models import DataQuery
from tests.access.test_foreign_ids import NAMES, own_fields
from tests.access.world import CANARY, FOREIGN, World, our_models, plant, world_in_a_transaction
from tests.house_rules.routes import Route
from tests.house_rules.test_access import TABLE, first_of_each_line, lines_about

pytestmark = pytest.mark.django_db
CLINICAL_APPS = {"patients", "lesions", "identity", "quality"}
MARKUP = """QZXOWN"><img src=x onerror=alert(1)>'</script><svg onload=alert(2)>{{7*7}}"""
RAW = ("<img src=x", "<svg onload", 'QZXOWN"><', 'QZXPLAIN"><', "'</script><svg")
PAGES = [route for route in first_of_each_line() if lines_about(route.line, "GET", TABLE)]
FORMS = [route for route in first_of_each_line() if lines_about(route.line, "POST", TABLE)]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    """North wrote markup into every text; what is no clinical content says so."""
    for world in world_in_a_transaction(tmp_path_factory, django_db_blocker.unblock):
        for model, row in world.near.items():
            clinical = model._meta.app_label in CLINICAL_APPS
            if model in set(our_models()):
                plant(row, MARKUP if clinical else MARKUP.replace("OWN", "PLAIN"))
        yield world


def address_of(world: World, route: Route) -> str:
    return route.address(world.values(route))


def mostly(*accounts: str) -> list:
    """The accounts of an ordinary run; after "|" those of a long one."""
    here = accounts.index("|")
    return [*accounts[:here], *(pytest.param(one, marks=pytest.mark.long) for one in accounts[here + 1 :])]


@pytest.mark.once
@pytest.mark.parametrize("account", mostly("clin", "member", "|", "mon", "admin", "coord"))
def test_markup_is_shown_as_text_on_every_page(world: World, account: str):
    seen = 0
    for route in PAGES:
        answer = world.ask(account, "GET", address_of(world, route))
        seen += "QZX" in answer.raw
        if "json" in answer.headers or "text/csv" in answer.headers:
            continue  # no markup there; the browser is told so, and not to guess
        for raw in RAW:
            assert raw not in answer.raw, f"{route.line} as {account} shows {raw} as it is"
    assert seen, "nothing was shown at all: the test sees nothing"


@pytest.mark.once
@pytest.mark.parametrize(
    "account", mostly("rsch", "member", "admin", "strng", "|", "coord", "oadm", "nobody", "closed")
)
def test_who_has_no_patients_here_reads_no_word_about_them(world: World, account: str):
    """Researchers, admins, other clinics, no role: not one word written in a clinical field, at any address."""
    for route in PAGES:
        answer = world.ask(account, "GET", address_of(world, route))
        assert "QZXOWN" not in answer.raw + answer.headers, f"{route.line} as {account}"
        number = world.rows["patient"].registry_number
        if account not in ("admin", "coord") or "audit.event" not in route.line:
            # Trail and erasures name the record, never the person: an admin decides about erasures.
            shown = route.line in ("clinics:trail", "admin of *: row/history/") or route.line.startswith("rights:")
            assert shown or number not in answer.raw, f"{route.line} as {account} names {number}"


@pytest.mark.once
def test_the_words_are_there_for_whom_they_are(world: World):
    """The other half: the same walk as the clinician finds them, so their absence means something."""
    found = {route.line for route in PAGES if "QZXOWN" in world.ask("clin", "GET", address_of(world, route)).raw}
    assert {"lesions:patient", "lesions:visit", "patients:list", "patients:record"} <= found


ODD = (
    "' OR 1=1--", '"; DROP TABLE patients_patient;--', "%", "_", "\\", "-1", "1e9", "9" * 400, "0x10", "١٢", "[]",
    '{"a": 1}', "id__in", "a.b", "a) OR 1=1--", "\u202e", "💥", "%00", "../../etc/passwd", "true", "NaN", "1,2,3",
)  # fmt: skip
# Names that mean something to the ORM, to the admin or to a pager.
ODD_NAMES = (
    "_connector", "_negated", "order", "ordering", "sort", "o", "p", "page", "all", "e", "_to_field", "_popup",
    "search", "filter", "patient__clinic__code", "patient__clinic__code__startswith", "clinic__id__exact",
    "user__password",
    "identity__family_name__startswith", "patient__identity__family_name__startswith", "x__y", "id__in", "a.b",
    "a) OR 1=1--", "pk__gt", "is_active__exact", "signed_by__email__startswith",
)  # fmt: skip


@pytest.mark.parametrize("words", [1, pytest.param(len(ODD), marks=pytest.mark.long)], ids=["one", "all"])
@pytest.mark.parametrize("account", ["clin", "member", "coord"])
def test_odd_words_in_every_parameter_are_no_error_and_no_key(world: World, account: str, words: int):
    """One word an address in an ordinary run, another at each: all of them are tried somewhere."""
    for number, route in enumerate(PAGES):
        address = address_of(world, route)
        own = own_fields(world, account, address)
        for odd in (ODD[(number * 7 + one) % len(ODD)] for one in range(words)):
            query = query_of({*own, *NAMES}, odd)
            answer = world.ask(account, "GET", f"{address}?{query}")
            assert answer.status < 500, f"{route.line}?{query} as {account}"
            # The coordinator has the accounts of every clinic; that no clinical word is among them is tried above.
            assert CANARY not in answer.raw or account == "coord", f"{route.line}?{query} as {account}"


def query_of(names: set[str], value: str) -> str:
    return urlencode(dict.fromkeys(sorted(names), value))


VALUES = ("S", "SOU", "1", "OR")


@pytest.mark.parametrize(
    ("name", "values"),
    [(name, VALUES[number % 4 :][:1]) for number, name in enumerate(ODD_NAMES)]
    + [pytest.param(name, VALUES, marks=pytest.mark.long) for name in ODD_NAMES],
)
def test_names_that_mean_something_to_the_database_are_no_way_in(world: World, name: str, values: tuple[str, ...]):
    lists = [
        route for route in PAGES if route.line.endswith(": list") or route.line in ("patients:list", "clinics:trail")
    ]
    for account in ("clin", "coord"):
        for route in lists:
            for value in values:
                answer = world.ask(account, "GET", f"{address_of(world, route)}?{query_of({name}, value)}")
                said = f"{route.line}?{name}={value} as {account}"
                assert answer.status < 500 and (CANARY not in answer.raw or account == "coord"), said


PROTECTED = {
    "id", "public_id", "registry_number", "clinic", "patient", "signed_by", "signed_at", "created_by", "created_at",
    "is_active", "password", "role", "approved_by", "approved_at", "owner", "sha256", "token_hash",
    "date_joined", "closed_at", "next_number",
}  # fmt: skip


def protected() -> dict[tuple[str, int], tuple]:
    """What no form may write over: {row: its protected columns}."""
    found = {}
    for model in our_models():
        if model is DataQuery:  # what a check asks follows the record that was saved
            continue
        names = [one.attname for one in model._meta.concrete_fields if one.name in PROTECTED]
        for pk, *values in model._base_manager.values_list("pk", *names):
            found[model._meta.label_lower, pk] = tuple(values)
    return found


@pytest.mark.once
@pytest.mark.parametrize("account", mostly("clin", "member", "|", "asst", "admin"))
def test_fields_no_form_offers_are_not_written(world: World, account: str, monkeypatch: pytest.MonkeyPatch):
    before = protected()
    after: dict[tuple[str, int], tuple] = {}
    looked = world.changed

    def look() -> set[str]:
        after.clear()
        after.update(protected())
        return looked()

    monkeypatch.setattr(world, "changed", look)
    every = {field.name for model in our_models() for field in model._meta.concrete_fields}
    extra = {name: str(FOREIGN + 1) for name in every | {f"{name}_id" for name in every} | {"is_staff", "is_superuser"}}
    extra |= {"signed_at": "2020-01-01", "role": "admin", "is_active": "", "state": "SIGNED", "public_id": "z" * 16}
    for route in FORMS:
        if route.line in ("account_logout", "clinics:set_open"):
            continue
        address = address_of(world, route)
        own = own_fields(world, account, address)
        answer = world.ask(account, "POST", address, {**extra, **own})
        assert answer.status < 500, f"{route.line} as {account}"
        assert not answer.changed, f"{route.line} as {account}: {answer.changed}"
        moved = {row for row in before.keys() & after.keys() if before[row] != after[row]}
        assert not moved, f"{route.line} as {account} wrote {moved}"


def test_what_is_protected_is_really_there():
    names: set[str] = {field.name for model in our_models() for field in model._meta.concrete_fields}
    assert not PROTECTED - names
