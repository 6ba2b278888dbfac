"""The tables of a dataset as Ibis expressions over the snapshot: the same rows from DuckDB, Spark and others.

One expression per kind of record: the rows of the people, numbered within each, linked by number, dates shifted, ages
top-coded. Columns named ``__…`` are for us: ``__pk`` keeps the order, ``__year_of_<column>`` is the true year behind a
shifted date, for the anonymous profile.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from calcinosis_registry.cohorts.columns import OLDEST_SHOWN, Column, Kind, Rule, every
from calcinosis_registry.cohorts.links import Link, link_tables, links_of, numbered
from calcinosis_registry.cohorts.snapshot.layout import MIDDLE, files, pairs_name
from calcinosis_registry.cohorts.snapshot.worked_out import SETTLED, WORKED_LESION, WORKED_VISIT
from calcinosis_registry.cohorts.structure import Level, levels
from lesions.models import Lesion
from patients import units
from patients.models import Visit, VisitState

PEOPLE = {"person": "int64", "patient_name": "string", "clinic_name": "string", "shift": "int64"}
YEAR = "__year_of_"


@lru_cache(maxsize=2000)
def sql(table: str, dialect: str, wanted: frozenset[str], *, all_visits: bool) -> str:
    """The SQL of these columns of a table of the dataset. Kept: compiling costs more than a small answer."""
    import ibis  # heavy

    made = _tables()[table]
    rows = _pairs(made) if isinstance(made, Link) else _level(made, wanted, all_visits=all_visits)
    return str(ibis.to_sql(rows, dialect=dialect))


@cache
def _tables() -> dict[str, Level | Link]:
    found: dict[str, Level | Link] = {level.table: level for level in levels().values()}
    return found | {pairs_table(link): link for link in link_tables()}


def pairs_table(link: Link) -> str:
    return f"{link.source.table}_{link.target.table}"


def _file(name: str) -> Any:
    """A file of the snapshot, as the engine will know it."""
    import ibis

    worked = {"worked_lesion": WORKED_LESION, "worked_visit": WORKED_VISIT}
    schema = worked[name] if name in worked else files()[name].schema
    types = {"BIGINT": "int64", "VARCHAR": "string", "DATE": "date", "BOOLEAN": "boolean"}
    return ibis.table({key: types.get(kind) or kind.lower() for key, kind in schema.items()}, name=name)


def _people() -> Any:
    import ibis

    return ibis.table(PEOPLE, name="people")


def _rows(level: Level) -> Any:
    """The rows of the people, with their names and shift."""
    return _file(level.kind).join(_people(), [("patient", "person")])


NUMBERS = {"numbered": "int64", "number": "int64", "is_exported": "boolean"}


@cache
def numbering(kind: str, dialect: str, *, all_visits: bool) -> str:
    """The SQL of the numbers of a kind's rows, to be kept under ``numbers_of(kind)``.

    Rows left out have their number too, so signing moves none.
    """
    import ibis

    level = levels()[kind]
    rows = _rows(level)
    order = [rows.visit_date, rows.pk] if level.model is Visit else [rows.pk]
    number = ibis.row_number().over(group_by=rows.patient, order_by=order) + 1
    number = rows.number if level.model is Lesion else number.cast("int64")
    found = rows.select(numbered=rows.pk, number=number)
    if all_visits:
        return str(ibis.to_sql(found.mutate(is_exported=True), dialect=dialect))
    kept = _signed(level, _file(kind)).select(kept="pk")
    found = found.left_join(kept, [("numbered", "kept")])
    found = found.select("numbered", "number", is_exported=found.kept.notnull())
    return str(ibis.to_sql(found, dialect=dialect))


def numbers_of(kind: str) -> str:
    return f"numbers_of_{kind}"


def _numbers(level: Level, *, exported: bool, **names: str) -> Any:
    """The numbers of a kind's rows, its columns under names of their own."""
    import ibis

    rows = ibis.table(NUMBERS, name=numbers_of(level.kind))
    rows = rows.filter(rows.is_exported) if exported else rows
    return rows.select(**{ours: rows[theirs] for ours, theirs in names.items()})


