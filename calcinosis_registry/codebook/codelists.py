"""Code lists as data files: CSV in UTF-8 whose first lines, each starting with ``#``, say title, source and licence."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a code list, in file order; every value a stripped string, "" where empty.

    Raises ValueError naming file and row when a row is longer or shorter than the heading.
    """
    return [dict(row) for row in _load(path)[1]]


def about(path: Path) -> list[str]:
    """The ``#`` lines at the head of a code list (title, source, licence), without the mark."""
    return list(_load(path)[0])


def choices(path: Path, code: str = "code", label: str = "label") -> list[tuple[str, str]]:
    """(code, label) pairs for a choice field. Raises ValueError when a code is empty or stands twice."""
    pairs = [(row[code], row[label]) for row in _load(path)[1]]
    codes = [pair[0] for pair in pairs]
    wrong = sorted({one for one in codes if not one or codes.count(one) > 1})
    if wrong:
        raise ValueError(f"{path.name}: empty or repeated {code}: {wrong}")
    return pairs


@cache
def _load(path: Path) -> tuple[tuple[str, ...], tuple[dict[str, str], ...]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    head = 0
    while head < len(lines) and lines[head].startswith("#"):
        head += 1
    reader = csv.reader(lines[head:])
    columns = next(reader, [])
    rows = []
    for number, values in enumerate(reader, start=1):
        if len(values) != len(columns):
            raise ValueError(f"{path.name}, row {number}: {len(values)} values for {len(columns)} columns")
        rows.append(dict(zip(columns, (value.strip() for value in values), strict=True)))
    return tuple(line.lstrip("# ").strip() for line in lines[:head]), tuple(rows)
