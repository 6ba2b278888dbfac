"""Reading and comparing identities. Each reading is one event."""

from __future__ import annotations

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.models import Identity, search_key


def read_identity(*, user: User, registry_number: str) -> Identity | None:
    """The identity behind a number, told to the trail; None where the account may not see it."""
    found = Identity.objects.visible_to(user, Permission.SEE_IDENTITY).filter(registry_number=registry_number).first()
    if found is not None:
        trail.tell(Action.READ, about=found, changes={"shown": "identity"})
    return found


def names_of(*, user: User, registry_numbers: list[str]) -> dict[str, Identity]:
    """{registry number: identity} for a list page; one event names the numbers shown."""
    rows = Identity.objects.visible_to(user, Permission.SEE_IDENTITY).filter(registry_number__in=registry_numbers)
    found = {row.registry_number: row for row in rows}
    if found:
        trail.tell(Action.READ, changes={"shown": "names in a list", "patients": sorted(found)})
    return found


def key_list(*, user: User, clinic: Clinic, reason: str) -> list[tuple[str, str]]:
    """(registry number, hospital number) of a clinic's patients; one event names them all."""
    rows = Identity.objects.visible_to(user, Permission.SEE_IDENTITY).filter(clinic=clinic)
    found = list(rows.order_by("registry_number").values_list("registry_number", "hospital_number"))
    told = {"shown": "key list", "clinic": clinic.code, "patients": [number for number, _hospital in found]}
    trail.tell(Action.EXPORT, about=clinic, changes=told, reason=reason)
    return found


def likely_duplicates(*, clinic: Clinic, identity: Identity) -> tuple[list[Identity], bool]:
    """(same clinic's people who look the same, whether another clinic has one).

    The same national or hospital number, or the same names. What another clinic has is never said, only that
    the coordinating admin should be asked.
    """
    same_names = Identity.objects.filter(
        family_key=search_key(identity.family_name), given_key=search_key(identity.given_name)
    )
    found = {row.pk: row for row in same_names}
    if identity.national_number:
        found |= {row.pk: row for row in Identity.objects.filter(national_number=identity.national_number)}
    if identity.hospital_number:
        numbers = Identity.objects.filter(clinic=clinic, hospital_key=search_key(identity.hospital_number))
        found |= {row.pk: row for row in numbers}
    here = [row for row in found.values() if row.clinic_id == clinic.pk]
    elsewhere = any(row.clinic_id != clinic.pk for row in found.values())
    return here, elsewhere
