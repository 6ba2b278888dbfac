"""What a file would tell of single people, worked out before it is made: k, and what the anonymous profile would do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from calcinosis_registry.accounts.models import User
from calcinosis_registry.cohorts.anonymous import LEAST, StandsOut, anonymous, groups_of
from calcinosis_registry.cohorts.dataset import build, why_not_taken
from calcinosis_registry.cohorts.engine import room_on_the_disk
from calcinosis_registry.cohorts.freezing import thawed
from calcinosis_registry.cohorts.models import Cohort, Freeze
from calcinosis_registry.cohorts.scope import scope_of
from calcinosis_registry.exports.services import ExportRefused


@dataclass(frozen=True)
class Foresight:
    """``smallest``: patients who share the rarest combination of ``by``. Anonymous: ``coarser`` with ``coarser_k``, or
    ``stands_out`` says why it would be refused."""

    patients: int
    smallest: int
    alone: int  # combinations that one patient has
    by: list[str]
    coarser: str = ""
    coarser_k: int = 0
    stands_out: str = ""
    least: int = LEAST


def foresee(*, cohort: Cohort, by: User, freeze: Freeze | None = None, all_visits: bool = False) -> Foresight:
    """Reads who is in it and what the quasi-identifiers say, no more. Its figures are exact, so who may not take the
    file does not get them either. Raises ExportRefused, DefinitionError, or NoRoom."""
    if refusal := why_not_taken(by, cohort.project):
        raise ExportRefused(refusal)
    with room_on_the_disk():
        return _foreseen(cohort, by, freeze, all_visits)


def _foreseen(cohort: Cohort, by: User, freeze: Freeze | None, all_visits: bool) -> Foresight:
    scope = scope_of(by, cohort.project)
    if freeze is not None:
        made = thawed(frozen=freeze, scope=scope)
    else:
        made = build(definition=cohort.definition, scope=scope, all_visits=all_visits)
    patients = made.tables["patients"]
    groups, names = groups_of(patients)
    labels = {column.name: column.label for column in patients.columns}
    told = Foresight(
        len(made.people), min(groups.values(), default=0), sum(number == 1 for number in groups.values()),
        [labels[name] for name in names],
    )  # fmt: skip
    try:
        _tables, step, k = anonymous(made.tables)
    except StandsOut as error:
        return replace(told, stands_out=str(error))
    return replace(told, coarser=step.words, coarser_k=k)
