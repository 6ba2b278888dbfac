"""Keys of rows as a page sends them."""

from __future__ import annotations


def sent_key(text: str) -> int | None:
    """None for what is no key: other words, signs that only look like digits, more of them than a database can hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
