"""Patients in groups: by any coded item that a patient has one answer to, or by clinic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.crowd import Crowd
from calcinosis_registry.reports.exhibits import OutOfScope
from calcinosis_registry.reports.frame import Frame
from calcinosis_registry.reports.groups import CLINIC, TABLES, choices

MOST = 8  # groups that can be told apart in a figure


@dataclass(frozen=True)
class Grouping:
    """``of``: the place of each patient's group in ``names``, -1 where the item is not answered.

    ``refused``: why patients are not grouped by what was asked; then there is one group, everyone.
    """

    key: str
    label: str
    names: tuple[str, ...]
    of: Array
    missing: Crowd = field(default_factory=Crowd)
    refused: str = ""

    @property
    def grouped(self) -> bool:
        return bool(self.key) and not self.refused

    def members(self, place: int) -> Crowd:
        return Crowd(np.flatnonzero(self.of == place))


def columns_for(key: str) -> Mapping[str, Sequence[str]]:
    """{table: columns} the frame needs for a grouping; {} for none or one it has anyway."""
    item = askable().get(key)
    if item is None or item.level.model not in TABLES:
        return {}
    return {TABLES[item.level.model]: (item.field.name,)}


def everyone(data: Frame, refused: str = "", key: str = "", label: str = "") -> Grouping:
    return Grouping(key, label, (_("All patients"),), np.zeros(len(data.patients), np.int64), refused=refused)


def grouping(data: Frame, key: str) -> Grouping:
    """The patients by an item; everyone in one group without a key, or with one that cannot be drawn."""
    allowed = dict(choices())
    if not key:
        return everyone(data)
    if key not in allowed:
        return everyone(data, _("Patients cannot be grouped by “%(item)s”.") % {"item": key})
    try:
        values, labels = _values(data, key)
    except OutOfScope:
        told = _("The project does not have “%(item)s” in scope. All patients are shown as one group.")
        return everyone(data, told % {"item": allowed[key]}, key, allowed[key])
    present = [code for code in labels if code in set(values)] or sorted({one for one in values if one is not None})
    if len(present) > MOST:
        told = _(
            "“%(item)s” makes %(n)s groups; more than %(most)s cannot be told apart. All patients are shown as one."
        )
        return everyone(data, told % {"item": allowed[key], "n": len(present), "most": MOST}, key, allowed[key])
    if not present:
        told = _("“%(item)s” is not answered for any of these patients. All of them are shown as one group.")
        return everyone(data, told % {"item": allowed[key]}, key, allowed[key])
    place = {code: index for index, code in enumerate(present)}
    of = np.array([place.get(value, -1) for value in values], np.int64)
    names = tuple(str(labels.get(code, code)) for code in present)
    return Grouping(key, allowed[key], names, of, Crowd(np.flatnonzero(of < 0)))


def _values(data: Frame, key: str) -> tuple[list[Any], dict[str, str]]:
    """One answer a patient, and the codes in their order."""
    if key == CLINIC:
        table, column, labels = "patients", "clinic", {}
    else:
        item = askable()[key]
        table, column, labels = TABLES[item.level.model], item.field.name, item.codes
    found: list[Any] = [None] * len(data.patients)
    columns = data[table]
    for patient, value in zip(columns.patient.tolist(), columns[column], strict=True):
        found[patient] = value
    return found, labels
