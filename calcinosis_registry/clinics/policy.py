"""Which rows: ``Model.objects.visible_to(user, permission)``. Every view starts here; no clinic means no data."""

from __future__ import annotations

import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.traced import TracedQuerySet
from calcinosis_registry.clinics.roles import ROLES, Permission, Role


def grants(user: User | AnonymousUser) -> dict[Permission, set[int | None]]:
    """{permission: ids of the clinics it holds in}; None among the ids means every clinic. Read once per account."""
    if not user.is_authenticated or not user.is_active:
        return {}
    if not hasattr(user, "_grants"):
        found: dict[Permission, set[int | None]] = {}
        for role, clinic_id, *_more in _roles(user):
            for permission in ROLES[role]:
                found.setdefault(permission, set()).add(clinic_id)
        user._grants = found  # type: ignore[attr-defined]
    return user._grants  # type: ignore[attr-defined]


def _roles(user: User) -> list[tuple[str, int | None, str | None, str | None]]:
    """(role, id of the clinic, its code, its time zone) of what is in force; no clinic: every clinic."""
    if not hasattr(user, "_roles"):
        rows = user.memberships.in_force().order_by("pk")
        columns = ("role", "clinic_id", "clinic__code", "clinic__time_zone")
        user._roles = list(rows.values_list(*columns))  # type: ignore[attr-defined]
    return user._roles  # type: ignore[attr-defined]


def roles_text(user: User | AnonymousUser) -> str:
    """The roles in force as the trail keeps them: ``clinician NOR, admin all``."""
    if not user.is_authenticated or not user.is_active:
        return ""
    return ", ".join(f"{role} {code or 'all'}" for role, _clinic_id, code, _zone in _roles(user))


def zone_of(user: User | AnonymousUser) -> datetime.tzinfo:
    """The time zone this person works in. Of several the one where the day begins first: what is today in one of their
    clinics is never called the future."""
    if not user.is_authenticated or not user.is_active:
        return timezone.get_default_timezone()
    zones = {_zone(name) for _role, clinic, _code, name in _roles(user) if clinic}
    now = timezone.now()
    return max(zones, key=lambda one: now.astimezone(one).utcoffset() or datetime.timedelta(), default=_zone(""))


def _zone(name: str | None) -> datetime.tzinfo:
    """The register's for none, and for a name that no list of zones has any more: it must keep nobody out."""
    try:
        return ZoneInfo(name) if name else timezone.get_default_timezone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return timezone.get_default_timezone()


def roles_in(user: User, clinic_id: int) -> str:
    """The roles in force in one clinic, in words, as a signature keeps them."""
    held = {role for role, clinic, *_more in _roles(user) if clinic in (clinic_id, None)}
    return ", ".join(str(one.label) for one in Role if one in held)


def may(user: User | AnonymousUser, permission: Permission, clinic_id: int | None = None) -> bool:
    """Does the account hold the permission in this clinic (or, without one, anywhere)?"""
    held = grants(user).get(permission, set())
    return bool(held) if clinic_id is None else clinic_id in held or None in held


def permissions_in(user: User | AnonymousUser, clinic_id: int) -> frozenset[Permission]:
    """Everything the account may do in a clinic."""
    return frozenset(one for one, held in grants(user).items() if clinic_id in held or None in held)


class ScopedQuerySet(TracedQuerySet):
    """A traced queryset whose model names, in ``clinic_path``, the way to the clinic that owns a row."""

    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        held = grants(user).get(permission, set())
        if None in held:
            return self.all()
        return self.filter(**{f"{self.model.clinic_path}__in": held}) if held else self.none()


def require(request: HttpRequest, permission: Permission) -> None:
    """For pages that belong to no single clinic: 403 unless the permission is held somewhere."""
    if not may(request.user, permission):
        raise PermissionDenied


def one_visible(rows: ScopedQuerySet, user: Any, needed: Permission, **lookup: Any) -> Any:
    """The one row seen with VIEW_RECORDS, or 404; 403 where it is yours but not this action.

    ``rows`` is a ``visible_to`` queryset; ``needed`` the permission the action asks for.
    """
    found = rows.filter(**lookup).first()
    if found is None:
        raise Http404
    if not may(user, needed, clinic_of(found)):
        raise PermissionDenied
    return found


def clinic_of(record: Any) -> int:
    """The id of the clinic that owns a scoped record."""
    value = record
    for step in type(record).clinic_path.split("__"):
        value = getattr(value, step)
    return getattr(value, "pk", value)
