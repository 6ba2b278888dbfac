"""A request that writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calcinosis_registry.accounts.models import User
from tests.house_rules.cast import Cast


@dataclass(frozen=True)
class Write:
    """``made``: the values; ``form``: whether they change the page's own form; ``before``: makes what must be there,
    and may say the address of what it made."""

    account: str
    made: Callable[[Cast], dict[str, Any]]
    form: bool = False
    before: Callable[[Cast], str | None] = lambda cast: None


def own(cast: Cast) -> User:
    return User.objects.get(name="Clin")
