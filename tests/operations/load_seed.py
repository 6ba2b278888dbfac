"""Run inside a register's environment: clinics with many patients and clinicians, for test_load.py.

    python tests/operations/load_seed.py CLINICIANS PATIENTS

Prints as JSON: sessions of clinicians who are at work (of one clinic after the other), the secrets of those who are to
sign in, the patients of each clinic. What was seen before today is signed, as in a clinic that keeps up.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
TOLD_BY_PEOPLE = 40  # entered as people enter them; the others are copies (many_patients.py)
OF_A_CLINIC = 5000  # patients; more than the largest centres follow


def main(clinicians: int, patients: int) -> None:
    django.setup()
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.contrib.auth.hashers import make_password
    from django.db import models
    from django.test import Client

    from calcinosis_registry.accounts.middleware import HAS_SECOND_FACTOR
    from patients.models import Visit, VisitState
    from tests.benchmarks.many_patients import copies_of_every_patient
    from tests.factories import (
        PASSWORD,
        ClinicFactory,
        IdentityFactory,
        MembershipFactory,
        PatientFactory,
        UserFactory,
        known_lesions,
    )

    many = min(max(patients // OF_A_CLINIC, 1), TOLD_BY_PEOPLE)
    clinics = [ClinicFactory(name=f"Clinic {number}", code=f"C{number:02}") for number in range(many)]
    for number in range(min(patients, TOLD_BY_PEOPLE)):
        patient = PatientFactory(clinic=clinics[number % many])
        IdentityFactory(patient=patient, family_name=f"Family{number // many:02}")
        known_lesions(patient, datetime.date(2019, 1, 1), [("HAND.D1.PULP", "R"), ("ELBOW", "L")])
    models.QuerySet(Visit).update(state=VisitState.SIGNED)
    if patients > TOLD_BY_PEOPLE:
        copies_of_every_patient(patients // TOLD_BY_PEOPLE - 1)
    hashed = make_password(PASSWORD)  # one for all: hashing hundreds takes a minute, and signing in does it anyway
    sessions, secrets = [], {}
    for number in range(clinicians):
        user = UserFactory(name=f"Clinician {number}")
        user.password = hashed
        user.save()
        MembershipFactory(user=user, role="clinician", clinic=clinics[number % many])
        secrets[user.email] = generate_totp_secret()
        TOTP.activate(user, secrets[user.email])
        client = Client()
        user.refresh_from_db()  # a second factor ends sessions
        client.force_login(user)
        session = client.session
        session[HAS_SECOND_FACTOR] = True
        session.save()
        sessions.append(client.session.session_key)
    ids = [list(one.patients.order_by("pk").values_list("public_id", flat=True)) for one in clinics]
    print(json.dumps({"sessions": sessions, "secrets": secrets, "patients": ids, "password": PASSWORD}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
