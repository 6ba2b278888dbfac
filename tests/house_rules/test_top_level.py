"""The user fixed the top level; nothing else with code in it stands there."""

from __future__ import annotations

import subprocess
import tomllib

import pytest

from tests.house_rules.source import ROOT, teach

CODE = {"manage.py", "calcinosis_registry", "patients", "lesions", "templates", "tests", "requirements.txt"}
CONFIGURATION = {
    "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "pyproject.toml", ".env.example", ".gitignore",
    ".gitattributes", ".ci", ".github", "docs",
}  # fmt: skip


def _tracked() -> set[str]:
    """Tracked and new, not ignored, files; what git ignores (.venv, var) is nobody's business."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return {line for line in listing.stdout.splitlines() if (ROOT / line).exists()}


def test_nothing_else_stands_at_the_top():
    others = sorted({name.split("/")[0] for name in _tracked()} - CODE - CONFIGURATION)
    assert not others, teach(
        "The top level is fixed: code goes into patients/, lesions/ or a room of calcinosis_registry/.", others
    )


def test_docs_and_ci_hold_no_python():
    offences = sorted(
        n for n in _tracked() if n.split("/")[0] in {"docs", ".github", ".ci"} and n.endswith((".py", ".ipynb"))
    )
    assert not offences, teach("Code stands in the product or in tests/, where lint, types and tests see it.", offences)


def test_every_room_has_its_place_in_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(contracts[0]["layers"])
    rooms = {path.parent.name for path in (ROOT / "calcinosis_registry").glob("*/__init__.py")} - {"formats"}
    homeless = sorted(room for room in rooms if f"calcinosis_registry.{room}" not in layers)
    assert not homeless, teach("Give the room its layer in pyproject.toml, or nobody checks what it imports:", homeless)
