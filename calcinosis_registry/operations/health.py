"""Is the process alive, and can it serve? For a supervisor, without sign-in and without a word about data."""

from __future__ import annotations

import os

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calcinosis_registry.audit import guards


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, the trail's triggers and storage are there; 503 names what is not."""
    checks = {"database": False, "migrations": False, "trail": False, "storage": os.access(settings.DATA_DIR, os.W_OK)}
    try:
        executor = MigrationExecutor(connection)
        checks["database"] = True
        checks["migrations"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        checks["trail"] = not guards.missing()
    except DatabaseError:
        pass
    well = all(checks.values())
    return JsonResponse({"status": "ok" if well else "not ready", "checks": checks}, status=200 if well else 503)
