"""Making, opening and forgetting export files. The event is written before the first byte leaves."""

from __future__ import annotations

import datetime
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from calcinosis_registry import __version__
from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.cohorts.anonymous import StandsOut
from calcinosis_registry.cohorts.builder import DefinitionError, describe
from calcinosis_registry.cohorts.dataset import Dataset, build, smallest_group, why_not_taken
from calcinosis_registry.cohorts.engine import room_on_the_disk
from calcinosis_registry.cohorts.freezing import thawed
from calcinosis_registry.cohorts.models import Cohort, Freeze, ResearchProject
from calcinosis_registry.cohorts.pseudonyms import Cipher
from calcinosis_registry.cohorts.scope import Scope, scope_of
from calcinosis_registry.cohorts.snapshot.building import Tell, nothing
from calcinosis_registry.exports import package, pictures
from calcinosis_registry.exports.consent import all_consent, holds_a_withdrawn
from calcinosis_registry.exports.models import KEPT, Export, ExportedPatient, Profile
from calcinosis_registry.exports.writers import FORMATS
from calcinosis_registry.room import NoRoom
from patients.models import Patient

MAKING = "making-"


class ExportRefused(Exception):
    """Why no file is made, in one sentence."""


def make_export(
    *, cohort: Cohort, project: ResearchProject | None, format: str, reason: str, by: User, now: datetime.datetime,
    profile: str = Profile.CODED, include_text: bool = False, include_images: bool = False, all_visits: bool = False,
    freeze: Freeze | None = None, job: str = "", tell: Tell = nothing,
) -> Export:  # fmt: skip
    """Build the zip, then ledger, people and event in one transaction. Raises ExportRefused; then nothing is left."""
    check(by, project, format, profile, reason, include_text=include_text, include_images=include_images, freeze=freeze)
    assert project is not None  # noqa: S101  check refuses without one
    sweep(now=now)
    export = Export(
        cohort=cohort, project=project, format=format, profile=profile, reason=reason, include_text=include_text,
        all_visits=freeze.all_visits if freeze else all_visits, created_by=by, created_at=now, freeze=freeze,
        job=job, include_images=include_images,
    )  # fmt: skip
    with _in_words(), room_on_the_disk():
        dataset = _dataset(export, scope_of(by, project), tell)
        export.patients, export.withdrawn = len(dataset.people), dataset.withdrawn
        exports = Path(settings.EXPORTS_DIR)
        exports.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=exports, prefix=MAKING) as folder, _mine(Path(folder)):
            taken, zipped = _build(export, dataset, Path(folder), tell)
            tell(_("ledger"), 1, 2)
            _record(export, dataset, zipped, taken)
    return export


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except NoRoom as error:
        raise ExportRefused(str(error)) from error


@contextmanager
def _mine(folder: Path) -> Iterator[None]:
    """A lock that goes with the process: what is not locked any more was left by a kill."""
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def check(
    by: User, project: ResearchProject | None, format: str, profile: str, reason: str, *, include_text: bool = False,
    include_images: bool = False, freeze: Freeze | None = None,
) -> None:  # fmt: skip
    """Raises ExportRefused."""
    if profile not in Profile.values:
        raise ExportRefused(_("There is no profile “%(profile)s”.") % {"profile": profile})
    if include_text and profile == Profile.ANONYMOUS:
        raise ExportRefused(_("Free text is never anonymous: people type names into it."))
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise ExportRefused(
            _("There is no format “%(format)s”; choose one of %(known)s.") % {"format": format, "known": known}
        )
    refusal = why_not_taken(by, project)
    refusal = refusal or (_no_pictures(project, profile, freeze) if include_images else "")
    if refusal:
        raise ExportRefused(refusal)
    if not reason.strip():
        raise ExportRefused(_("Say what the file is for."))


def _no_pictures(project: ResearchProject | None, profile: str, freeze: Freeze | None) -> str:
    """Why pictures do not leave; "" when they may."""
    if profile == Profile.ANONYMOUS:
        return _("A picture is never anonymous: choose the coded profile, or leave the pictures out.")
    if project is None or not project.images:
        return _("Pictures are not in the scope of this project: its approval does not name them.")
    if freeze is not None:
        return _("A frozen cohort keeps values, no pictures: take those with the rows as they are now.")
    return ""


def _dataset(export: Export, scope: Scope, tell: Tell) -> Dataset:
    anonymous = export.profile == Profile.ANONYMOUS
    if export.freeze is not None and export.freeze.ended_at is not None:
        raise ExportRefused(_("The rows frozen as “%(label)s” were let go.") % {"label": export.freeze})
    try:
        if export.freeze is not None:
            return thawed(frozen=export.freeze, scope=scope, include_text=export.include_text, anonymous=anonymous)
        return build(
            definition=export.cohort.definition, scope=scope, include_text=export.include_text,
            all_visits=export.all_visits, anonymous=anonymous, tell=tell,
        )  # fmt: skip
    except DefinitionError as error:
        raise ExportRefused(" ".join(error.problems)) from error
    except StandsOut as error:
        raise ExportRefused(str(error)) from error


def _build(export: Export, dataset: Dataset, folder: Path, tell: Tell) -> tuple[pictures.Taken, Path]:
    """What became of the pictures, and the zip beside its parts; fills in counts, size and checksum."""
    parts, zipped = folder / "parts", folder / "export.zip"
    parts.mkdir()
    about, taken = _about(export, dataset), pictures.Taken()
    if export.include_images:
        taken = pictures.write(parts, dataset, tell)
        about["images"], export.images = taken.told, taken.written
        cipher = Cipher(settings.PSEUDONYM_KEY, export.project.public_id)
        export.pictured = sorted(cipher.picture(public_id) for public_id in taken.files.values())
    tell(_("files"), 1, 2)
    try:
        export.row_counts = package.write(parts, dataset, export.format, about)
    except ValueError as error:
        raise ExportRefused(str(error)) from error
    package.manifest(parts, export.row_counts, about)
    package.pack(parts, zipped)
    export.size, export.sha256 = zipped.stat().st_size, package.checksum(zipped)
    return taken, zipped


