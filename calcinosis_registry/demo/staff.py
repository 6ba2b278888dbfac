"""The clinics of a demo register and the people who may sign in to them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic, Membership
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.demo.told import Dice

PASSWORD = "calcinosis-demo"  # noqa: S105  printed by make run: there is nothing to protect
PLACES = ("North", "South", "East", "West", "Harbour", "Lakeside", "Hilltop", "Riverside", "Garden", "Old Town")
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
FIRST, SECOND = 0, 1
SECOND_READER = "second.reader@example.org"
# (address, name, role, place of the clinic); None: every clinic at once
PEOPLE = (
    ("clinician.a@example.org", "Dr Alma Adler", Role.CLINICIAN, FIRST),
    ("assistant.a@example.org", "Noor Assistant", Role.ASSISTANT, FIRST),
    ("monitor.a@example.org", "Mara Monitor", Role.MONITOR, FIRST),
    ("clinician.b@example.org", "Dr Bruno Berg", Role.CLINICIAN, SECOND),
    (SECOND_READER, "Dr Selma Sand", Role.CLINICIAN, FIRST),
    (SECOND_READER, "Dr Selma Sand", Role.CLINICIAN, SECOND),
    ("admin@example.org", "Ada Admin", Role.ADMIN, None),
)
RESEARCHER = ("researcher@example.org", "Dr Rosa Researcher")


@dataclass(frozen=True)
class Staff:
    """``clinicians[i]`` signs in ``clinics[i]``."""

    clinics: list[Clinic]
    clinicians: list[User]
    researcher: User
    admin: User


def public_id(dice: Dice) -> str:
    """Like a random one, but the same for the same seed."""
    return "".join(dice.random.choices(ALPHABET, k=16))


def hire(*, clinics: int, seed: int, since: datetime.date) -> Staff:
    """Clinics, accounts and roles; inside the caller's transaction."""
    dice = Dice(f"{seed}:staff")
    made = [Clinic(public_id=public_id(dice), code=_code(n), name=_name(n)) for n in range(clinics)]
    Clinic.objects.bulk_create(made)
    hashed = make_password(PASSWORD)
    people = {
        address: User(email=address, name=name, password=hashed)
        for address, name in [*((address, name) for address, name, _role, _place in PEOPLE), RESEARCHER]
    }
    # Clinics beyond the second have a clinician who signs, and no way to sign in.
    others = [
        User(
            email=f"clinician.{_code(n).lower()}@example.org",
            name=f"Dr {_code(n).title()} Clinician",
            password=make_password(None),
        )
        for n in range(2, clinics)
    ]
    User.objects.bulk_create([*people.values(), *others])
    roles = [(people[address], role, None if place is None else made[place]) for address, _name, role, place in PEOPLE]
    roles += [(people[RESEARCHER[0]], Role.RESEARCHER, clinic) for clinic in made]
    roles += [(user, Role.CLINICIAN, clinic) for user, clinic in zip(others, made[2:], strict=True)]
    Membership.objects.bulk_create(
        Membership(user=user, role=role, clinic=clinic, valid_from=since) for user, role, clinic in roles
    )
    clinicians = [people["clinician.a@example.org"], people["clinician.b@example.org"], *others]
    return Staff(made, clinicians, people[RESEARCHER[0]], people["admin@example.org"])


def _code(place: int) -> str:
    """NOR, SOU, ... and then CAA, CAB, ..."""
    if place < len(PLACES):
        return PLACES[place].replace(" ", "")[:3].upper()
    number = place - len(PLACES)
    letters = [chr(65 + number // 26**power % 26) for power in (2, 1, 0)]
    return "C" + "".join(letters)


def _name(place: int) -> str:
    return f"{PLACES[place]} clinic" if place < len(PLACES) else f"Clinic {place + 1}"
