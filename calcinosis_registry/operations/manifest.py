"""What a backup holds: every part with its size and SHA-256, sealed with a key that is not in the backup.

``manifest.json`` says what; ``manifest.seal`` is its HMAC under a key derived from the register's own, so a manifest
that was altered, together with the part it tells of or alone, is found.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST, SEAL = "manifest.json", "manifest.seal"
FORMAT = 1
_CHUNK = 2**20


class BackupRefused(Exception):
    """Why a backup is not made, or not taken back, in one sentence."""


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(source: Path, target: Path) -> dict[str, Any]:
    """Copy a file durably and return what the manifest says about it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("xb") as write:
        os.chmod(target, 0o600)
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return {"bytes": size, "sha256": digest.hexdigest()}


def describe(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": checksum(path)}


def sync_tree(folder: Path) -> None:
    """Every file, and every folder: a name is durable when its folder is."""
    for place, _folders, names in os.walk(folder):
        for name in names:
            sync(Path(place) / name)
        sync(Path(place))


def sync(path: Path) -> None:
    """A folder or a file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fingerprints(keys: str) -> set[str]:
    """One for each of the keys a setting holds, and one for all of them as they stand."""
    return {fingerprint(key) for key in (*keys.split(), keys)}


def fingerprint(key: str) -> str:
    """Tells two keys apart and gives neither away."""
    return hmac.new(key.encode(), b"fingerprint", hashlib.sha256).hexdigest()[:16]


def _seal(content: bytes, key: str) -> str:
    derived = hmac.new(key.encode(), b"backup manifest", hashlib.sha256).digest()
    return hmac.new(derived, content, hashlib.sha256).hexdigest()


def write(folder: Path, content: dict[str, Any], *, key: str) -> None:
    text = json.dumps({"format": FORMAT, **content}, ensure_ascii=False, indent=1, sort_keys=True).encode()
    for name, data in ((MANIFEST, text), (SEAL, _seal(text, key).encode() + b"\n")):
        with (folder / name).open("xb") as file:
            os.chmod(folder / name, 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def read(folder: Path, *, key: str) -> dict[str, Any]:
    """The manifest of a backup. Raises BackupRefused when it is missing, damaged, altered or of another register."""
    if not folder.is_dir():
        raise BackupRefused(f"{folder} is not a directory.")
    try:
        text, seal = (folder / MANIFEST).read_bytes(), (folder / SEAL).read_text("ascii").strip()
    except FileNotFoundError as missing:
        raise BackupRefused(f"{Path(missing.filename).name} is missing: this is no complete backup.") from missing
    except UnicodeDecodeError as error:
        raise BackupRefused(f"{SEAL} is damaged.") from error
    if not hmac.compare_digest(_seal(text, key), seal):
        raise BackupRefused(_why_unsealed(text, key))
    content: dict[str, Any] = json.loads(text)
    if content["format"] > FORMAT:
        raise BackupRefused(f"The backup has format {content['format']}; this software reads up to {FORMAT}.")
    return content


def _why_unsealed(text: bytes, key: str) -> str:
    try:
        made_with = json.loads(text)["keys"]["PSEUDONYM_KEY"]
    except (ValueError, KeyError, TypeError):
        made_with = None
    said = [made_with] if isinstance(made_with, str) else made_with
    if said and not fingerprints(key).intersection(said):
        return (
            "The backup was made with another PSEUDONYM_KEY (or its manifest was altered): put the keys of the "
            "register it was made of in place first."
        )
    return f"{MANIFEST} or {SEAL} was altered or damaged: what they say cannot be trusted."


def check_parts(folder: Path, content: dict[str, Any]) -> Iterator[int]:
    """Compare every part with the manifest, yielding the bytes read. Raises BackupRefused where they differ."""
    said: dict[str, dict[str, Any]] = content["parts"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}
    if missing := sorted(set(said) - there):
        raise BackupRefused(f"{len(missing)} parts are missing, first {missing[0]}.")
    if extra := sorted(there - set(said) - {MANIFEST, SEAL}):
        raise BackupRefused(f"{len(extra)} parts do not belong to the backup, first {extra[0]}.")
    for name, about in said.items():
        path = folder / name
        if path.is_symlink():
            raise BackupRefused(f"{name} is a link, not a part of the backup.")
        if path.stat().st_size != about["bytes"]:
            raise BackupRefused(f"{name} has {path.stat().st_size} bytes instead of {about['bytes']}.")
        if checksum(path) != about["sha256"]:
            raise BackupRefused(f"{name} is damaged: its SHA-256 is not the one of the manifest.")
        yield about["bytes"]
