"""Is the process alive, can it serve, and is it well? The first two for a supervisor, without a word about data."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import resolve
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calcinosis_registry import __version__
from calcinosis_registry.audit import anchors, guards, witness
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.snapshot import building as snapshot
from calcinosis_registry.jobs.models import Job, State
from calcinosis_registry.operations import backup, databases, safe_database

LEAST_FREE_SHARE, LEAST_FREE_BYTES = 0.05, 512 * 2**20
LIVE = "/health/live"
OLDEST_BACKUP, OLDEST_ANCHOR = datetime.timedelta(hours=26), datetime.timedelta(hours=1)


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers."""
    return JsonResponse({"status": "ok"})


class LiveMiddleware:
    """Answers the probe before anything looks at a session: a cookie sent along must not ask the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != LIVE or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        request.resolver_match = resolve(LIVE)  # what the log calls it
        return live(request)


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when everything a save needs is there; 503 names what is not."""
    checks = {**_database_checks(), "storage": _storage_takes_a_file(), "disk": _has_room()}
    well = all(checks.values())
    return JsonResponse({"status": "ok" if well else "not ready", "checks": checks}, status=200 if well else 503)


def _database_checks() -> dict[str, bool]:
    checks = {"database": False, "migrations": False, "trail": False}
    try:
        checks["migrations"] = not _waiting_migrations()
        checks["database"] = settings.DEMO or not safe_database.reasons()
        checks["trail"] = not guards.missing()
    except DatabaseError:
        pass
    return checks


def _waiting_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    return [str(one) for one, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _storage_takes_a_file() -> bool:
    """A right in the folder's mode is not enough: the disk may be read-only or full."""
    try:
        folder = settings.FILES_DIR / "tmp"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except OSError:
        return False
    return True


def _has_room() -> bool:
    try:
        disk = shutil.disk_usage(settings.DATA_DIR)
    except OSError:
        return False
    return disk.free >= min(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """For whoever runs the register: what works, what is kept where, and when it was last backed up."""
    require(request, Permission.MANAGE_ACCOUNTS)
    details = {
        **_told_of_the_database(),
        **_told_of_the_storage(),
        **_told_of_the_trail(),
        **_told_of_the_work(),
        "version": __version__,
    }
    return render(request, "operations/health.html", details)


def _told_of_the_database() -> dict[str, Any]:
    return {
        "engine": connection.display_name,
        "size": databases.size(),
        "unsafe": safe_database.reasons(),
        "waiting": _waiting_migrations(),
    }


def _told_of_the_storage() -> dict[str, Any]:
    disk = shutil.disk_usage(settings.DATA_DIR)
    last = backup.last()
    at = datetime.datetime.fromisoformat(last.finished_at) if last else None
    return {
        "files": backup.stored_files(),
        "writable": _storage_takes_a_file(),
        "free": disk.free,
        "free_percent": round(100 * disk.free / disk.total),
        "has_room": _has_room(),
        "last_backup": last,
        "backup_at": at,
        "backup_old": at is None or timezone.now() - at > OLDEST_BACKUP,
    }


def _told_of_the_work() -> dict[str, Any]:
    made = snapshot.current()
    return {
        "snapshot_at": datetime.datetime.fromisoformat(made.at) if made else None,
        "snapshot_patients": made.patients if made else 0,
        "jobs_waiting": Job.objects.filter(state=State.WAITING).count(),
        # A job that waits while nothing runs: nobody started the worker.
        "no_worker": Job.objects.filter(
            state=State.WAITING, created_at__lt=timezone.now() - datetime.timedelta(minutes=5)
        ).exists() and not Job.objects.filter(state=State.RUNNING).exists(),
    }  # fmt: skip


def _told_of_the_trail() -> dict[str, Any]:
    newest = Event.objects.order_by("pk").last()
    try:
        head, anchor = witness.head(), anchors.last()
    except (witness.Unreadable, OSError):
        head = anchor = None
    return {
        "anchor": anchor,
        "anchor_old": anchor is None or timezone.now() - anchor.at > OLDEST_ANCHOR,
        "newest": newest,
        "missing_triggers": guards.missing(),
        "head_fits": newest is None or (head is not None and head.id <= newest.pk),
    }