def _about(export: Export, dataset: Dataset) -> dict[str, Any]:
    project, cohort = export.project, export.cohort
    return {
        "software": {"name": "calcinosis registry", "version": __version__},
        "made_at": export.created_at.isoformat(),
        "made_by": str(export.created_by),
        "reason": export.reason,
        "export": export.public_id,
        "project": {"title": project.title, "id": project.public_id, "ethics_reference": project.ethics_reference},
        "cohort": {"name": cohort.name, **_asked(export)},
        "frozen": _frozen(export),
        "profile": export.profile,
        "format": export.format,
        "free_text": export.include_text,
        "images": False,
        "visits": "all" if export.all_visits else "signed",
        "patients": export.patients,
        "smallest_group": smallest_group(dataset),
        "coarseness": dataset.coarseness,
        "values_as_of": dataset.as_of,
    }


def _asked(export: Export) -> dict[str, Any]:
    if export.freeze is not None:
        return {"definition": export.freeze.definition, "in_words": export.freeze.in_words}
    return {"definition": export.cohort.definition, "in_words": describe(export.cohort.definition)}


def _frozen(export: Export) -> dict[str, Any] | None:
    if export.freeze is None:
        return None
    frozen = export.freeze
    return {
        "label": frozen.label, "id": frozen.public_id, "at": frozen.created_at.isoformat(),
        "by": str(frozen.created_by), "version": frozen.version, "sha256_of_values": frozen.sha256,
        "patients_then": frozen.patients, "left_out_since": export.withdrawn,
    }  # fmt: skip


def _record(export: Export, dataset: Dataset, zipped: Path, taken: pictures.Taken) -> None:
    """Ledger and event, and the file in its place, or none of them."""
    numbers = Patient.objects.filter(pk__in=[person.pk for person in dataset.people]).order_by("registry_number")
    told = {
        "cohort": export.cohort.name, "project": export.project.title, "format": export.format,
        "profile": export.profile, "free_text": export.include_text, "pictures": export.images,
        "sha256": export.sha256,
        "patients": list(numbers.values_list("registry_number", flat=True)),
    }  # fmt: skip
    target = path_of(export)
    try:
        with trail.together():
            if not all_consent((person.pk for person in dataset.people), taken.people):
                raise ExportRefused(_("A consent was withdrawn while the file was being made. Make it again."))
            if not pictures.may_still_leave(taken.files):
                raise ExportRefused(_("A picture was taken back while the file was being made. Make it again."))
            export.save()
            people = [ExportedPatient(export=export, pseudonym=person.coded) for person in dataset.people]
            ExportedPatient.objects.bulk_create(people, batch_size=1000)
            trail.tell(Action.EXPORT, about=export, changes=told, reason=export.reason)
            with zipped.open("rb") as file:
                os.fsync(file.fileno())
            zipped.replace(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def path_of(export: Export) -> Path:
    return Path(settings.EXPORTS_DIR) / f"{export.public_id}.zip"


def take(*, export: Export, by: User, now: datetime.datetime) -> Path:
    """The file, for the person who made it, while project and role still allow it. Raises ExportRefused."""
    path = path_of(export)
    if export.created_by_id != by.pk:
        raise ExportRefused(_("Only the person who made an export takes it."))
    if refusal := why_not_taken(by, export.project):
        raise ExportRefused(refusal)
    if now > export.created_at + KEPT or not path.exists():
        raise ExportRefused(_("The file was kept for %(days)s days and is gone: make it again.") % {"days": KEPT.days})
    if holds_a_withdrawn(export, path):
        raise ExportRefused(_("Somebody in this file withdrew the consent since it was made. Make it again."))
    if pictures.taken_back(export.pictured, Cipher(settings.PSEUDONYM_KEY, export.project.public_id)):
        raise ExportRefused(_("A picture in this file was taken back since it was made. Make it again."))
    trail.tell(
        Action.EXPORT, about=export, changes={"file": "taken", "sha256": export.sha256}, reason=export.reason
    )  # fmt: skip
    return path


def sweep(*, now: datetime.datetime) -> int:
    """Remove the files whose week is over, and what a killed process was making; the ledger stays. Returns how many
    files."""
    for folder in Path(settings.EXPORTS_DIR).glob(f"{MAKING}*"):
        with suppress(OSError), (folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    there = [path.stem for path in Path(settings.EXPORTS_DIR).glob("*.zip")]
    old = list(Export.objects.filter(public_id__in=there, created_at__lt=now - KEPT))
    for export in old:
        path_of(export).unlink(missing_ok=True)  # another may have been quicker
    return len(old)


def exports_of(patient: Patient) -> QuerySet[Export]:
    """Every export this patient is in: what a withdrawal of consent must name."""
    own = [patient.public_id, *patient.doubles.values_list("public_id", flat=True)]
    names = [
        Cipher(settings.PSEUDONYM_KEY, public_id).patient(one)
        for public_id in ResearchProject.objects.values_list("public_id", flat=True)
        for one in own
    ]
    return Export.objects.filter(people__pseudonym__in=names)


def unpack(*, export: Export, into: Path) -> None:
    """The zip and, beside it, its files: for the command line."""
    into.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path_of(export), into / f"{export.public_id}.zip")
    shutil.unpack_archive(path_of(export), into, "zip")
