"""What is worked out from several records of a patient: incident lesions, outcomes of visits, lesions as signed visits
alone leave them.

The rules are those of lesions/ and are not repeated here: stand-ins with the attributes the rules read go through them.
Incidence and outcome look at every visit, signed or not: a lesion new at a signed visit stays new whatever is signed
besides.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import Lesion, LesionObservation
from lesions.outcome import first_visit, incident_lesions, outcomes

BATCH = 20_000  # patients at once
SETTLED = {
    "signed_current_status": "VARCHAR",
    "signed_ulcerated_now": "BOOLEAN",
    "signed_infected_now": "BOOLEAN",
    "signed_last_area_mm2": "DECIMAL(9, 1)",
    "signed_closed_on": "DATE",
    "signed_merged_into_id": "BIGINT",
}
WORKED_LESION = {"pk": "BIGINT", "patient": "BIGINT", "incident": "BOOLEAN", "signed": "BOOLEAN", **SETTLED}
WORKED_VISIT = {"pk": "BIGINT", "patient": "BIGINT", "outcome": "VARCHAR"}


@dataclass(slots=True)
class AVisit:
    pk: int
    visit_date: datetime.date
    state: str


@dataclass
class ALesion:
    pk: int
    visit_id: int | None
    site: str
    laterality: str
    lineage: str
    first_recorded: datetime.date
    merged_into_id: int | None
    current_status: str = ""
    ulcerated_now: bool = False
    infected_now: bool = False
    last_area_mm2: Decimal | None = None
    closed_on: datetime.date | None = None


@dataclass(slots=True)
class AnObservation:
    lesion_id: int
    visit_id: int
    status_change: str
    observed: str
    ulcerated: str
    infection: str
    area_mm2: Decimal | None
    merged_into_id: int | None
    visit: AVisit

    is_assessed = LesionObservation.is_assessed
    is_infected = LesionObservation.is_infected


@dataclass(slots=True)
class AStudy:
    calcinosis_present: str
    body_region: str
    laterality: str
    study_date: PartialDate | None


def work_out(duck: Any, folder: Path, part: str) -> None:
    """Write the two files of worked out values beside the files of ``part`` ("base" or "delta")."""
    import pyarrow as pa

    of = {name: f"read_parquet('{folder / name}.{part}.parquet')" for name in NAMES}
    bounds = duck.execute(f"SELECT min(patient), max(patient) FROM {of['visit']}").fetchone()
    also = duck.execute(f"SELECT min(patient), max(patient) FROM {of['lesion']}").fetchone()
    known = [one for one in (*bounds, *also) if one is not None]
    lesions: list[tuple[Any, ...]] = []
    visits: list[tuple[Any, ...]] = []
    writers = _Writers(duck, folder, part, pa)
    for start in range(min(known), max(known) + 1, BATCH) if known else ():
        for of_lesions, of_visits in _patients(duck, of, start, start + BATCH):
            lesions += of_lesions
            visits += of_visits
        writers.add(lesions, visits)
        lesions, visits = [], []
    writers.close()


NAMES = ("visit", "lesion", "lesionobservation", "imagingstudy")


def _patients(duck: Any, of: dict[str, str], start: int, end: int) -> Iterator[tuple[list[Any], list[Any]]]:
    within = f"patient >= {start} AND patient < {end}"
    visits, lesions, seen, studies = (defaultdict(list) for _one in range(4))
    days: dict[int, AVisit] = {}
    for patient, *cells in _rows(
        duck, f"patient, pk, visit_date, state FROM {of['visit']} WHERE {within} ORDER BY visit_date, pk"
    ):
        days[cells[0]] = visit = AVisit(*cells)
        visits[patient].append(visit)
    columns = "patient, pk, visit, coalesce(site, ''), coalesce(laterality, ''), coalesce(lineage, '')"
    for patient, *cells in _rows(duck, f"{columns}, first_recorded, merged_into_id FROM {of['lesion']} WHERE {within}"):
        lesions[patient].append(ALesion(*cells))
    text = ", ".join(f"coalesce({name}, '')" for name in ("status_change", "observed", "ulcerated", "infection"))
    for patient, *cells in _rows(
        duck,
        f"patient, lesion_id, visit, {text}, area_mm2, merged_into_id FROM {of['lesionobservation']} WHERE {within}",
    ):
        cells.append(days[cells[1]])
        seen[patient].append(AnObservation(*cells))
    text = ", ".join(f"coalesce({name}, '')" for name in ("calcinosis_present", "body_region", "laterality"))
    for patient, *cells, day in _rows(
        duck, f"patient, {text}, study_date FROM {of['imagingstudy']} WHERE calcinosis_present = 'N' AND {within}"
    ):
        cells.append(None if day is None else PartialDate.parse(day))
        studies[patient].append(AStudy(*cells))
    for patient in sorted(visits.keys() | lesions.keys()):
        yield _patient(patient, visits[patient], lesions[patient], seen[patient], studies[patient])


def _rows(duck: Any, sql: str) -> list[tuple[Any, ...]]:
    return duck.execute(f"SELECT {sql}").fetchall()


def _patient(
    patient: int, visits: list[AVisit], lesions: list[ALesion], seen: list[AnObservation], studies: list[AStudy]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    first = first_visit(visits)
    places = {one.pk: one for one in lesions}
    incident = incident_lesions(first, places, seen, studies)  # type: ignore[arg-type]
    turned_out = outcomes(first, seen, incident)
    by_lesion: dict[int, list[AnObservation]] = defaultdict(list)
    for one in sorted(seen, key=lambda one: (one.visit.visit_date, one.visit_id)):
        if one.visit.state == "SIGNED":
            by_lesion[one.lesion_id].append(one)
    of_lesions = []
    for lesion in lesions:
        Lesion.settle(lesion, by_lesion[lesion.pk])  # type: ignore[arg-type]
        of_lesions.append(
            (
                lesion.pk, patient, lesion.pk in incident, bool(by_lesion[lesion.pk]), lesion.current_status or None,
                bool(lesion.ulcerated_now), bool(lesion.infected_now), lesion.last_area_mm2, lesion.closed_on,
                lesion.merged_into_id,
            )
        )  # fmt: skip
    return of_lesions, [(one.pk, patient, turned_out.get(one.pk)) for one in visits]


class _Writers:
    """Two Parquet files, written batch by batch."""

    def __init__(self, duck: Any, folder: Path, part: str, pa: Any) -> None:
        import pyarrow.parquet as pq

        self._pa = pa
        self._schemas = [_schema(pa, columns) for columns in (WORKED_LESION, WORKED_VISIT)]
        names = ("worked_lesion", "worked_visit")
        self._files = [
            pq.ParquetWriter(folder / f"{name}.{part}.parquet", schema, compression="zstd")
            for name, schema in zip(names, self._schemas, strict=True)
        ]

    def add(self, *tables: list[tuple[Any, ...]]) -> None:
        for rows, schema, file in zip(tables, self._schemas, self._files, strict=True):
            if rows:
                cells = zip(*rows, strict=True)
                arrays = [self._pa.array(some, one.type) for some, one in zip(cells, schema, strict=True)]
                file.write_table(self._pa.table(arrays, schema=schema))

    def close(self) -> None:
        for file in self._files:
            file.close()


def _schema(pa: Any, columns: dict[str, str]) -> Any:
    types = {
        "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "VARCHAR": pa.string(), "DATE": pa.date32(),
        "DECIMAL(9, 1)": pa.decimal128(9, 1),
    }  # fmt: skip
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
