"""Names a package accepts: unique, short enough, and the same tomorrow as today."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def unique_names(wanted: Iterable[str], *, longest: int, reserved: Collection[str] = ()) -> list[str]:
    """One name per wanted one, in order: a letter, then letters, digits and ``_``; unique whatever the case.

    A name that fits stays as it is. One that does not is cut and ends in characters made of the whole name, so that it
    does not depend on its neighbours.
    """
    wanted = list(wanted)
    taken = {name.lower() for name in reserved}
    fitting = [_plain(name) for name in wanted]
    keep = {name.lower() for name in fitting if len(name) <= longest}
    found = []
    for whole, name in zip(wanted, fitting, strict=True):
        turn = 0
        while len(name) > longest or name.lower() in taken or (turn and name.lower() in keep):
            name = _cut(whole, _plain(whole), longest, turn)
            turn += 1
        taken.add(name.lower())
        found.append(name)
    return found


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"\W+", "_", letters, flags=re.ASCII).strip("_")
    return plain if plain[:1].isalpha() else f"v{plain}"


def _cut(whole: str, plain: str, longest: int, turn: int) -> str:
    ending = 3 if longest < 16 else 4
    number = int.from_bytes(hashlib.sha256(f"{whole}|{turn}".encode()).digest()[:8], "big")
    mark = ""
    for _place in range(ending):
        number, digit = divmod(number, len(_DIGITS))
        mark += _DIGITS[digit]
    return f"{_squeezed(plain, longest - ending - 1)}_{mark}"


def _squeezed(plain: str, longest: int) -> str:
    """The first letters of its words where there is little room: ``first_calcinosis_earliest`` → ``ficaea``."""
    words = plain.split("_")
    if longest >= 16:
        return plain[:longest].rstrip("_")
    each = max(1, longest // len(words))
    return "".join(word[:each] for word in words)[:longest]
