"""For verify_files: every zip of the ledger that is still kept, and zips no line of the ledger names."""

from __future__ import annotations

import hashlib
import io
from functools import partial
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from calcinosis_registry.exports.models import KEPT, Export
from calcinosis_registry.exports.services import path_of
from lesions.verification import Report


def verify_zips(report: Report) -> None:
    folder, owned = Path(settings.EXPORTS_DIR), set()
    for export in Export.objects.filter(created_at__gt=timezone.now() - KEPT):
        path = path_of(export)
        owned.add(path)
        report.check(path, f"exports/{path.name}", partial(_is, export.sha256))
    for path in sorted(folder.glob("*.zip")) if folder.is_dir() else ():
        if path not in owned and not Export.objects.filter(public_id=path.stem).exists():
            report.orphans.append(f"exports/{path.name}")


def _is(sha256: str, file: io.BufferedReader) -> bool:
    return hashlib.file_digest(file, "sha256").hexdigest() == sha256
