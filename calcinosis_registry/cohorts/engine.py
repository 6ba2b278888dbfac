"""What runs the expressions of a dataset: DuckDB in this process, or Spark where REGISTRY_ANALYTICS says so."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from calcinosis_registry.room import NoRoom, nothing_lost, said_of

BATCH = 50_000  # rows at once on their way out
CHANGED = "changed.parquet"
log = logging.getLogger(__name__)


class Engine(Protocol):
    """``dialect``: Ibis's name of the SQL it speaks."""

    dialect: str

    def add(self, name: str, rows: Any) -> None:
        """Make an Arrow table known under a name."""

    def keep(self, name: str, sql: str) -> None:
        """Work an answer out once, for others to use under a name."""

    def open(self, name: str, folder: Path, *, changed: bool) -> None:
        """Make a file of a snapshot known under its name. ``changed``: has it a delta?"""

    def batches(self, sql: str) -> Any:
        """The answer as an Arrow RecordBatchReader."""


def engine() -> Engine:
    if settings.ANALYTICS == "duckdb":
        return Duck()
    if settings.ANALYTICS == "spark":
        return Spark()
    raise ImproperlyConfigured(f"REGISTRY_ANALYTICS is duckdb or spark, not {settings.ANALYTICS!r}.")


class Duck:
    dialect = "duckdb"

    def __init__(self) -> None:
        self._duck = connect()

    def add(self, name: str, rows: Any) -> None:
        self._duck.register("given", rows)
        self._duck.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given')
        self._duck.unregister("given")

    def keep(self, name: str, sql: str) -> None:
        self._duck.execute(f'CREATE TABLE "{name}" AS {sql}')

    def open(self, name: str, folder: Path, *, changed: bool) -> None:
        self._duck.execute(f'CREATE VIEW "{name}" AS {reading(folder, name, changed=changed)}')

    def batches(self, sql: str) -> Any:
        # A cursor of its own: several answers may be read at once.
        return self._duck.cursor().sql(sql).to_arrow_reader(BATCH)


class Spark:
    """PySpark of an installation of its own (requirements.txt does not bring it), local unless configured otherwise."""

    dialect = "pyspark"

    def __init__(self) -> None:
        import ibis  # heavy
        from pyspark.sql import SparkSession  # an optional extra, and heavy

        assert ibis.pyspark  # noqa: S101  loaded once: the compiler of its SQL reads options that this declares
        told = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4"}
        builder = SparkSession.builder.appName("calcinosis registry")
        for name, value in told.items():
            builder = builder.config(name, value)
        self._spark = builder.getOrCreate()

    def add(self, name: str, rows: Any) -> None:
        self._spark.createDataFrame(rows).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> None:
        self._spark.sql(sql).cache().createOrReplaceTempView(name)

    def open(self, name: str, folder: Path, *, changed: bool) -> None:
        self._spark.sql(reading(folder, name, "parquet.`{}`", changed=changed)).createOrReplaceTempView(name)

    def batches(self, sql: str) -> Any:
        import pyarrow as pa

        table: pa.Table = self._spark.sql(sql).toArrow()
        return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(BATCH))


def connect() -> Any:
    """A DuckDB in memory that spills beside the data and fetches nothing from anywhere."""
    import duckdb  # heavy

    told = {
        "memory_limit": settings.ANALYTICS_MEMORY, "temp_directory": str(scratch()), "preserve_insertion_order": True,
        "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    return duckdb.connect(":memory:", config=told)


@contextmanager
def duck() -> Iterator[Any]:
    connection = connect()
    try:
        yield connection
    finally:
        connection.close()


def scratch() -> Path:
    """Where what does not fit into memory is put down for a while."""
    folder = Path(settings.DATA_DIR) / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def reading(folder: Path, name: str, file: str = "read_parquet('{}')", *, changed: bool = True) -> str:
    """SQL for the rows of a file of a snapshot: those of the changed patients stand in its delta."""
    base, delta, keys = (
        file.format(folder / one) for one in (f"{name}.base.parquet", f"{name}.delta.parquet", CHANGED)
    )
    if not changed:
        return f"SELECT * FROM {base}"
    return f"SELECT * FROM {base} WHERE patient NOT IN (SELECT patient FROM {keys}) UNION ALL SELECT * FROM {delta}"


@contextmanager
def room_on_the_disk() -> Iterator[None]:
    """A disk without room is said in words, whoever met it: the file system, or the engine that spills to it.

    Raises NoRoom; what is no matter of room goes on as it is.
    """
    try:
        yield
    except OSError as error:
        log.exception("rows could not be written")
        raise NoRoom(said_of(error)) from error
    except Exception as error:
        duckdb = sys.modules.get("duckdb")  # heavy; it said nothing where it is not loaded
        if duckdb is None or not isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
            raise
        log.exception("rows could not be written")
        raise NoRoom(f"{_('The disk or the memory is full.')} {nothing_lost()}") from error
