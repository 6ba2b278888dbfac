"""SAS transport (.xpt, version 5), one per table, and read.sas that gives names, labels and formats back."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis_registry.exports.writers import readme, sas_program
from calcinosis_registry.exports.writers.missing import Gap, NotApplicable
from calcinosis_registry.exports.writers.names import unique_names
from calcinosis_registry.exports.writers.spool import Spool
from calcinosis_registry.exports.writers.statistics import write_each
from calcinosis_registry.exports.writers.variables import Rules, Variable, cut, numbers, texts, variables_of

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

RULES = Rules(name=8, text=200)
MOST_VARIABLES = 9_999
DAYS_TO_1970 = 3_653  # SAS counts from 1 January 1960
_STAMP = b"01JAN00:00:00:00"  # the same data make the same bytes
_FIRST_BYTES = {Gap.NOT_ANSWERED: ord("."), Gap.NOT_APPLICABLE: ord("A"), Gap.UNKNOWN: ord("U")}


def write(folder: Path, dataset: Dataset, about: dict[str, Any]) -> dict[str, int]:
    """One .xpt per table, read.sas, variables.csv, README.txt; {table: rows}. Raises ValueError past the limits."""
    members = dict(zip(dataset.tables, unique_names(dataset.tables, longest=8), strict=True))
    told: dict[str, list[Variable]] = {}

    def write_one(path: Path, spool: Spool) -> list[Variable]:
        told[spool.table.name] = write_table(path, spool, members[spool.table.name])
        return told[spool.table.name]

    counts = write_each(folder, dataset, "xpt", write_one)
    (folder / "read.sas").write_text(sas_program.of(dataset, members, told), encoding="utf-8")
    readme.write(folder, about, "SAS transport, version 5", SAID, EXAMPLE)
    return counts


SAID = (
    "Names in the .xpt are at most 8 characters long: longer ones are cut and end in three characters of their own. "
    "read.sas gives the variables their full names, labels and formats; variables.csv says which column each is.",
    "A missing number “.” was not answered; “.A” is not applicable, its condition was answered otherwise; “.U” was "
    "answered “unknown”. An empty text was not answered.",
    "Codes are numbers; read.sas makes a format of each code list, variables.csv says the code of the register.",
    "A set of codes is one 0/1 variable per code.",
    "A text longer than 200 bytes goes on in further variables (name, name_2, …); blanks at the end are not kept.",
    "Texts are UTF-8: run SAS with the encoding UTF-8. Labels in the .xpt are cut at 40 bytes; "
    "read.sas has them whole.",
)
EXAMPLE = """%let from = /folder/of/this/zip;
%include "&from/read.sas";
proc freq data=visits; tables calcinosis_present / missing; run;
* Tables are linked: patients by patient, visits by patient and visit_no;"""


def write_table(path: Path, spool: Spool, member: str) -> list[Variable]:
    variables = variables_of(spool, RULES)
    if len(variables) > MOST_VARIABLES:
        raise ValueError(f"{spool.table.name} has more variables than a SAS transport file can hold: choose Parquet")
    with path.open("wb") as file:
        file.write(_header(spool, member, variables))
        written = 0
        for batch in spool.batches():
            block = _rows(variables, batch, NotApplicable(spool.table.columns, batch))
            written += len(block)
            file.write(block)
        file.write(b" " * (-written % 80))
    return variables


def _rows(variables: list[Variable], batch: Any, absent: NotApplicable) -> bytes:
    import numpy as np

    kinds = [(f"f{n}", f"S{one.width}" if one.is_text else ">u8") for n, one in enumerate(variables)]
    block = np.zeros(batch.num_rows, dtype=kinds)
    for place, one in enumerate(variables):
        if one.is_text:
            cells = [cell.ljust(one.width) for cell in texts(one, batch, limit=RULES.text)]
            block[f"f{place}"] = np.array(cells, dtype=f"S{one.width}")
        else:
            values, gaps = numbers(one, batch, absent)
            block[f"f{place}"] = _cells(values + DAYS_TO_1970 if one.is_date else values, gaps)
    return block.tobytes()


def _cells(values: Any, gaps: Any) -> Any:
    import numpy as np

    first = np.zeros(4, dtype=np.uint64)
    for gap, byte in _FIRST_BYTES.items():
        first[gap] = byte
    return np.where(gaps > 0, first[gaps] << np.uint64(56), mainframe(np.nan_to_num(values)))


def mainframe(values: Any) -> Any:
    """IEEE doubles as the hexadecimal floating point of the transport format (sign, power of 16, 56 bits)."""
    import numpy as np

    part, power = np.frexp(np.abs(values))
    sixteens = -(-power // 4)
    fraction = np.ldexp(part, 56 - (4 * sixteens - power)).astype(np.uint64)
    found = (sixteens + 64).astype(np.uint64) << np.uint64(56) | fraction
    found |= (values < 0).astype(np.uint64) << np.uint64(63)
    return np.where(values == 0, np.uint64(0), found)


def _header(spool: Spool, member: str, variables: list[Variable]) -> bytes:
    system = b"9.4     " + b"Linux   " + b" " * 24 + _STAMP
    label = cut(spool.table.label, 40).encode().ljust(40)
    described = b"".join(_described(variables))
    return b"".join([
        _record("LIBRARY", "0" * 30), b"SAS     SAS     SASLIB  " + system, _STAMP.ljust(80),
        _record("MEMBER", "0" * 17 + "1600000000140"), _record("DSCRPTR", "0" * 30),
        b"SAS     " + member.encode().ljust(8) + b"SASDATA " + system,
        _STAMP + b" " * 16 + label + b" " * 8,
        _record("NAMESTR", f"000000{len(variables):04d}" + "0" * 20), described, b" " * (-len(described) % 80),
        _record("OBS", "0" * 30),
    ])  # fmt: skip


def _record(name: str, numbers: str) -> bytes:
    return f"HEADER RECORD*******{name:<8}HEADER RECORD!!!!!!!{numbers}  ".encode()


def _described(variables: list[Variable]) -> Iterator[bytes]:
    place = 0
    for number, one in enumerate(variables, start=1):
        size = one.width if one.is_text else 8
        form, wide = (b"YYMMDD", 10) if one.is_date else (b"", 0)
        yield struct.pack(
            ">hhhh8s40s8shhh2s8shhi52s", 2 if one.is_text else 1, 0, size, number, one.name.encode().ljust(8),
            cut(one.label, 40).encode().ljust(40), form.ljust(8), wide, 0, 0, b"\0\0", b" " * 8,
            0, 0, place, b"\0" * 52,
        )  # fmt: skip
        place += size
