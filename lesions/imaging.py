"""Uploaded files become imaging studies of a patient. Keyword-only verbs; one file is taken whole or not at all."""

from __future__ import annotations

import datetime
import enum
import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.identity.models import Identity
from lesions import admission, archive, staging, storage
from lesions.another_patient import names_another_patient
from lesions.header_match import differences
from lesions.ingest import HEAD_BYTES, Ingested, identify, ingest, shown_name
from lesions.models import FileKind, ImageSide, ImagingFile, ImagingStudy, Projection, StudyStatus
from lesions.models.columns import modality_choices
from lesions.models.imaging import XRAY
from lesions.receiving import INSUFFICIENT_STORAGE, not_stored
from lesions.refusal import Refused, gettext_noop
from patients.models import Patient, Visit
from patients.services import after_save

log = logging.getLogger(__name__)

PHOTOGRAPHS, OTHER = "XC", "OT"
KINDS = {"dicom": FileKind.DICOM, "jpeg": FileKind.PHOTO, "png": FileKind.PHOTO, "pdf": FileKind.PDF}
VIEWS = {"AP": Projection.FRONTAL, "PA": Projection.FRONTAL} | dict.fromkeys(
    ("LL", "RL", "LAT", "LATERAL"), Projection.LATERAL
) | dict.fromkeys(("LLO", "RLO", "RAO", "LAO", "RPO", "LPO", "OBLIQUE"), Projection.OBLIQUE)  # fmt: skip
# Who the file says it is about: compared on arrival, never copied into the table.
NAMING = frozenset({"patient_name", "patient_id", "patient_birth_date"})
ASKED_FOR = ("modality", "study_date", "body_region", "laterality", "view")


class State(enum.StrEnum):
    ADDED = "added"
    KNOWN = "known"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one file. ``text``: the reason of a refusal; ``notes``: what else is worth knowing.

    ``status``: of an answer that tells of it.
    """

    name: str
    state: State
    text: str = ""
    status: int = 200
    file: ImagingFile | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Intake:
    """Where files go: the patient, and the visit or study they were uploaded for. Photographs of one go together."""

    patient: Patient
    by: User
    now: datetime.datetime
    visit: Visit | None = None
    study: ImagingStudy | None = None
    photographs: ImagingStudy | None = None
    notes: list[str] = field(default_factory=list)
    added: int | None = None  # by this person in the last 24 hours

    def check_day(self) -> None:
        """Raises Refused where one more is one too many for a day. What was kept counts, here as in other uploads."""
        if self.added is None:
            self.added = admission.added_today(by=self.by, now=self.now)
        admission.check_day(self.added)


def add_files(*, intake: Intake, uploads: Iterable[UploadedFile]) -> list[Outcome]:
    """Take in uploads one by one: what one file suffers is no other file's matter.

    A file whose header names another person waits for an answer (:func:`add_waiting`); a refused one leaves nothing.
    """
    outcomes: list[Outcome] = []
    for upload in uploads:
        try:
            staging.sweep(settings.FILES_DIR)
            temporary = settings.FILES_DIR / "tmp"
            temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryDirectory(dir=temporary) as work:
                outcomes += _take_upload(intake, upload, Path(work))
        except OSError:
            outcomes.append(_not_stored(upload.name or ""))
    return outcomes


def add_waiting(*, intake: Intake, staged: Iterable[staging.Staged], reason: str) -> list[Outcome]:
    """Take the files whose header names another person after all. The reason stands in the trail."""
    outcomes = []
    for one in staged:
        with trail.because(reason):
            outcomes.append(_guarded(one.name, lambda one=one: _take_waiting(intake, one)))  # type: ignore[misc]
        if outcomes[-1].state is not State.REFUSED:
            staging.discard(one)
    return outcomes


def _take_waiting(intake: Intake, one: staging.Staged) -> Outcome:
    _asks_whose(intake, one.ingested)  # the other person may have been registered meanwhile
    intake.check_day()
    return _keep(intake, one.ingested, one.name, confirmed=True)


def remove_file(*, file: ImagingFile, now: datetime.datetime, reason: str) -> None:
    """Take a file uploaded in error away: its row, and its bytes unless another row holds the same ones."""
    root, sha256, study = settings.FILES_DIR, file.sha256, file.study
    if study.visit is not None and study.visit.is_locked:
        raise ValidationError(_("The visit is signed: unlock it first. Nothing was removed."))
    if file.measures.exists():
        raise ValidationError(_("Measurements were made on this file. Nothing was removed."))
    with storage.one_at_a_time(root):
        with trail.together(), trail.because(reason):
            file.delete()
            if not study.files.exists():
                study.status = StudyStatus.NOTED
                study.save()
            after_save(patient=study.patient, records=[study], now=now)
        if not ImagingFile.objects.filter(sha256=sha256).exists():
            storage.remove(sha256, root)


def not_in_the_files(study: ImagingStudy) -> list[str]:
    """Names of what the files did not say and nobody answered yet; a view is asked for of radiographs only."""
    asked = ASKED_FOR if study.modality in XRAY else ASKED_FOR[:-1]
    return [name for name in asked if getattr(study, name) in ("", None, OTHER)]


# One upload


def _take_upload(intake: Intake, upload: UploadedFile, work: Path) -> list[Outcome]:
    name = upload.name or ""
    path = work / "upload"
    try:
        _receive(upload, path)
        if not _is_archive(path, name):
            return [_take_file(intake, path, name, work / "read")]
        unpacked = work / "unpacked"
        unpacked.mkdir()
        entries = archive.expand(path, unpacked)
    except Refused as refused:
        return [_refusal(name, refused)]
    except OSError:
        return [_not_stored(name)]
    return [_take_file(intake, inside, entry, work / f"read{n}") for n, (entry, inside) in enumerate(entries)]


def _receive(upload: UploadedFile, path: Path) -> None:
    if hasattr(upload, "temporary_file_path"):
        shutil.move(upload.temporary_file_path(), path)  # the same file system: no second copy of a large file
        return
    with path.open("xb") as file:
        for chunk in upload.chunks():
            file.write(chunk)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _is_archive(path: Path, name: str) -> bool:
    """A zip under another kind's ending is refused with the other mismatches, by ingest."""
    return identify(_head(path)) == "zip" and PurePosixPath(shown_name(name)).suffix.lower() in ("", ".zip")


