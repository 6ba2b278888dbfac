"""Settings a register of real patients must not run with, each with the sentence that says why and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]", "::1", "testserver"})
SHORTEST_KEY = 32
NO_MAIL = ("console", "dummy", "locmem", "filebased")
TLS = frozenset({"require", "verify-ca", "verify-full"})

S = Mapping[str, Any]


def reachable(s: S) -> bool:
    """Whether others than this machine are let in."""
    return not set(s["ALLOWED_HOSTS"]) <= LOCAL


def _weak(key: str) -> bool:
    return len(key) < SHORTEST_KEY or len(set(key)) < 8 or key.startswith("django-insecure-")


def _remote_database_in_the_clear(s: S) -> bool:
    told = s["DATABASES"]["default"]
    host = told.get("HOST") or ""
    return bool(host) and host not in LOCAL and not host.startswith("/") and (
        told.get("OPTIONS", {}).get("sslmode") not in TLS
    )  # fmt: skip


def _sqlite_without(s: S, words: str) -> bool:
    told = s["DATABASES"]["default"]
    return "sqlite" in told["ENGINE"] and words not in told.get("OPTIONS", {}).get("init_command", "")


# (when it is refused, the sentence)
ALWAYS: tuple[tuple[Callable[[S], bool], str], ...] = (
    (
        lambda s: s["DEBUG"] and reachable(s),
        "REGISTRY_DEBUG shows patients' data in error pages: not under a name others can reach (ALLOWED_HOSTS).",
    ),
    (
        lambda s: s["DEBUG"] and not s["DEMO"] and not s["INSECURE_HTTP"],
        "REGISTRY_DEBUG shows patients' data in error pages: not in production.",
    ),
)
UNLESS_DEMO: tuple[tuple[Callable[[S], bool], str], ...] = (
    (
        lambda s: "*" in s["ALLOWED_HOSTS"] or any(host.startswith(".") for host in s["ALLOWED_HOSTS"]),
        "ALLOWED_HOSTS lets any name in: a link in an e-mail could lead to another server. Name the register's own.",
    ),
    (lambda s: not s["ALLOWED_HOSTS"], "ALLOWED_HOSTS is empty: nobody could reach the register."),
    (
        lambda s: s["INSECURE_HTTP"] and reachable(s),
        "REGISTRY_INSECURE_HTTP sends patients' data and passwords in the clear: only on this machine.",
    ),
    (
        lambda s: any(urlsplit(one).scheme != "https" and urlsplit(one).hostname not in LOCAL
                      for one in s["CSRF_TRUSTED_ORIGINS"]),
        "CSRF_TRUSTED_ORIGINS names an address without https.",
    ),
    (
        lambda s: reachable(s) and any(word in s["EMAIL_BACKEND"] for word in NO_MAIL),
        "EMAIL_URL is not set: invitations and password resets, with their secret links, would go to the log.",
    ),
    (
        lambda s: reachable(s) and "smtp" in s["EMAIL_BACKEND"] and s.get("EMAIL_HOST") not in LOCAL
        and not (s.get("EMAIL_USE_TLS") or s.get("EMAIL_USE_SSL")),
        "EMAIL_URL sends secret links in the clear: use smtp+tls:// or smtp+ssl://.",
    ),
    (
        lambda s: reachable(s) and s["DEFAULT_FROM_EMAIL"].endswith("@localhost"),
        "DEFAULT_FROM_EMAIL is not set: invitations from registry@localhost arrive nowhere.",
    ),
    (
        lambda s: _sqlite_without(s, "synchronous=FULL"),
        "SQLite must run with synchronous=FULL: with less, a power cut takes saves back that were acknowledged.",
    ),
    (
        lambda s: _sqlite_without(s, "journal_mode=WAL") or _sqlite_without(s, "foreign_keys=ON"),
        "SQLite must run with journal_mode=WAL and foreign_keys=ON.",
    ),
    (
        lambda s: "sqlite" in s["DATABASES"]["default"]["ENGINE"]
        and s["DATABASES"]["default"].get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE",
        "SQLite must run with transaction_mode=IMMEDIATE: a deferred transaction fails when it turns to writing.",
    ),
    (
        _remote_database_in_the_clear,
        "DATABASE_URL leads over the network without TLS: add ?sslmode=verify-full (or require).",
    ),
    (
        lambda s: not (s["SESSION_COOKIE_SECURE"] and s["CSRF_COOKIE_SECURE"]) and not s["INSECURE_HTTP"],
        "Cookies would go over plain http: SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE belong on.",
    ),
)  # fmt: skip


def unsafe(settings: S) -> Iterator[str]:
    """The sentences that hold, most basic first; none for settings that may start."""
    rules = ALWAYS if settings["DEMO"] else ALWAYS + UNLESS_DEMO
    yield from (sentence for holds, sentence in rules if holds(settings))
    keys = {name: settings[name] for name in settings["KEY_NAMES"]}
    several = [(name, key) for name, keys_of in keys.items() for key in keys_of.split() or [""]]
    for name, key in several:
        if _weak(key):
            yield f"{name} is short or simple: it could be guessed. Leave it unset and one is made and kept."
    if len({key for _name, key in several}) < len(several):
        yield f"Two of {', '.join(keys)} are the same: a leak of one would be a leak of both."
