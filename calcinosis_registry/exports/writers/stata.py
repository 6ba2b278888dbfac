"""Stata .dta (format 118, Stata 14 and later), one per table: value labels, %td dates, .a and .u for empty cells."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.missing import Gap, NotApplicable
from calcinosis_registry.exports.writers.names import unique_names
from calcinosis_registry.exports.writers.spool import Spool
from calcinosis_registry.exports.writers.statistics import write_each
from calcinosis_registry.exports.writers.variables import Rules, Variable, cut, numbers, texts, variables_of

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

RESERVED = frozenset({
    "byte", "double", "float", "if", "in", "int", "long", "strL", "using", "with", *(f"str{n}" for n in range(2046)),
})  # fmt: skip
RULES = Rules(name=32, text=0, reserved=RESERVED)
MOST_ROWS, MOST_VARIABLES = 2_147_483_619, 32_767
DAYS_TO_1970 = 3_653  # Stata counts from 1 January 1960
_LONGEST_TEXT = 2_045  # bytes of str; a longer text is a strL
_LONG_TEXT, _DOUBLE, _LONG, _INT, _BYTE = 32_768, 65_526, 65_528, 65_529, 65_530
_DTYPES = {_LONG_TEXT: "<u8", _DOUBLE: "<f8", _LONG: "<i4", _INT: "<i2", _BYTE: "i1"}
_DOTS = {_LONG: 2_147_483_621, _INT: 32_741, _BYTE: 101}  # the number that is "." of a whole type; .a is the next
_MOST = {_LONG: 2_147_483_620, _INT: 32_740, _BYTE: 100}
LETTERS = {Gap.NOT_ANSWERED: 0, Gap.NOT_APPLICABLE: 1, Gap.UNKNOWN: 21}  # ".", ".a", ".u"


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One .dta per table, variables.csv, README.txt; {table: rows}. Raises ValueError past Stata's limits."""
    counts = write_each(folder, dataset, "dta", write_table)
    readme.write(folder, about, "Stata", SAID, EXAMPLE)
    return counts


SAID = (
    "Needs Stata 14 or later (format 118, UTF-8).",
    "An empty number “.” was not answered; “.a” is not applicable, its condition was answered otherwise; “.u” was "
    "answered “unknown”. An empty text was not answered.",
    "Codes are numbers with value labels; variables.csv says the code of the register for each number.",
    "A set of codes is one 0/1 variable per code.",
    "Names are at most 32 characters long: longer ones are cut and end in four characters of their own; variables.csv "
    "says which column each is. Labels are cut at 80 characters.",
    "A text longer than 2,045 bytes is a strL.",
)
EXAMPLE = """use visits, clear
tabulate calcinosis_present, missing
* Tables are linked: patients by patient, visits by patient and visit_no.
merge m:1 patient using patients"""


def write_table(path: Path, spool: Spool) -> list[Variable]:
    variables = variables_of(spool, RULES)
    if spool.rows > MOST_ROWS or len(variables) > MOST_VARIABLES:
        raise ValueError(f"{spool.table.name} has more rows or variables than Stata can hold: choose CSV or Parquet")
    with path.open("w+b") as file:
        _Writer(file, spool, variables).write()
    return variables


