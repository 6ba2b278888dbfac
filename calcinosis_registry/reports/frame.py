"""The columns of a dataset that reports are counted from, in memory: the very rows an export of the cohort holds."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from calcinosis_registry.cohorts.dataset import Dataset, Table
from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.exhibits import OutOfScope

if TYPE_CHECKING:
    import pyarrow

YEAR = 365.25
P = ParamSpec("P")
R = TypeVar("R")

# What is read; everything else of the dataset stays where it is.
NEEDED: dict[str, tuple[str, ...]] = {
    "patients": (
        "clinic", "registered_on", "age_at_registration", "sex_at_birth", "smoking", "status", "death_date_earliest",
        "death_date_latest",
    ),
    "diagnoses": (
        "primary_ctd", "ssc_subset", "aetiology_subtype", "first_non_raynaud_earliest", "first_non_raynaud_latest",
        "first_calcinosis_earliest", "first_calcinosis_latest", "ever_digital_ulcer", "ever_acro_osteolysis",
        "ever_osteoporosis",
    ),
    "visits": (
        "visit_no", "visit_date", "visit_type", "outcome", "pain_nrs", "patient_global", "physician_global",
        "global_change",
    ),
    "lesions": (
        "lesion_no", "visit_no", "parent_lesion_no", "incident", "number", "site", "laterality", "lesion_kind",
        "visibility", "ssc_xray_morphology", "ssc_clinical_morphology", "mdi_types", "lineage", "first_recorded",
        "current_status", "ulcerated_now", "closed_on",
    ),
    "observations": (
        "visit_no", "lesion_no", "status_change", "ulcerated", "drainage", "infection", "tenderness", "consistency",
        "area_mm2", "size_method",
    ),
    "treatments": (
        "treatment_no", "agent", "intent", "route", "start_earliest", "start_latest", "stop_earliest", "stop_latest",
        "ongoing", "reason_stopped", "response",
    ),
    "treatments_lesions": ("treatment_no", "lesion_no"),
    "adverse_events": ("treatment_no", "procedure_no", "grade", "serious", "relatedness"),
    "imaging": ("imaging_no", "study_date_earliest", "study_date_latest"),
    "hand_scores": ("imaging_no", "instrument_version", "read_number", "total", "complete", "reading_kind"),
}  # fmt: skip


EPOCH = datetime.date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Columns:
    """One table: ``patient`` is the place of each row's patient; rows of a patient stand together.

    A column that the dataset does not have is no missing value: asking for it raises OutOfScope.
    """

    patient: Array
    cells: Mapping[str, pyarrow.ChunkedArray]
    lists: dict[str, list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.patient)

    def _of(self, name: str) -> pyarrow.ChunkedArray:
        if name not in self.cells:
            raise OutOfScope(name)
        return self.cells[name]

    def __getitem__(self, name: str) -> list[Any]:
        """The values as Python has them, None where there is none. Made once: rows are asked for one by one."""
        if name not in self.lists:
            self.lists[name] = self._of(name).to_pylist()
        return self.lists[name]

    def numbers(self, name: str) -> Array:
        """Numbers; NaN where there is none. Of a decimal its own digits: a cast may make 49.00000000000001 of 49."""
        column = self._of(name)
        found = column.cast("float64").to_numpy()
        return np.round(found, column.type.scale) if hasattr(column.type, "scale") else found

    def days(self, name: str) -> Array:
        """Dates as days since the year 1; NaN where there is none."""
        return self._of(name).cast("int32").cast("float64").to_numpy() + EPOCH

    def middles(self, name: str) -> Array:
        """Partial dates by the middle of what is known."""
        return (self.days(f"{name}_earliest") + self.days(f"{name}_latest")) / 2

    def codes(self, name: str) -> Array:
        """A number for each code, -1 where there is none."""
        found = self._of(name).combine_chunks().dictionary_encode().indices
        return found.fill_null(-1).to_numpy(zero_copy_only=False)

    def isin(self, name: str, *codes: str | int | None) -> Array:
        """Is the code one of these? None among them asks for no answer."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self._of(name)
        return pc.is_in(column, value_set=pa.array(codes, column.type)).to_numpy()


@dataclass(frozen=True)
class Frame:
    """``patients``: pseudonyms in the dataset's order; a patient is called by the place there. ``keys``: of each.

    ``worked``: what several chapters ask of the same columns, worked out once.
    """

    patients: tuple[str, ...]
    tables: Mapping[str, Columns]
    keys: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    worked: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, table: str) -> Columns:
        if table not in self.tables:
            raise OutOfScope(table)
        return self.tables[table]


def worked_once(make: Callable[Concatenate[Frame, P], R]) -> Callable[Concatenate[Frame, P], R]:
    """Of one frame worked out once; nobody writes into what it gives."""

    @wraps(make)
    def found(data: Frame, *args: P.args, **kwargs: P.kwargs) -> R:
        name = (make, args, tuple(kwargs.items()))
        if name not in data.worked:
            data.worked[name] = make(data, *args, **kwargs)
        return data.worked[name]

    return found


def frame(dataset: Dataset, also: Mapping[str, Sequence[str]] | None = None) -> Frame:
    """Read what reports need, and ``also``: {table: columns} of what somebody asked to group by."""
    import pyarrow as pa  # heavy

    patients = tuple(person.pseudonym for person in dataset.people)
    known = pa.array(patients, pa.string())
    tables = {
        name: _columns(dataset.tables[name], dict.fromkeys((*NEEDED.get(name, ()), *(also or {}).get(name, ()))), known)
        for name in {**NEEDED, **(also or {})}
        if name in dataset.tables
    }
    return Frame(patients, tables, np.array([person.pk for person in dataset.people], np.int64))


def _columns(table: Table, wanted: Mapping[str, None], patients: Any) -> Columns:
    """Just these columns, as Arrow: numbers and dates never become Python's one by one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    types = {field.name: field.type for field in table.schema}
    names = [name for name in wanted if name in types]
    # A reader gives the columns it likes to, in the form of the snapshot: name and type are the table's.
    read = table.read(["patient", *names]).read_all().select(["patient", *names])
    read = read.cast(pa.schema([(name, types[name]) for name in ("patient", *names)]))
    whose = pc.index_in(read["patient"], value_set=patients).to_numpy().astype(np.int64)
    return Columns(whose, {name: read[name] for name in names})
