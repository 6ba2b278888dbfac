"""Erasing a person: rows, files, drafts, files made for export, and the values in the trail. The chain stays valid.

What stays: that there was a registry number, who read and changed its records when (without what), and who erased it.
The list of erasures is kept outside the database and outside its backups, so that a restored backup can be told.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from calcinosis_registry.audit import trail, witness
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Clinic, Transfer, TransferState
from calcinosis_registry.cohorts import freezing
from calcinosis_registry.cohorts.snapshot import building
from calcinosis_registry.exports.services import exports_of, path_of
from calcinosis_registry.records.drafts import drop_drafts_of
from calcinosis_registry.rights.holdings import holdings
from calcinosis_registry.rights.models import ErasureRequest, PersonalFile
from calcinosis_registry.rights.unfinished import drop_unfinished_registrations
from lesions import staging, storage
from lesions.models import ImagingFile, Lesion
from patients.models import Patient, Visit

REPLAYED = "list of erasures, after a restore"


@dataclass(frozen=True)
class Leftovers:
    """What lies outside the database and goes after the commit."""

    sha256: tuple[str, ...]
    exports: tuple[Path, ...]
    staged_for: int


FIRST = (Patient, Visit, Lesion)  # the order in which a save locks rows


def lock_all(*patients: Patient) -> None:
    """Wait for every save about these persons that is under way, and let none finish before this transaction ends.

    Rows first, then the end of the chain: as a save has them. The patient's own row in the way that does not stop
    others from pointing at it: who is past that point has the chain already, and we wait for them there.
    """
    rows: dict[type[models.Model], set[Any]] = {}
    for patient in patients:
        for model, pks in holdings(patient).items():
            rows.setdefault(model, set()).update(pks)
    for model in sorted(rows, key=lambda one: (FIRST.index(one) if one in FIRST else len(FIRST), one._meta.label)):
        locked: Any = models.QuerySet(model).select_for_update(no_key=model is Patient).filter(pk__in=rows[model])
        list(locked.order_by("pk").values_list("pk"))
    Event.objects.hold()


def erase(*, patient: Patient, entry: dict[str, Any], reason: str) -> Leftovers:
    """Take the person out of the database, in the caller's transaction, and add ``entry`` to the list of erasures.

    Call :func:`remove_leftovers` after the commit. When the transaction fails after this, call :func:`cancel`.
    """
    drop_unfinished_registrations(patient)
    rows, number = holdings(patient), patient.registry_number
    hashes = ImagingFile._base_manager.filter(pk__in=rows.get(ImagingFile, ())).values_list("sha256", flat=True)
    left = Leftovers(
        tuple(sorted(set(hashes) | set(entry.get("files", ())))),
        tuple(path_of(export) for export in exports_of(patient)),
        patient.pk,
    )
    freezing.forget(patient)
    for model, pks in rows.items():
        # Past every rule and every history: an event with the old values would keep what is to go. Keys between the
        # rows are checked at the commit, so their order does not matter.
        models.QuerySet(model).filter(pk__in=pks)._raw_delete("default")  # type: ignore[attr-defined]
    drop_drafts_of(patient.public_id)
    for ledger in (ErasureRequest, PersonalFile):
        models.QuerySet(ledger).filter(registry_number=number).update(reason="")
    moves: Any = models.QuerySet(Transfer).filter(registry_number=number)
    moves.filter(state=TransferState.OFFERED).update(state=TransferState.TAKEN_BACK)
    moves.update(reason="", answer="")
    told = {"rows": sum(map(len, rows.values())), "files": len(left.sha256), **_without_files(entry)}
    # Not into trail.together(): the blanking below needs the event to be there.
    Event.objects.bulk_create([trail.event(Action.ERASE, patient=number, changes=told, reason=reason)])
    Event.objects.blank_erased(number)
    witness.remember_erasure({**entry, "files": list(left.sha256)})
    return left


def _without_files(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name in ("basis", "requested_by", "confirmed_by")}


def entry_of(*, patient: Patient, basis: str, requested_by: str, confirmed_by: str, now: datetime.datetime) -> dict:
    """A line of the list of erasures. Nothing in it tells who the person was."""
    return {
        "at": now.isoformat(), "registry_number": patient.registry_number, "patient": patient.public_id, "basis": basis,
        "requested_by": requested_by, "confirmed_by": confirmed_by,
    }  # fmt: skip


def cancel(entry: dict[str, Any]) -> None:
    """The transaction of an erasure already on the list failed: it did not happen."""
    witness.remember_erasure({"patient": entry["patient"], "cancelled": True})


def remove_leftovers(left: Leftovers) -> None:
    """Files, waiting uploads, exports and snapshots that hold the person; then bytes the database has lying about."""
    root = Path(settings.FILES_DIR)
    with storage.one_at_a_time(root):
        shared = set(ImagingFile.objects.filter(sha256__in=left.sha256).values_list("sha256", flat=True))
        for sha256 in set(left.sha256) - shared:
            storage.remove(sha256, root)
    staging.discard_of(patient_id=left.staged_for, root=root)
    for path in left.exports:
        path.unlink(missing_ok=True)
    building.forget()
    settle_bytes()


def settle_bytes() -> None:
    """SQLite keeps old pages in its write-ahead log until a checkpoint; deleted content itself is overwritten
    (PRAGMA secure_delete)."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass(frozen=True)
class Replayed:
    """``erased``: registry numbers erased anew. ``files``: how many stray files of persons erased before were found."""

    erased: tuple[str, ...]
    files: int


def replay_erasures() -> Replayed:
    """After a restore: erase again whoever was erased since the backup, and keep their numbers from being given anew.

    Safe to repeat. Raises audit.witness.Unreadable when the list was altered.
    """
    erased, files = [], 0
    for entry in standing(witness.erasures()):
        number = entry["registry_number"]
        _never_again(number)
        # The public id too: a number given out after the backup may by now be somebody else's.
        patient = Patient.objects.filter(registry_number=number, public_id=entry["patient"]).first()
        if patient is not None:
            with transaction.atomic():
                left = erase(patient=patient, entry=entry, reason=REPLAYED)
            remove_leftovers(left)
            erased.append(number)
        else:
            files += _stray(entry.get("files", ()))
    if erased:
        settle_bytes()
    return Replayed(tuple(erased), files)


def standing(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each erased person, the newest; without those that were cancelled."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.get("cancelled"):
            found.pop(entry["patient"], None)
        else:
            found[entry["patient"]] = entry
    return list(found.values())


def _stray(hashes: Iterable[str]) -> int:
    """Remove files of an erased person that a backup or a crash brought back."""
    root = Path(settings.FILES_DIR)
    there = {one for one in hashes if storage.path_of(one, root).exists()}
    if not there:
        return 0
    with storage.one_at_a_time(root):
        there -= set(ImagingFile.objects.filter(sha256__in=there).values_list("sha256", flat=True))
        for sha256 in there:
            storage.remove(sha256, root)
    return len(there)


def _never_again(number: str) -> None:
    """A restored counter may be behind: a number once given is not given again."""
    code, _dash, count = number.partition("-")
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().filter(code=code).first()
        if clinic is not None and clinic.next_number <= int(count):
            clinic.next_number = int(count) + 1
            clinic.save()
