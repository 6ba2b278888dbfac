"""Making an export and reading it back."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import make_export, path_of


def export(cohort: Cohort, by: User, **choices: Any) -> Export:
    choices = {"project": cohort.project, "format": "csv", "reason": "analysis", "now": timezone.now()} | choices
    return make_export(cohort=cohort, by=by, **choices)


def files(made: Export) -> dict[str, bytes]:
    with zipfile.ZipFile(path_of(made)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def table(made: Export, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files(made)[f"{name}.csv"].decode("utf-8"), newline="")))
