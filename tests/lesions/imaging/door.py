"""Beside the upload page: what lies on the disk, and the answer to "is it this patient?"."""

from __future__ import annotations

from pathlib import Path

from django.urls import reverse


def on_disk(files: Path) -> list[Path]:
    return [path for path in files.rglob("*") if path.is_file()] if files.exists() else []


def confirm(clara, patient, page, **fields):
    tokens = [one.token for group in page.context["groups"] for one in group["files"]]
    address = reverse("lesions:imaging_confirm", args=[patient.public_id])
    return clara.post(address, {"staged": tokens, **fields}, follow=True)
