"""The demo switch takes the second factor off: it must never stand over real patients."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from calcinosis_registry.demo.models import DemoRegister
from patients.models import Patient

REFUSAL = (
    "REGISTRY_DEMO=1 takes the second factor off, and this register holds patients that are not invented. "
    "Unset REGISTRY_DEMO."
)


def is_demo() -> bool:
    """Was this register made by load_demo?"""
    return DemoRegister.objects.exists()


def has_patients() -> bool:
    return Patient.objects.exists()


def switched_on_over_real_patients() -> bool:
    """False as long as there are no tables to ask."""
    if not settings.DEMO:
        return False
    try:
        return has_patients() and not is_demo()
    except DatabaseError:
        return False


def refuse() -> None:
    """For the servers: do not start. Raises ImproperlyConfigured."""
    if switched_on_over_real_patients():
        raise ImproperlyConfigured(REFUSAL)


@checks.register
def demo_switch(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """For every command that runs the checks."""
    return [checks.Critical(REFUSAL, id="demo.E001")] if switched_on_over_real_patients() else []
