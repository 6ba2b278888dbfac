"""What every page shows around its content: where this person may go, and whether the people are invented."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.translation import gettext_lazy as _

from calcinosis_registry import read_only
from calcinosis_registry.clinics.admin_site import ADMIN_PERMISSIONS
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission as P

# (label, route, permissions of which one is enough; none: any role)
PLACES = (
    (_("Work list"), "home", {P.VIEW_RECORDS}),
    (_("Patients"), "patients:list", {P.VIEW_RECORDS}),
    (_("Queries"), "queries:list", {P.VIEW_RECORDS}),
    (_("Cohorts"), "cohorts:list", {P.COUNT_COHORTS}),
    (_("Projects"), "cohorts:projects", {P.APPROVE_PROJECTS}),
    (_("Reports"), "reports:index", {P.CLINIC_REPORTS, P.COUNT_COHORTS}),
    (_("Codebook"), "codebook:index", set(P)),
    (_("Accounts"), "clinics:accounts", {P.MANAGE_ACCOUNTS}),
    (_("Trail"), "clinics:trail", {P.VIEW_TRAIL}),
    (_("Erasures"), "rights:erasures", {P.VIEW_TRAIL}),
)


BELONGS = {"cohorts:list": ("exports:list",)}  # places of their own that are reached from another
# {route: how much waits there for this person, and the permission to deal with it}; apps above add theirs in ready().
# Who has the place in the menu anyway sees the number on every page; others see place and number on the first one.
WAITING: dict[str, tuple[P, Callable[[Any], int]]] = {}


@cache
def _url(route: str, _prefix: str) -> str:
    """The address of a place; "" where there is none."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


def _waiting(request: HttpRequest, route: str, held: set[P]) -> int:
    needed, counted = WAITING.get(route, (None, None))
    return counted(request.user) if counted is not None and needed in held else 0


def navigation(request: HttpRequest) -> dict[str, Any]:
    """``nav`` (label, url, is it here, how much waits there), ``may_search``, ``may_open_admin``, ``registry_demo``,
    and ``registry_rests``: why nothing is saved at present."""
    user = getattr(request, "user", None)
    held = set(grants(user)) if user is not None else set()
    nav = []
    for label, route, permissions in PLACES:
        if not (url := _url(route, get_script_prefix())):
            continue
        listed = bool(held & permissions)
        count = _waiting(request, route, held) if listed or request.path == _url("home", get_script_prefix()) else 0
        if listed or count:
            own = (url, *(_url(one, get_script_prefix()) for one in BELONGS.get(route, ())))
            active = request.path == url or (url != "/" and request.path.startswith(own))
            nav.append((label, url, active, count))
    return {
        "nav": nav,
        "may_search": P.VIEW_RECORDS in held,
        "may_open_admin": bool(held & ADMIN_PERMISSIONS),
        "registry_demo": settings.DEMO,
        "registry_rests": read_only.reason(),
    }