def _take_file(intake: Intake, path: Path, name: str, folder: Path) -> Outcome:
    return _guarded(name, lambda: _take(intake, path, name, folder))


def _guarded(name: str, take: Any) -> Outcome:
    """Every way a file can fail becomes a refusal with its reason."""
    try:
        return take()
    except Refused as refused:
        return _refusal(name, refused)
    except ValidationError as error:
        return Outcome(shown_name(name), State.REFUSED, " ".join(error.messages))
    except (OSError, OperationalError):  # a full disk refuses the row as well as the file
        return _not_stored(name)


def _refusal(name: str, refused: Refused) -> Outcome:
    refused.name = ""  # it stands beside the reason already
    return Outcome(shown_name(name), State.REFUSED, refused.localised(), status=refused.status)


def _not_stored(name: str) -> Outcome:
    log.exception("An upload could not be stored")
    return Outcome(shown_name(name), State.REFUSED, not_stored(), status=INSUFFICIENT_STORAGE)


def _take(intake: Intake, path: Path, name: str, folder: Path) -> Outcome:
    if identify(_head(path)) != "pdf" and not intake.patient.images_consent:
        raise Refused(gettext_noop("No consent to images is in force: photographs and radiographs cannot be kept."))
    intake.check_day()
    admission.admit(path, patient=intake.patient)
    folder.mkdir()
    with admission.turn():
        ingested = ingest(path, name, folder)
    if _already(intake.patient, ingested.sha256) is None and _asks_whose(intake, ingested):
        return _ask(intake, ingested, shown_name(name))
    return _keep(intake, ingested, shown_name(name))


def _asks_whose(intake: Intake, ingested: Ingested) -> bool:
    """Does the header differ from this patient? Where it is another patient's, nobody can confirm it: refused."""
    if ingested.header is None:
        return False
    identity = Identity.objects.filter(registry_number=intake.patient.registry_number).first()
    if names_another_patient(ingested.header, identity, intake.patient):
        shown = {"shown": "that a file names another registered patient", "file": ingested.original_sha256}
        trail.tell(Action.READ, about=intake.patient, changes=shown)
        raise Refused(
            gettext_noop("It names another patient of the register. Are you on the right page? Nothing was kept.")
        )
    return bool(differences(ingested.header, identity, intake.patient))


def _ask(intake: Intake, ingested: Ingested, name: str) -> Outcome:
    """Put the file into the waiting room, once."""
    root, mine = settings.FILES_DIR, {"patient_id": intake.patient.pk, "user_id": intake.by.pk}
    if ingested.sha256 not in {one.ingested.sha256 for one in staging.waiting(**mine, root=root)}:
        visit = intake.visit.public_id if intake.visit else ""
        study = intake.study.public_id if intake.study else ""
        staging.stage(ingested, name=name, **mine, visit=visit, study=study, root=root)
    return Outcome(name, State.WAITING)


def _already(patient: Patient, sha256: str) -> ImagingFile | None:
    return ImagingFile.objects.filter(study__patient=patient, sha256=sha256).select_related("study").first()


def _keep(intake: Intake, ingested: Ingested, name: str, *, confirmed: bool = False) -> Outcome:
    """Store, then commit. Where the commit fails, what was stored for it goes again (trust.md, Files)."""
    root = settings.FILES_DIR
    with storage.one_at_a_time(root):
        known = storage.path_of(ingested.sha256, root).exists()
        try:
            storage.store(ingested.stored_path, root)
            for kind in ("preview", "thumbnail"):
                if png := getattr(ingested, kind):
                    storage.store_preview(ingested.sha256, root, png, kind)
            with trail.together():
                outcome = _record(intake, ingested, name, confirmed=confirmed)
        except BaseException:
            if not known:
                storage.remove(ingested.sha256, root)
            raise
    if outcome.state is State.ADDED and intake.added is not None:
        intake.added += 1
    if outcome.file and ingested.kind in ("jpeg", "png"):
        intake.photographs = outcome.file.study
    return outcome


