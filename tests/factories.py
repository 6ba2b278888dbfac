"""People and clinics for the tests. Passwords are cheap to hash only where a test signs in by password."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic, Membership

PASSWORD = "a sentence is easy to remember"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    name = factory.Sequence("Person {}".format)
    email = factory.LazyAttribute(lambda one: f"{one.name.lower().replace(' ', '.')}@example.org")
    # No hash: Argon2 takes its time, and most tests sign in by force_login.
    password = "!"


class ClinicFactory(DjangoModelFactory):
    class Meta:
        model = Clinic

    name = factory.Sequence("Clinic {}".format)
    code = factory.Sequence(lambda n: f"C{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    clinic = factory.SubFactory(ClinicFactory)
    role = "clinician"
