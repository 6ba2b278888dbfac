"""Making a snapshot: whole, or the changed patients' rows beside what is there; in a new folder that is then renamed.

snapshot/<name>/<file>.base.parquet    every patient's rows when it was made whole
               /<file>.delta.parquet   the rows of the patients in changed.parquet, which those in base no longer count
               /meta.json              moment, place in the chain, rows
snapshot/current -> <name>
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from calcinosis_registry.cohorts import engine
from calcinosis_registry.cohorts.engine import CHANGED
from calcinosis_registry.cohorts.snapshot import changes
from calcinosis_registry.cohorts.snapshot.layout import Stored, files, fingerprint
from calcinosis_registry.cohorts.snapshot.reading import Reader, one_moment
from calcinosis_registry.cohorts.snapshot.worked_out import WORKED_LESION, WORKED_VISIT, work_out
from patients.models import Patient

MAKING = ".making-"
CHUNK = 5000  # patients asked for at once
SHARE = 5  # a whole build when more than one patient in so many changed
WORKED = {"worked_lesion": WORKED_LESION, "worked_visit": WORKED_VISIT}

Tell = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


@dataclass(frozen=True)
class Snapshot:
    """A finished snapshot. ``event``, ``seal``: the end of the chain it was read at."""

    folder: Path
    at: str
    event: int
    seal: str
    fingerprint: str
    patients: int
    changed: int = 0
    seconds: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)

    def tables(self) -> dict[str, dict[str, str]]:
        """{file: {column: type}}."""
        return {name: stored.schema for name, stored in files().items()} | WORKED


def root() -> Path:
    return Path(settings.SNAPSHOT_DIR)


def current() -> Snapshot | None:
    """The newest finished one that this version can read."""
    link = root() / "current"
    try:
        folder = link.resolve(strict=True)
        told = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Snapshot(folder, **told) if told.get("fingerprint") == fingerprint() else None


def nothing(*_told: Any) -> None:
    """Told to nobody."""


def fresh(tell: Tell = nothing) -> Snapshot:
    """A snapshot that misses nothing saved before this call; built, or added to, when there is none."""
    there = current()
    if there is not None and not changes.since(there.event, there.seal):
        return there
    return build(tell=tell)


def build(*, whole: bool = False, tell: Tell = nothing) -> Snapshot:
    """One at a time; who waited takes what the other made when that is new enough.

    Raises NoRoom; then the one before stays.
    """
    with engine.room_on_the_disk(), _alone():
        for left in root().glob(f"{MAKING}*"):  # of a build that was killed
            shutil.rmtree(left, ignore_errors=True)
        before = None if whole else current()
        if before is not None and not changes.since(before.event, before.seal):
            return before
        making = root() / f"{MAKING}{secrets.token_hex(4)}"
        making.mkdir(mode=0o700)
        try:
            made = _write(making, before, tell)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        _publish(made)
        sweep()
    return made


@contextmanager
def _alone() -> Iterator[None]:
    root().mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root() / "building.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _write(making: Path, before: Snapshot | None, tell: Tell) -> Snapshot:
    started, at = time.monotonic(), timezone.now().isoformat()
    with engine.duck() as duck, one_moment() as reader:
        event, seal = reader.head()
        # Asked after the moment of the rows is set: a change in between is told too often rather than not at all.
        changed = _changed(before) if before is not None else None
        if changed is None or before is None:
            rows, number = _whole(duck, reader, making, tell), 0
        else:
            for path in before.folder.glob("*.base.parquet"):
                os.link(path, making / path.name)
            rows, number = _delta(duck, reader, making, changed, tell), len(changed)
            rows = before.rows | {f"{name}.delta": count for name, count in rows.items()}
        _write_changed(making, changed or [])
        patients = duck.execute(f"SELECT count(*) FROM ({engine.reading(making, 'patient')})").fetchone()[0]
    took = round(time.monotonic() - started, 2)
    made = Snapshot(making, at, event, seal, fingerprint(), patients, number, took, rows)
    meta = {name: value for name, value in asdict(made).items() if name != "folder"}
    (making / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return made


def _changed(before: Snapshot) -> list[int] | None:
    """The keys of the patients whose rows are read anew, those changed earlier too; None for a whole build."""
    told = changes.since(before.event, before.seal)
    if told.whole:
        return None
    with engine.duck() as duck:
        earlier = duck.execute(f"SELECT patient FROM read_parquet('{before.folder / CHANGED}')").fetchall()
        known = f"SELECT pk FROM ({engine.reading(before.folder, 'patient')}) WHERE list_contains(?, registry_number)"
        gone = duck.execute(known, [sorted(told.numbers)]).fetchall()  # an erased patient is known to the old one only
    keys = {one for (one,) in [*earlier, *gone]}
    numbers = sorted(told.numbers)
    for start in range(0, len(numbers), CHUNK):
        some = Patient.objects.filter(registry_number__in=numbers[start : start + CHUNK])
        keys.update(some.values_list("pk", flat=True))
    return None if len(keys) * SHARE > before.patients and len(keys) > CHUNK else sorted(keys)


def _whole(duck: Any, reader: Reader, folder: Path, tell: Tell) -> dict[str, int]:
    rows = {}
    for place, (name, stored) in enumerate(files().items()):
        tell(name, place, len(files()) + 1)
        rows[name] = _copy(duck, reader.rows(stored, ""), stored, folder / f"{name}.base.parquet")
    tell("worked out values", len(files()), len(files()) + 1)
    work_out(duck, folder, "base")
    for name, schema in _every():
        _empty(duck, schema, folder / f"{name}.delta.parquet")
    return rows


def _delta(duck: Any, reader: Reader, folder: Path, changed: list[int], tell: Tell) -> dict[str, int]:
    rows = {}
    for place, (name, stored) in enumerate(files().items()):
        tell(name, place, len(files()) + 1)
        parts = [changed[start : start + CHUNK] for start in range(0, len(changed), CHUNK)] or [[0]]
        paths = []
        rows[name] = 0
        for number, some in enumerate(parts):
            keys = ", ".join(map(str, some))
            paths.append(folder / f"{name}.{number}.part")
            answer = reader.rows(stored, f"WHERE {stored.patient} IN ({keys})")
            rows[name] += _copy(duck, answer, stored, paths[-1])
        target = folder / f"{name}.delta.parquet"
        if len(paths) == 1:
            paths[0].rename(target)
        else:
            listed = ", ".join(f"'{path}'" for path in paths)
            duck.execute(f"COPY (SELECT * FROM read_parquet([{listed}])) TO '{target}' (FORMAT parquet)")
            for path in paths:
                path.unlink()
    tell("worked out values", len(files()), len(files()) + 1)
    work_out(duck, folder, "delta")
    return rows


def _copy(duck: Any, answer: Any, stored: Stored, target: Path) -> int:
    """Write an answer as Parquet in its own types; the number of rows."""
    duck.register("answer", answer)
    cells = ", ".join(cell.write() for cell in stored.cells)
    sql = f"COPY (SELECT {cells} FROM answer WHERE pk > 0) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    count = duck.execute(sql).fetchone()[0]
    duck.unregister("answer")
    return int(count)


def _every() -> Iterable[tuple[str, dict[str, str]]]:
    yield from ((name, stored.schema) for name, stored in files().items())
    yield from WORKED.items()


def _empty(duck: Any, schema: dict[str, str], target: Path) -> None:
    cells = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in schema.items())
    duck.execute(f"COPY (SELECT {cells} WHERE false) TO '{target}' (FORMAT parquet)")


def _write_changed(folder: Path, keys: list[int]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"patient": pa.array(keys, pa.int64())}), folder / CHANGED)


def _publish(made: Snapshot) -> None:
    """The folder gets its name, then the link its new end: a reader finds the old one or the new one whole."""
    named = root() / f"{timezone.now():%Y%m%dT%H%M%S}-{made.event}-{secrets.token_hex(4)}"
    link = root() / f".current-{secrets.token_hex(4)}"
    try:
        made.folder.rename(named)
        link.symlink_to(named.name)
        link.replace(root() / "current")
    except OSError:  # a disk without room must not lose more of it to what nobody can read
        link.unlink(missing_ok=True)
        for folder in (made.folder, named):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    object.__setattr__(made, "folder", named)


class Kept:
    """Keeps a snapshot's folder while it lives: a lock on a file of it, that ends with the process at the latest."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._handle = os.open(snapshot.folder / CHANGED, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)


def hold(tell: Tell = nothing) -> tuple[Snapshot, Kept]:
    """A fresh snapshot, and what keeps it."""
    while True:
        snapshot = fresh(tell)
        with suppress(FileNotFoundError):
            kept = Kept(snapshot)
            if (snapshot.folder / "meta.json").exists():
                return snapshot, kept


def sweep() -> int:
    """Remove the snapshots nobody reads any more but the current one; how many."""
    kept, gone = (root() / "current").resolve(), 0
    for folder in [one for one in root().iterdir() if one.is_dir() and not one.is_symlink() and one != kept]:
        with suppress(OSError), (folder / CHANGED).open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
            gone += 1
    return gone


def forget() -> None:
    """Remove every snapshot, also one that is being read: a person was erased. The next dataset makes a new one."""
    if not root().exists():
        return
    with _alone():
        for one in root().iterdir():
            if one.is_symlink():
                one.unlink()
            elif one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