def _signed(level: Level, rows: Any) -> Any:
    """Level.signed() over the snapshot: rows that do not belong to an unsigned visit."""
    if level.model is Visit:
        return rows.filter(rows.state == VisitState.SIGNED.value)
    if not level.visit:
        return rows
    visits = _file("visit")
    signed = visits.filter(visits.state == VisitState.SIGNED.value).select(signed_visit="pk")
    rows = rows.left_join(signed, [("visit", "signed_visit")])
    settled = rows.visit.isnull() | rows.signed_visit.notnull()
    if level.model is Lesion:
        worked = _file("worked_lesion")
        rows = rows.left_join(worked.filter(worked.signed).select(seen="pk"), [("pk", "seen")])
        settled = rows.visit.isnull() | rows.signed_visit.notnull() | rows.seen.notnull()
    return rows.filter(settled)


def _level(level: Level, wanted: frozenset[str], *, all_visits: bool) -> Any:
    """The keys that order the rows, and what is ``wanted`` beside them: nothing else is read or joined."""
    rows = _rows(level)
    rows = rows if all_visits else _signed(level, rows)
    settled = level.model is Lesion and not all_visits
    rows = _worked_out(level, rows)
    if level.kind in numbered():
        own = _numbers(level, exported=False, own_pk="numbered", own_number="number")
        rows = rows.join(own, [("pk", "own_pk")])
    for link in (one for one in links_of(level) if one.name in wanted):
        key, number = f"pk_of_{link.name}", f"linked_{link.name}"
        theirs = _numbers(link.target, exported=True, **{key: "numbered", number: "number"})
        named = f"signed_{link.attname}"
        rows = rows.left_join(theirs, [(named if settled and named in SETTLED else link.attname, key)])
    order = ["patient"] + ([level.number] if level.kind in numbered() else [])
    made = {
        one.name: cell(one, rows, settled=settled) for one in every(level) if one.name in wanted or one.name in order
    }
    dates = [one for one in every(level) if one.kind is Kind.DATE and f"{YEAR}{one.name}" in wanted]
    made |= {f"{YEAR}{one.name}": _year(one, rows, settled=settled) for one in dates}
    return rows.select(**made, __pk=rows.pk).order_by([*order, "__pk"])


def _worked_out(level: Level, rows: Any) -> Any:
    """Beside the rows: what was worked out from several records, and the birth date where ages need it."""
    if level.model is Visit:
        patients, worked = _file("patient"), _file("worked_visit")
        born = patients.select(f"birth_date{MIDDLE}", born_pk="pk")
        rows = rows.left_join(born, [("patient", "born_pk")])
        return rows.left_join(worked.select(worked_pk=worked.pk, outcome=worked.outcome), [("pk", "worked_pk")])
    if level.model is Lesion:
        worked = _file("worked_lesion").select("incident", *SETTLED, worked_pk="pk")
        return rows.left_join(worked, [("pk", "worked_pk")])
    return rows


def _pairs(link: Link) -> Any:
    """Which lesions a record is about: one row per pair."""
    ours = _numbers(link.source, exported=True, our_pk="numbered", our_number="number")
    theirs = _numbers(link.target, exported=True, their_pk="numbered", their_number="number")
    rows = _file(pairs_name(link)).join(_people(), [("patient", "person")])
    rows = rows.join(ours, [("source", "our_pk")]).join(theirs, [("target", "their_pk")])
    named = {link.source.number: rows.our_number, link.target.number: rows.their_number}
    return rows.select(patient=rows.patient_name, **named, __pk=rows.pk).order_by(["patient", *named])


# ---- cells