class _Writer:
    """The parts of the file in their order; where each begins stands in a map near its head."""

    def __init__(self, file: BinaryIO, spool: Spool, variables: list[Variable]) -> None:
        self.file, self.spool, self.variables = file, spool, variables
        self.types = [_type(one) for one in variables]
        self.sets = _label_sets(variables)
        self.starts: list[int] = [0]

    def write(self) -> None:
        self._header()
        self._part("variable_types", struct.pack(f"<{len(self.types)}H", *self.types))
        self._part("varnames", b"".join(_fixed(one.name, 129) for one in self.variables))
        self._part("sortlist", b"\0\0" * (len(self.variables) + 1))
        self._part(
            "formats",
            b"".join(_fixed(_format(one, kind), 57) for one, kind in zip(self.variables, self.types, strict=True)),
        )
        names = {id(one): name for name, some in self.sets.items() for one in some}
        self._part("value_label_names", b"".join(_fixed(names.get(id(one), ""), 129) for one in self.variables))
        self._part("variable_labels", b"".join(_fixed(one.label[:80], 321) for one in self.variables))
        self._part("characteristics", b"")
        self._stream("data", self._data())
        self._stream("strls", self._long_texts())
        self._stream("value_labels", (_value_labels(name, some[0]) for name, some in self.sets.items()))
        self.starts.append(self.file.tell())
        self.file.write(b"</stata_dta>")
        self.starts.append(self.file.tell())
        self.file.seek(self.starts[1] + len(b"<map>"))
        self.file.write(struct.pack("<14Q", *self.starts))

    def _header(self) -> None:
        label = self.spool.table.label[:80].encode()
        stamp = b"01 Jan 2000 00:00"  # the same data make the same bytes
        self.file.write(b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder>")
        self.file.write(b"<K>" + struct.pack("<H", len(self.variables)) + b"</K>")
        self.file.write(b"<N>" + struct.pack("<Q", self.spool.rows) + b"</N>")
        self.file.write(b"<label>" + struct.pack("<H", len(label)) + label + b"</label>")
        self.file.write(b"<timestamp>" + bytes([len(stamp)]) + stamp + b"</timestamp></header>")
        self._part("map", b"\0" * 112)

    def _part(self, name: str, content: bytes) -> None:
        self._stream(name, iter([content]))

    def _stream(self, name: str, content: Iterator[bytes]) -> None:
        self.starts.append(self.file.tell())
        self.file.write(f"<{name}>".encode())
        for block in content:
            self.file.write(block)
        self.file.write(f"</{name}>".encode())

    def _data(self) -> Iterator[bytes]:
        import numpy as np

        kinds = [(f"f{n}", _DTYPES.get(kind, f"S{kind}")) for n, kind in enumerate(self.types)]
        done = 0
        for batch in self.spool.batches():
            block = np.zeros(batch.num_rows, dtype=kinds)
            absent = NotApplicable(self.spool.table.columns, batch)
            for place, (one, kind) in enumerate(zip(self.variables, self.types, strict=True)):
                if kind == _LONG_TEXT:
                    block[f"f{place}"] = _pointers(texts(one, batch, limit=0), place + 1, done)
                elif one.is_text:
                    block[f"f{place}"] = np.array(texts(one, batch, limit=0), dtype=f"S{kind}")
                else:
                    block[f"f{place}"] = _cells(one, kind, *numbers(one, batch, absent))
            done += batch.num_rows
            yield block.tobytes()

    def _long_texts(self) -> Iterator[bytes]:
        """Row by row, as the pointers are."""
        long = [n for n, kind in enumerate(self.types) if kind == _LONG_TEXT]
        done = 0
        for batch in self.spool.batches() if long else ():
            columns = [(n + 1, texts(self.variables[n], batch, limit=0)) for n in long]
            for row in range(batch.num_rows):
                for number, cells in columns:
                    if text := cells[row]:
                        yield b"GSO" + struct.pack("<IQBI", number, done + row + 1, 130, len(text) + 1) + text + b"\0"
            done += batch.num_rows


def _type(one: Variable) -> int:
    if one.is_text:
        return one.width if one.width <= _LONGEST_TEXT else _LONG_TEXT
    if one.is_date:
        return _LONG
    if not one.whole:
        return _DOUBLE
    return next((kind for kind in (_BYTE, _INT, _LONG) if one.largest <= _MOST[kind]), _DOUBLE)


def _cells(one: Variable, kind: int, values: Any, gaps: Any) -> Any:
    import numpy as np

    letters = np.zeros(4, dtype=np.uint64)
    for gap, letter in LETTERS.items():
        letters[gap] = letter
    which = letters[gaps]
    if kind == _DOUBLE:
        empty = (np.uint64(0x7FE0000000000000) + which * np.uint64(0x0000010000000000)).view(np.float64)
        return np.where(gaps > 0, empty, values)
    if one.is_date:
        values = values + DAYS_TO_1970
    return np.where(gaps > 0, _DOTS[kind] + which.astype(np.int64), np.nan_to_num(values).astype(np.int64))


def _pointers(cells: list[bytes], variable: int, done: int) -> list[int]:
    """Where a strL is: variable in the first two bytes, row in the other six; 0 for an empty one."""
    return [(done + row + 1) << 16 | variable if cell else 0 for row, cell in enumerate(cells)]


def _format(one: Variable, kind: int) -> str:
    if one.is_text:
        return "%-20s" if kind == _LONG_TEXT else f"%-{min(one.width, 60)}s"
    if one.is_date:
        return "%td"
    return f"%10.{one.digits}f" if one.digits else "%9.0g"


def _label_sets(variables: list[Variable]) -> dict[str, list[Variable]]:
    """{name: the variables that share these value labels}."""
    alike: dict[Any, list[Variable]] = {}
    for one in variables:
        if one.labels or one.unknown or (one.may_not_apply and not one.is_text):
            alike.setdefault((one.labels, one.unknown, one.may_not_apply), []).append(one)
    names = unique_names([f"{some[0].name}_l" for some in alike.values()], longest=32)
    return dict(zip(names, alike.values(), strict=True))


def _value_labels(name: str, one: Variable) -> bytes:
    labels = dict(one.labels)
    if one.may_not_apply:
        labels[_DOTS[_LONG] + LETTERS[Gap.NOT_APPLICABLE]] = readme.not_applicable()
    if one.unknown:
        labels[_DOTS[_LONG] + LETTERS[Gap.UNKNOWN]] = one.unknown
    numbered = sorted(labels.items())
    said = [words.encode() + b"\0" for _number, words in numbered]
    offsets, length = [], 0
    for words in said:
        offsets.append(length)
        length += len(words)
    count = len(numbered)
    table = struct.pack("<ii", count, length) + struct.pack(f"<{count}i", *offsets)
    table += struct.pack(f"<{count}i", *(number for number, _words in numbered)) + b"".join(said)
    return b"<lbl>" + struct.pack("<i", len(table)) + _fixed(name, 129) + b"\0\0\0" + table + b"</lbl>"


def _fixed(text: str, size: int) -> bytes:
    return cut(text, size - 1).encode().ljust(size, b"\0")
