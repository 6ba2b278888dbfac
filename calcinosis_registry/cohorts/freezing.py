"""Frozen cohorts: the rows as they were, with the words of their columns, kept in the database (docs/decisions/0021).

Kept are the coded tables and the true years behind shifted dates, so both profiles come out of it. A later edit, a new
version, a changed question or codebook change nothing. A consent that ends takes the patient out of every later file;
an erasure takes the rows themselves.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry import __version__
from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.codebook.catalogue import Entry
from calcinosis_registry.codebook.items import codebook_models, item_fields, item_key
from calcinosis_registry.cohorts import dataset as datasets
from calcinosis_registry.cohorts.builder import describe
from calcinosis_registry.cohorts.columns import Column, Kind, Rule
from calcinosis_registry.cohorts.dataset import (
    Dataset,
    Person,
    Table,
    coarse,
    people_of,
    population,
    shown,
    why_not_taken,
)
from calcinosis_registry.cohorts.engine import BATCH
from calcinosis_registry.cohorts.models import Cohort, Freeze, FrozenPatient, FrozenTable
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.scope import Scope, scope_of
from patients.models import Patient


def freeze(*, cohort: Cohort, label: str, by: User, all_visits: bool = False) -> Freeze:
    """Keep the cohort's rows as they are now. Raises ValidationError when the person may not take coded rows."""
    if refusal := why_not_taken(by, cohort.project):
        raise ValidationError(refusal)
    if not label.strip():
        raise ValidationError(_("Give the frozen rows a label. Nothing was frozen."))
    assert cohort.project is not None  # noqa: S101  why_not_taken refuses without one
    everything = replace(scope_of(by, cohort.project), items=None)  # a project's items may be widened later
    made = datasets.build(definition=cohort.definition, scope=everything, include_text=True, all_visits=all_visits)
    frozen = Freeze(
        cohort=cohort, project=cohort.project, label=label.strip(), definition=cohort.definition,
        in_words=describe(cohort.definition), all_visits=all_visits, as_of=made.as_of, patients=len(made.people),
        version=__version__, created_by=by, created_at=timezone.now(),
    )  # fmt: skip
    contents = {name: _parquet(table) for name, table in made.tables.items()}
    frozen.tables = [_told(table) for table in made.tables.values()]
    frozen.sha256 = _checksum(contents)
    frozen.full_clean()
    with trail.together():
        frozen.save()
        FrozenTable.objects.bulk_create(
            [FrozenTable(freeze=frozen, name=name, content=content) for name, content in contents.items()]
        )
        FrozenPatient.objects.bulk_create(
            [FrozenPatient(freeze=frozen, patient_id=one.pk) for one in made.people], batch_size=1000
        )
    return frozen


def unfreeze(*, frozen: Freeze, by: User) -> None:
    """Let the rows go; that there was a freeze, and its checksum, stays. Raises ValidationError."""
    if by.pk not in (frozen.created_by_id, frozen.cohort.owner_id):
        raise ValidationError(_("Only who froze it, or whose cohort it is, lets it go."))
    if frozen.ended_at is not None:
        raise ValidationError(_("These rows were let go already."))
    with trail.together():
        frozen.ended_at = timezone.now()
        frozen.save()
        FrozenTable.objects.filter(freeze=frozen).delete()
        FrozenPatient.objects.filter(freeze=frozen).delete()


def thawed(*, frozen: Freeze, scope: Scope, include_text: bool = False, anonymous: bool = False) -> Dataset:
    """The dataset as it was frozen, without those who do not consent any more. Raises StandsOut when ``anonymous``."""
    held = Patient.objects.filter(pk__in=FrozenPatient.objects.filter(freeze=frozen).values("patient"))
    people = people_of(held & population(scope), scope, anonymous=anonymous)
    tables = shown(_tables(frozen, people), scope, include_text=include_text)
    made = Dataset(tables, people, include_text, frozen.all_visits, frozen.as_of)
    made = replace(made, withdrawn=frozen.patients - len(people))
    return coarse(made) if anonymous else made


