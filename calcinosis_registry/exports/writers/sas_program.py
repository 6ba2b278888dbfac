"""read.sas: what the transport files cannot hold: full names, whole labels, a format for each code list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from calcinosis_registry.exports.writers import readme
from calcinosis_registry.exports.writers.names import unique_names
from calcinosis_registry.exports.writers.variables import Variable, cut

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Dataset

_LONGEST_LABEL = 256


def of(dataset: Dataset, members: dict[str, str], told: dict[str, list[Variable]]) -> str:
    """The program, for ``&from``, the folder of the files."""
    formats = _formats(told)
    lines = [
        "/* Set the folder first: %let from = /folder/of/this/zip; */",
        "options validvarname=v7;",
        "",
        "proc format;",
    ]
    for name, one in formats.values():
        lines += _format(name, one)
    lines += ["run;", ""]
    for table in dataset.tables.values():
        lines += _table(table.name, table.label, members[table.name], told[table.name], formats)
    return "\n".join(lines) + "\n"


def _formats(told: dict[str, list[Variable]]) -> dict[object, tuple[str, Variable]]:
    alike: dict[object, Variable] = {}
    for one in (one for some in told.values() for one in some):
        if _labelled(one):
            alike.setdefault(_same(one), one)
    # A format's name must not end in a digit.
    names = unique_names([f"{one.column.name}_f" for one in alike.values()], longest=31)
    return {key: (f"{name}_", one) for (key, one), name in zip(alike.items(), names, strict=True)}


def _labelled(one: Variable) -> bool:
    return bool(one.labels or one.unknown) and not one.is_text


def _same(one: Variable) -> object:
    return (one.labels, one.unknown, one.may_not_apply)


def _format(name: str, one: Variable) -> Iterator[str]:
    yield f"  value {name}"
    for number, words in one.labels:
        yield f"    {number} = {_quoted(words)}"
    if one.may_not_apply:
        yield f"    .A = {_quoted(readme.not_applicable())}"
    if one.unknown:
        yield f"    .U = {_quoted(one.unknown)}"
    yield "  ;"


def _table(
    name: str, label: str, member: str, variables: list[Variable], formats: dict[object, tuple[str, Variable]]
) -> Iterator[str]:
    full = unique_names([one.full for one in variables], longest=32)
    yield f'libname from_ xport "&from/{name}.xpt";'
    yield f"data {name} (label={_quoted(cut(label, 200))});"
    renamed = [f"{one.name}={long}" for one, long in zip(variables, full, strict=True) if one.name != long]
    yield f"  set from_.{member}{' (rename=(' + ' '.join(renamed) + '))' if renamed else ''};"
    for one, long in zip(variables, full, strict=True):
        yield f"  label {long} = {_quoted(cut(one.label, _LONGEST_LABEL))};"
        if _labelled(one):
            yield f"  format {long} {formats[_same(one)][0]}.;"
    yield "run;"
    yield "libname from_ clear;"
    yield ""


def _quoted(text: str) -> str:
    """In single quotes, so that no macro in it runs; on one line."""
    plain = " ".join(text.split()).replace("'", "''")
    return f"'{plain}'"
