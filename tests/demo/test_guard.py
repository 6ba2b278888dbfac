"""The demo switch and real patients never meet."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from calcinosis_registry.demo import guard
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db


def test_a_demo_switch_over_real_patients_does_not_start(settings) -> None:
    settings.DEMO = True
    guard.refuse()
    PatientFactory()
    with pytest.raises(ImproperlyConfigured, match="not invented"):
        guard.refuse()
    with pytest.raises(SystemCheckError, match="Unset REGISTRY_DEMO"):
        call_command("check")


def test_without_the_demo_switch_real_patients_are_welcome(settings) -> None:
    settings.DEMO = False
    PatientFactory()
    guard.refuse()
    assert guard.demo_switch(None) == []
