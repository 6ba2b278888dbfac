"""Run inside a register's environment: a clinic, people who are signed in, patients with two known lesions.

Prints as JSON what a client needs: the sessions, and the patients' public ids.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
PEOPLE, PATIENTS = 4, 8


def main() -> None:
    django.setup()
    from django.test import Client

    from calcinosis_registry.accounts.middleware import HAS_SECOND_FACTOR
    from tests.conftest import prove
    from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory, known_lesions

    north = ClinicFactory(name="North", code="NOR")
    sessions = {}
    for role in ("clinician", "assistant", "admin", *["clinician"] * (PEOPLE - 1)):
        name = f"{role}{len(sessions)}"
        user = UserFactory(name=name.title())
        MembershipFactory(user=user, role=role, clinic=north)
        user.set_unusable_password()
        user.save()
        client = Client()
        client.force_login(user)
        session = client.session
        session[HAS_SECOND_FACTOR] = True
        session.save()
        prove(client, user, lasting=7200)
        sessions[name] = client.session.session_key
    patients = [PatientFactory(clinic=north) for _ in range(PATIENTS)]
    for patient in patients:
        known_lesions(patient, datetime.date(2019, 1, 1), [("HAND.D1.PULP", "R"), ("ELBOW", "L")])
    print(json.dumps({"sessions": sessions, "patients": [one.public_id for one in patients]}))


if __name__ == "__main__":
    main()
