"""What the register is made of: the bill of materials (CycloneDX), and the lock file pip checks by hashes."""

from __future__ import annotations

import re
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from calcinosis_registry import __version__

OURSELVES = "calcinosis-registry"
VENDORED = "calcinosis_registry/static/vendor/VERSIONS.md"
_ROW = re.compile(
    r"^\| (?P<name>[^|]+?) \| (?P<version>[^|]+?) \| (?P<licence>[^|]+?) \| (?P<file>[^|]+?) \| `(?P<sum>\w{64})` \|$"
)


def pins(root: Path) -> list[Requirement]:
    """The requirements of requirements.txt."""
    lines = (line.split("#")[0].strip() for line in (root / "requirements.txt").read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def installed(root: Path) -> dict[str, list[str]]:
    """{package: what it brings along} of everything the pins bring along here, extras followed."""
    found: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(str(canonicalize_name(pin.name)), extra) for pin in pins(root) for extra in ("", *pin.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        brought = found.setdefault(name, set())
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                other = str(canonicalize_name(needed.name))
                brought.add(other)
                waiting += [(other, wanted) for wanted in ("", *needed.extras)]
    return {name: sorted(brought) for name, brought in sorted(found.items())}


def bill(*, root: Path, at: str) -> dict[str, Any]:
    """The bill of materials of this installation as CycloneDX 1.6."""
    packages = installed(root)
    own = {"type": "application", "bom-ref": OURSELVES, "name": OURSELVES, "version": __version__}
    direct = sorted({_ref(canonicalize_name(pin.name)) for pin in pins(root)})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {"timestamp": at, "component": own},
        "components": [*(_package(name) for name in packages), *vendored(root)],
        "dependencies": [
            {"ref": OURSELVES, "dependsOn": direct},
            *({"ref": _ref(name), "dependsOn": [_ref(one) for one in brought]} for name, brought in packages.items()),
        ],
    }  # fmt: skip


def vendored(root: Path) -> list[dict[str, Any]]:
    """The files of others under static/vendor, from the table beside them."""
    rows = (_ROW.match(line) for line in (root / VENDORED).read_text("utf-8").splitlines())
    return [
        {
            "type": "file",
            "bom-ref": f"vendor:{row['file']}",
            "name": f"{row['name']}: {row['file']}",
            "version": row["version"],
            "licenses": [{"license": {"name": row["licence"]}}],
            "hashes": [{"alg": "SHA-256", "content": row["sum"]}],
        }
        for row in rows
        if row is not None
    ]


def lock(report: dict[str, Any]) -> str:
    """A requirements file with the hash of each file that pip's report (``--report``) says it would install."""
    lines = []
    for one in report["install"]:
        hashes = one["download_info"].get("archive_info", {}).get("hashes", {})
        if "sha256" not in hashes:
            raise ValueError(f"pip gave no SHA-256 for {one['metadata']['name']}")
        name = canonicalize_name(one["metadata"]["name"])
        lines.append(f"{name}=={one['metadata']['version']} --hash=sha256:{hashes['sha256']}")
    where = report["environment"]
    python, machine = f"{where['implementation_name']} {where['python_version']}", where["platform_machine"]
    head = (
        f"# Made by `make lock` for {python} on {where['sys_platform']} {machine}; see docs/operations/production.md\n"
    )
    return head + "\n".join(sorted(lines)) + "\n"


def _ref(name: str) -> str:
    return f"pkg:pypi/{name}@{metadata.version(name)}"


def _package(name: str) -> dict[str, Any]:
    about = metadata.metadata(name)
    ref = _ref(name)
    component = {"type": "library", "bom-ref": ref, "purl": ref, "name": name, "version": about["Version"]}
    if licence := _licence(about):
        component["licenses"] = [licence]  # type: ignore[assignment]
    return component


def _licence(about: Any) -> dict[str, Any] | None:
    """The expression, else the classifiers, else the first line of the text."""
    if expression := about.get("License-Expression"):
        return {"expression": expression}
    classifiers = [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    said = (
        "; ".join(one.rpartition(" :: ")[2] for one in classifiers)
        or (about.get("License") or "").strip().split("\n")[0]
    )
    return {"license": {"name": said}} if said else None


def project_root() -> Path:
    return Path(settings.BASE_DIR)
