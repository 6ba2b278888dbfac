"""Taking a backup back, into an empty place only. Everything is checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.test import RequestFactory
from django.urls import resolve

from calcinosis_registry import __version__
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.verification import verify as verify_trail
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.clinics.roles import ROLES, Permission
from calcinosis_registry.operations import databases, manifest
from calcinosis_registry.operations.backup import FILES, SETTINGS, Tell, needed_keys
from calcinosis_registry.operations.manifest import BackupRefused
from calcinosis_registry.rights.erasure import replay_erasures
from lesions import storage
from patients.models import Patient


def check_backup(folder: Path, tell: Tell) -> dict[str, Any]:
    """The manifest of a backup that is whole and can be taken back by this software. Raises BackupRefused."""
    content = manifest.read(folder, key=settings.PSEUDONYM_KEY)
    for name in needed_keys():  # a key that is newer than the backup is no reason
        said, own = content["keys"].get(name), manifest.fingerprints(getattr(settings, name))
        # Of a key that was changed since, the old one is still there, behind the new one.
        if said is not None and not own.intersection([said] if isinstance(said, str) else said):
            raise BackupRefused(f"The backup was made with another {name}: put the keys of its register in place.")
    _check_software(content)
    total, done = sum(part["bytes"] for part in content["parts"].values()), 0
    for size in manifest.check_parts(folder, content):
        done += size
        tell("checking the parts", done, total)
    if not {databases.PARTS[connection.vendor], SETTINGS} <= set(content["parts"]):
        raise BackupRefused("The backup holds no database.")
    databases.check(folder, content["database"])
    return content


def _check_software(content: dict[str, Any]) -> None:
    if content["engine"] != connection.vendor:
        raise BackupRefused(
            f"The backup is of a {content['engine']} database; this register is set to {connection.vendor}."
        )
    version = content["software"]["version"]
    disk = MigrationLoader(None).disk_migrations
    known = {".".join(key) for key in disk} | {".".join(old) for one in disk.values() for old in one.replaces}
    if newer := sorted(set(content["database"]["migrations"]) - known):
        raise BackupRefused(
            f"The backup was made by newer software ({version}; this is {__version__}): {newer[0]} is unknown here."
        )
    if _number(version) > _number(__version__):
        raise BackupRefused(f"The backup was made by newer software: {version}; this is {__version__}.")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def refuse_unless_empty(content: dict[str, Any]) -> None:
    """Raises BackupRefused for a register that holds anything. Files an interrupted restore of this backup left do not
    count."""
    if not databases.is_empty():
        raise BackupRefused(
            "This register's database is not empty. A restore goes to an empty place: another REGISTRY_DATA, or a new "
            "database."
        )
    ours = {name for name in content["parts"] if name.startswith(f"{FILES}/")}
    there = {f"{FILES}/{path.relative_to(settings.FILES_DIR)}" for path in _kept_files()}
    if others := sorted(there - ours):
        raise BackupRefused(f"This register holds files already, first {others[0]}.")


def _kept_files() -> list[Path]:
    return [path for path in Path(settings.FILES_DIR).glob("[0-9a-f][0-9a-f]/**/*") if path.is_file()]


def restore(folder: Path, tell: Tell, *, say: Callable[[str], None]) -> None:
    """Check, write files and then the database, verify what was written. Raises BackupRefused with the reason."""
    content = check_backup(folder, tell)
    refuse_unless_empty(content)
    _restore_files(folder, content, tell)
    tell("database", 0, 1)
    databases.load(folder)
    tell("database", 1, 1)
    verify(content)
    say(f"{sum(content['database']['rows'].values())} rows in {len(content['database']['rows'])} tables, as backed up.")
    call_command("migrate", verbosity=0)
    if not (settings.DEMO or settings.DEBUG):
        call_command("collectstatic", interactive=False, verbosity=0)  # pages name files by their content
    # Whoever was signed in when the backup was made signs in again.
    Session.objects.all().delete()
    cache.clear()
    say(_go_on_with_the_trail(content))
    erased = replay_erasures()
    if erased.erased or erased.files:
        say(f"{len(erased.erased)} persons erased since the backup were erased again.")
    say(render_one_page())
    for problem in content["problems"]:
        say(f"Known when the backup was made: {problem}.")


def _go_on_with_the_trail(content: dict[str, Any]) -> str:
    """The trail says that this is a restored backup, and is verified from its first event."""
    lost = trail.continue_after_restore(reason=f"restored the backup of {content['finished_at']}")
    verdict = verify_trail()
    if verdict.broken is not None:
        raise BackupRefused(f"The audit trail is not as it was written: {verdict.broken.why} ({verdict.broken.event}).")
    return f"{verdict.reached.event} events of the audit trail verified; {lost} later ones are lost."


def _restore_files(folder: Path, content: dict[str, Any], tell: Tell) -> None:
    names = [name for name in content["parts"] if name.startswith(f"{FILES}/")]
    for done, name in enumerate(names, 1):
        final = Path(settings.FILES_DIR) / name.removeprefix(f"{FILES}/")
        aside = final.with_name(final.name + ".restoring")
        aside.unlink(missing_ok=True)
        if manifest.copy(folder / name, aside) != content["parts"][name]:
            raise BackupRefused(f"{name} changed while it was read.")
        os.replace(aside, final)
        tell("files", done, len(names))
    manifest.sync(Path(settings.FILES_DIR))


def verify(content: dict[str, Any]) -> None:
    """The restored register is what the manifest says, and every file it names is there. Raises BackupRefused."""
    databases.sound()
    with connection.cursor() as cursor:
        facts = databases.Facts.of(cursor)
    databases.compare(content["database"], facts)
    known = {problem.split()[0] for problem in content["problems"]}
    for sha256 in facts.files:
        path = storage.path_of(sha256, settings.FILES_DIR)
        if sha256 not in known and (not path.exists() or manifest.checksum(path) != sha256):
            raise BackupRefused(f"The database names the file {sha256}, which the backup does not hold.")


def render_one_page() -> str:
    """Show a patient page to somebody who may see it, as the server would, and leave no trace of it."""
    readers = [role for role, may in ROLES.items() if Permission.VIEW_RECORDS in may]
    held = Membership.objects.not_over().filter(role__in=readers, clinic__isnull=False).select_related("user")
    for membership in held:
        patient = Patient.objects.records().filter(clinic=membership.clinic_id).order_by("pk").first()
        if patient is None:
            continue
        address = patient.get_absolute_url()
        request = RequestFactory().get(address)
        request.user = membership.user
        view, args, kwargs = resolve(address)
        with transaction.atomic():
            answer = view(request, *args, **kwargs)
            transaction.set_rollback(True)
        if answer.status_code != 200 or patient.registry_number.encode() not in answer.content:
            raise BackupRefused(f"The page of a patient answers {answer.status_code}.")
        return "The page of a patient was rendered."
    return "No patient page was rendered: nobody with a role has a patient."