def forget(patient: Patient) -> None:
    """Take an erased person's rows out of every frozen cohort: called before the rows that say who is in them go."""
    for frozen in Freeze.objects.filter(pk__in=FrozenPatient.objects.filter(patient=patient).values("freeze")):
        name = Cipher(settings.PSEUDONYM_KEY, frozen.project.public_id).patient(patient.public_id)
        for kept in FrozenTable.objects.filter(freeze=frozen):
            import pyarrow.compute as pc  # heavy

            rows = _read(bytes(kept.content))
            kept.content = _packed(rows.filter(pc.not_equal(rows["patient"], name)))
            kept.save(update_fields=["content"])


# ---- rows


def _parquet(table: Table) -> bytes:
    import pyarrow as pa

    hidden = [f"__year_of_{one.name}" for one in table.columns if one.kind is Kind.DATE]
    names = [*table.header, *hidden]
    answer = table.read(names)
    rows = pa.Table.from_batches(
        [batch.select(names) for batch in answer], answer.schema.empty_table().select(names).schema
    )
    return _packed(rows)


def _packed(rows: Any) -> bytes:
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def _read(content: bytes) -> Any:
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(content))


def _tables(frozen: Freeze, people: Sequence[Person]) -> Iterator[Table]:
    items = {item_key(field): field for model in codebook_models() for field in item_fields(model)}
    for told in frozen.tables:
        columns = tuple(_column(one, items) for one in told["columns"])
        yield Table(told["name"], told["label"], columns, _reader(frozen, told["name"], people), tuple(told["kinds"]))


def _reader(frozen: Freeze, name: str, people: Sequence[Person]) -> datasets.Read:
    """Reads the rows of those who still consent, under the names of this dataset, in their order."""

    def read(columns: Sequence[str]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = _read(bytes(FrozenTable.objects.get(freeze=frozen, name=name).content))
        places = pc.index_in(rows["patient"], pa.array([one.coded for one in people], pa.string()))
        rows = rows.append_column("__place", places).filter(pc.is_valid(places))
        for column, said in (("patient", "pseudonym"), ("clinic", "clinic")):
            if column in rows.column_names:
                names = pa.array([getattr(one, said) for one in people], pa.string())
                place = rows.column_names.index(column)
                rows = rows.set_column(place, column, names.take(rows["__place"].combine_chunks()))
        rows = rows.take(pc.sort_indices(rows, [("__place", "ascending")]))
        return rows.select(list(columns)).to_reader(BATCH)

    return read


def _checksum(contents: dict[str, bytes]) -> str:
    """Of the values as CSV, which no version of a library writes otherwise."""
    import pyarrow.csv

    total = hashlib.sha256()
    for name in sorted(contents):
        sink = io.BytesIO()
        pyarrow.csv.write_csv(_read(contents[name]), sink)
        total.update(name.encode() + b"\0" + hashlib.sha256(sink.getvalue()).digest())
    return total.hexdigest()


# ---- the words of a column


def _told(table: Table) -> dict[str, Any]:
    return {
        "name": table.name, "label": table.label, "kinds": list(table.kinds),
        "columns": [_words(column) for column in table.columns],
    }  # fmt: skip


def _words(column: Column) -> dict[str, Any]:
    told = {
        "name": column.name, "label": str(column.label), "paths": list(column.paths), "rule": column.rule.value,
        "kind": column.kind.value, "unit": str(column.unit), "codes": [list(map(str, one)) for one in column.codes],
        "digits": column.digits, "missing": str(column.missing), "calculated": column.calculated,
    }  # fmt: skip
    about = column.about
    return told | {
        "told": {name: value if isinstance(value, bool) else _plain(value) for name, value in asdict(about).items()}
        if about
        else None
    }


def _plain(value: Any) -> Any:
    return [list(map(str, one)) for one in value] if isinstance(value, tuple) else str(value)


def _column(words: dict[str, Any], items: dict[str, Any]) -> Column:
    told = words["told"]
    about = Entry(**(told | {"codes": _pairs(told["codes"])})) if told else None
    return Column(
        words["name"], words["label"], tuple(words["paths"]), Rule(words["rule"]), Kind(words["kind"]),
        field=items.get(about.key) if about else None, unit=words["unit"], codes=_pairs(words["codes"]),
        digits=tuple(words["digits"]) if words["digits"] else None, missing=words["missing"],
        calculated=words["calculated"], told=about,
    )  # fmt: skip


def _pairs(codes: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((code, label) for code, label in codes)
