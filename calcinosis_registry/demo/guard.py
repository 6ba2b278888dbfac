"""The demo switch takes the second factor off: it must never stand over real patients."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from calcinosis_registry.demo import loader

REFUSAL = (
    "REGISTRY_DEMO=1 takes the second factor off, and this register holds patients that are not invented. "
    "Unset REGISTRY_DEMO."
)


def switched_on_over_real_patients() -> bool:
    """False as long as there are no tables to ask."""
    if not settings.DEMO:
        return False
    try:
        return loader.has_patients() and not loader.is_demo()
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