def _record(intake: Intake, ingested: Ingested, name: str, *, confirmed: bool) -> Outcome:
    # The patient's row is the queue: of two identical uploads at once the second finds the first.
    Patient.objects.select_for_update().get(pk=intake.patient.pk)
    if standing := _already(intake.patient, ingested.sha256):
        return Outcome(name, State.KNOWN, file=standing)
    notes = [_(text) for text in ingested.warnings]
    study = _study_for(intake, ingested)
    _fill(study, ingested, notes)
    study.status = StudyStatus.AVAILABLE
    study.save()
    header = ingested.header
    file = ImagingFile(
        study=study,
        name=name,
        kind_of_file=KINDS[ingested.kind],
        media_type=ingested.media_type,
        sha256=ingested.sha256,
        original_sha256=ingested.original_sha256,
        size=ingested.size,
        width=ingested.width,
        height=ingested.height,
        frames=header.frames if header else ingested.pages,
        header=_told_by(ingested, confirmed=confirmed),
        has_preview=ingested.preview is not None,
    )
    file.save()
    after_save(patient=intake.patient, records=[study, file], now=intake.now)
    return Outcome(name, State.ADDED, file=file, notes=tuple(notes))


def _told_by(ingested: Ingested, *, confirmed: bool) -> dict[str, Any]:
    """The header without the person; that it named another one stays, and that its preamble held something."""
    if ingested.header is None:
        return {}
    told = {name: value for name, value in ingested.header.as_json().items() if name not in NAMING}
    emptied = {"preamble_emptied": True} if ingested.sha256 != ingested.original_sha256 else {}
    return told | emptied | ({"named_otherwise": True} if confirmed else {})


# Which study


def _study_for(intake: Intake, ingested: Ingested) -> ImagingStudy:
    """The study a file belongs to: DICOM by its study UID, photographs of one upload or visit together."""
    patient, visit = intake.patient, intake.visit
    chosen = ImagingStudy.objects.filter(pk=intake.study.pk).first() if intake.study else None
    if ingested.header is not None:
        uid = ingested.header.study_instance_uid
        standing = ImagingStudy.objects.filter(patient=patient, study_uid=uid).first()
        if standing is not None:
            return standing
        study = chosen if chosen and not chosen.study_uid else ImagingStudy(patient=patient, visit=visit)
        study.study_uid = uid
        return study
    if chosen is not None:
        return chosen
    if ingested.kind == "pdf":
        return ImagingStudy(patient=patient, visit=visit)
    return _photographs(intake) or ImagingStudy(patient=patient, visit=visit, modality=PHOTOGRAPHS)


def _photographs(intake: Intake) -> ImagingStudy | None:
    if intake.photographs is not None:
        return ImagingStudy.objects.filter(pk=intake.photographs.pk).first()
    if intake.visit is None:
        return None
    return ImagingStudy.objects.filter(visit=intake.visit, modality=PHOTOGRAPHS, study_uid="").first()


def _fill(study: ImagingStudy, ingested: Ingested, notes: list[str]) -> None:
    """Fill what the file says and nobody has answered; what it does not say stays empty and is asked for."""
    locked = study.visit is not None and study.visit.is_locked and not study._state.adding
    said = {} if locked else _said(ingested, study.visit)
    for name, value in said.items():
        if value and getattr(study, name) in ("", None):
            setattr(study, name, value)
    if not study.modality:
        study.modality = OTHER
    if said.get("study_date") and study.study_date == said["study_date"]:
        if problem := _date_problem(study):
            notes.append(
                _("Its date %(date)s was not taken over: %(why)s") % {"date": study.study_date, "why": problem}
            )
            study.study_date = None


def _date_problem(study: ImagingStudy) -> str:
    """What the study's own rules say against its date; "" where they say nothing."""
    try:
        study.clean()
    except ValidationError as error:
        return " ".join(error.message_dict.get("study_date", [])) if hasattr(error, "error_dict") else ""
    return ""


def _said(ingested: Ingested, visit: Visit | None) -> dict[str, Any]:
    header = ingested.header
    if header is None:  # what is photographed for a visit is taken at it; a report is of another day
        at_visit = visit is not None and ingested.kind != "pdf"
        return {"study_date": PartialDate.of(visit.visit_date)} if at_visit and visit else {}
    return {
        "modality": header.modality if header.modality in dict(modality_choices()) else "",
        "study_date": PartialDate.of(header.study_date) if header.study_date else None,
        "body_region": header.region,
        "laterality": {"R": ImageSide.RIGHT, "L": ImageSide.LEFT}.get(header.laterality, ""),
        "view": VIEWS.get(header.view.upper(), ""),
    }