def cell(column: Column, rows: Any, *, settled: bool) -> Any:
    """The value of a column, from the stored values of its row."""
    if column.rule is Rule.PATIENT:
        return rows.patient_name
    if column.rule is Rule.CLINIC:
        return rows.clinic_name
    if column.rule is Rule.NUMBER:
        return rows.own_number
    if column.rule is Rule.LINK:
        return rows[f"linked_{column.name}"]
    if column.rule in (Rule.AGE, Rule.VERY_OLD):
        return _age(column, rows)
    if column.rule in (Rule.DATE, Rule.EARLIEST, Rule.LATEST, Rule.PRECISION):
        return _dated(column, rows, settled=settled)
    if column.rule is Rule.UNIT:
        return _unit(rows.analyte)
    value = _stored(column, rows, settled=settled)
    if column.kind in (Kind.BOOLEAN, Kind.INTEGER):
        return value.cast("int64")
    return value.cast("float64") if column.kind is Kind.DECIMAL and not column.digits else value


def _unit(analyte: Any) -> Any:
    import ibis

    known = [(code, one.ucum) for code, one in units.ANALYTES.items()]
    return ibis.cases(*[(analyte == code, unit) for code, unit in known], else_=None)


def _dated(column: Column, rows: Any, *, settled: bool) -> Any:
    if column.rule is Rule.DATE:
        return _shifted(_stored(column, rows, settled=settled), rows)
    return _precision(rows, column) if column.rule is Rule.PRECISION else _interval(rows, column)


def _shifted(day: Any, rows: Any) -> Any:
    return (day - rows.shift.as_interval("D")).cast("date")


def _precision(rows: Any, column: Column) -> Any:
    import ibis

    text = rows[column.paths[0]]
    known = [(text.length() == length, word) for length, word in ((10, "day"), (7, "month"), (4, "year"))]
    return ibis.cases((text == "unknown", "unknown"), *known, else_=None)  # "unknown" is as long as a month


def _days_later(day: Any, days: Any) -> Any:
    import ibis

    interval = ibis.interval(days=days) if isinstance(days, int) else days.cast("int64").as_interval("D")
    return (day + interval).cast("date")


def _last_of(day: Any, unit: str) -> Any:
    """The last day of its month ("M") or year ("Y")."""
    beyond = 31 if unit == "M" else 366
    return _days_later(_days_later(day.truncate(unit).cast("date"), beyond).truncate(unit).cast("date"), -1)


def _interval(rows: Any, column: Column) -> Any:
    """A full date moves exactly. Of a month or a year the middle moves and is cut to the same precision again: an
    interval moved as it is would begin on the day of the shift and so tell it."""
    import ibis

    length, middle = rows[column.paths[0]].length(), _shifted(rows[column.paths[0] + MIDDLE], rows)
    if column.rule is Rule.LATEST:
        month, year = _last_of(middle, "M"), _last_of(middle, "Y")
    else:
        month, year = middle.truncate("M").cast("date"), middle.truncate("Y").cast("date")
    return ibis.cases((length == 7, month), (length == 4, year), else_=middle)


def _age(column: Column, rows: Any) -> Any:
    """Completed years; from the middle of the interval where the birth date is partial."""
    import ibis

    born, day = rows[f"birth_date{MIDDLE}"], rows[column.paths[1]]
    before = (day.month() * 100 + day.day()) < (born.month() * 100 + born.day())
    years = (day.year() - born.year() - before.cast("int64")).cast("int64")
    if column.rule is Rule.VERY_OLD:
        return (years >= OLDEST_SHOWN).cast("int64")
    return ibis.cases((years >= OLDEST_SHOWN, ibis.literal(OLDEST_SHOWN, "int64")), else_=years)


def _year(column: Column, rows: Any, *, settled: bool) -> Any:
    """The true year of a date, or of the interval it lies in."""
    of_a_day = column.rule is Rule.DATE
    value = _stored(column, rows, settled=settled) if of_a_day else rows[column.paths[0] + MIDDLE]
    return value.year().cast("int64")


def _stored(column: Column, rows: Any, *, settled: bool) -> Any:
    """``settled``: what is maintained on a lesion as its signed visits alone leave it."""
    name = column.paths[0]
    return rows[f"signed_{name}"] if settled and name in Lesion.MAINTAINED else rows[name]
