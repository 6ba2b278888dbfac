"""A finding: something suspicious but possible about one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """``rule`` is a stable slug, ``field`` the field it is about, ``message`` the question for a person."""

    rule: str
    message: str
    field: str = ""
