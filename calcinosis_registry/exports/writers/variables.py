"""Columns as the variables of a statistics package: numbers with value labels, days, texts of a fixed width.

A code is a number with a label, a set of codes one 0/1 variable per code, a text longer than a variable holds several.
An empty number says why it is empty (missing.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.columns import YES_NO, Column, Kind, said
from calcinosis_registry.exports.writers.missing import UNKNOWN, Gap, NotApplicable
from calcinosis_registry.exports.writers.names import unique_names
from calcinosis_registry.exports.writers.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Rules:
    """What a package accepts: ``name``: characters of a name; ``text``: bytes of a text variable, 0 for any."""

    name: int
    text: int
    reserved: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Variable:
    """``name``: as the package takes it; ``full``: as it would be without limits. ``numbers``: {code: its number}.

    ``part``: the code of a 0/1 variable, or the number of the piece of a text.
    """

    name: str
    label: str
    column: Column
    part: str = ""
    numbers: tuple[tuple[str, int], ...] = ()
    labels: tuple[tuple[int, str], ...] = ()  # of numbers
    unknown: str = ""  # the label of the code that says "unknown"
    width: int = 0  # of a text, in bytes
    whole: bool = True  # holds whole numbers only
    largest: int = 0
    full: str = ""

    @property
    def is_text(self) -> bool:
        return self.width > 0

    @property
    def is_date(self) -> bool:
        return self.column.kind is Kind.DATE

    @property
    def digits(self) -> int:
        """Shown after the point; a float has as many as it needs, and three are shown."""
        return 0 if self.whole else self.column.digits[1] if self.column.digits else 3

    @property
    def may_not_apply(self) -> bool:
        return self.column.field is not None and bool(self.column.field.item.only_if)  # type: ignore[attr-defined]


def variables_of(spool: Spool, rules: Rules) -> list[Variable]:
    """The variables of a table, with names of their own."""
    found = [one for column in spool.table.columns for one in _of(column, spool, rules)]
    names = unique_names([one.name for one in found], longest=rules.name, reserved=rules.reserved)
    return [replace(one, name=name, full=one.name) for one, name in zip(found, names, strict=True)]


def _of(column: Column, spool: Spool, rules: Rules) -> Iterator[Variable]:
    label = f"{column.label} [{column.unit}]" if column.unit else column.label
    codes = (*column.codes, *((one, one) for one in spool.strangers.get(column.name, ())))
    if column.kind is Kind.CODES:
        yes_no = tuple((int(code), words) for code, words in said(YES_NO))
        for code, words in codes:
            name = f"{column.name}_{code}"
            yield Variable(name, f"{label}: {words}", column, code, labels=yes_no, largest=1)
    elif column.kind in (Kind.CODE, Kind.BOOLEAN):
        numbers = numbered(codes)
        labels = tuple((numbers[code], words) for code, words in codes if code in numbers)
        unknown = next((words for code, words in codes if code not in numbers), "")
        yield Variable(
            column.name, label, column, numbers=tuple(numbers.items()), labels=labels, unknown=unknown,
            largest=max(numbers.values(), default=0),
        )  # fmt: skip
    elif _is_string(column):
        longest = max(spool.widths.get(column.name, 0), 1)
        count = 1 if not rules.text or longest <= rules.text else _most_pieces(column, spool, rules.text)
        width = longest if count == 1 else rules.text
        yield Variable(column.name, label, column, "0", width=width)
        for piece in range(1, count):
            yield Variable(f"{column.name}_{piece + 1}", f"{label} ({piece + 1})", column, str(piece), width=width)
    else:
        low, high = spool.limits.get(column.name, (0, 0))
        yield Variable(column.name, label, column, whole=column.kind is not Kind.DECIMAL, largest=max(-low, high))


def _most_pieces(column: Column, spool: Spool, limit: int) -> int:
    cells = (cell for batch in spool.batches() for cell in batch.column(column.name).to_pylist() if cell)
    return max(len(pieces(cell.encode("utf-8"), limit)) for cell in cells)


def _is_string(column: Column) -> bool:
    import pyarrow as pa

    return pa.types.is_string(column.arrow_type)


def numbered(codes: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """{code: number}. Yes is 1 and No 0; a code that is a number keeps it; the others follow in the order of the list.

    Codes for "unknown" have none: each package has a missing value of its own for them.
    """
    known = [code for code, _label in codes if code not in UNKNOWN]
    if set(known) == {"Y", "N"}:
        return {"Y": 1, "N": 0}
    found = {code: int(code) for code in known if code.isdecimal()}
    following = max(found.values(), default=0) + 1
    for code in known:
        if code not in found:
            found[code] = following
            following += 1
    return {code: found[code] for code in known}


def numbers(variable: Variable, batch: pa.RecordBatch, absent: NotApplicable) -> tuple[Any, Any]:
    """(float64 cells, why each is empty: a Gap or 0). Days count from 1970; an empty cell is NaN."""
    import numpy as np

    cells = batch.column(variable.column.name)
    if variable.numbers or variable.column.kind is Kind.CODES:
        values, gaps = _of_codes(variable, cells)
    else:
        if variable.is_date:
            cells = cells.cast("int32")
        elif variable.column.kind is Kind.DECIMAL:
            cells = cells.cast("string")  # past Arrow's own way, which makes 49.00000000000001 of 49
        values = cells.cast("float64").fill_null(math.nan).to_numpy(zero_copy_only=False)
        gaps = np.where(np.isnan(values), np.uint8(Gap.NOT_ANSWERED), np.uint8(0))
    if variable.may_not_apply:
        gaps = np.where((gaps == Gap.NOT_ANSWERED) & absent.of(variable.column), np.uint8(Gap.NOT_APPLICABLE), gaps)
    return values, gaps


def _of_codes(variable: Variable, cells: Any) -> tuple[Any, Any]:
    import numpy as np

    encoded = cells.cast("string").dictionary_encode()
    said_codes = encoded.dictionary.to_pylist()
    if variable.column.kind is Kind.CODES:
        found = [float(variable.part in cell.split(";")) for cell in said_codes]
        why = [0] * len(found)
    else:
        known = dict(variable.numbers)
        found = [float(known[code]) if code in known else math.nan for code in said_codes]
        why = [0 if code in known else Gap.UNKNOWN for code in said_codes]
    indices = encoded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    return np.array([*found, math.nan])[indices], np.array([*why, Gap.NOT_ANSWERED], dtype=np.uint8)[indices]


def texts(variable: Variable, batch: pa.RecordBatch, *, limit: int) -> list[bytes]:
    """The cells of a text in UTF-8, or one piece of each; empty for no answer."""
    cells = batch.column(variable.column.name).to_pylist()
    encoded = [b"" if cell is None else cell.encode("utf-8") for cell in cells]
    if not limit or (variable.width < limit and variable.part == "0"):
        return encoded
    piece = int(variable.part)
    return [found[piece] if piece < len(found := pieces(cell, limit)) else b"" for cell in encoded]


def pieces(text: bytes, limit: int) -> list[bytes]:
    """A text cut into pieces of at most ``limit`` bytes, between characters and never behind a blank: packages drop
    blanks at the end of a text."""
    found = []
    while len(text) > limit:
        end = limit
        while end > 1 and (text[end] & 0xC0 == 0x80 or text[end - 1] == 0x20):
            end -= 1
        end = end if end > 1 else limit
        found.append(text[:end])
        text = text[end:]
    return [*found, text]


def cut(text: str, limit: int) -> str:
    """As much of a label as fits ``limit`` bytes of UTF-8."""
    return text.encode("utf-8")[:limit].decode("utf-8", "ignore").rstrip()


VARIABLES = ("file", "variable", "label", "table", "column", "part", "kind", "unit", "values", "missing")


def described(file: str, table: str, variables: list[Variable]) -> Iterator[tuple[str, ...]]:
    """Rows of variables.csv: which column each variable of a file is, and what its numbers mean."""
    for one in variables:
        labels = dict(one.labels)
        values = " | ".join(f"{number} = {code} {labels[number]}" for code, number in one.numbers)
        if one.column.kind is Kind.CODES:
            values = " | ".join(f"{number} = {words}" for number, words in one.labels)
        kind = _("text") if one.is_text else _("date") if one.is_date else _("number")
        yield (
            file, one.name, one.label, table, one.column.name, one.part, kind, one.column.unit, values,
            one.column.missing,
        )  # fmt: skip
