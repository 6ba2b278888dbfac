"""What the register is made of, told by itself; and a lock file pip can hold it to."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest
from django.core.management import CommandError, call_command

from calcinosis_registry.operations.materials import VENDORED, pins
from tests.house_rules.source import ROOT


def bill() -> dict:
    out = io.StringIO()
    call_command("materials", stdout=out)
    return json.loads(out.getvalue())


def test_the_bill_names_every_pin_with_its_version_and_licence():
    told = bill()
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    packages = {one["name"]: one for one in told["components"] if one["type"] == "library"}
    for pin in pins(ROOT):
        one = packages[pin.name.lower().replace("_", "-")]
        assert f"=={one['version']}" == str(pin.specifier)
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" and one["licenses"]
    assert len(packages) > len(pins(ROOT)), "what the pins bring along is there, too"


def test_its_references_lead_somewhere_and_each_stands_once():
    told = bill()
    refs = [one["bom-ref"] for one in [told["metadata"]["component"], *told["components"]]]
    assert len(refs) == len(set(refs))
    leads = {ref for one in told["dependencies"] for ref in (one["ref"], *one["dependsOn"])}
    assert leads <= set(refs)


def test_files_of_others_are_in_it_and_are_what_the_table_says():
    told = {one["bom-ref"]: one for one in bill()["components"] if one["type"] == "file"}
    folder = (ROOT / VENDORED).parent
    assets = [path for path in folder.rglob("*") if path.suffix in (".css", ".js", ".woff2")]
    assert assets
    for path in assets:
        one = told[f"vendor:{path.relative_to(folder)}"]
        assert one["hashes"][0]["content"] == hashlib.sha256(path.read_bytes()).hexdigest()


def wheel(folder, text: str) -> bytes:
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", text)
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    return path.read_bytes()


def test_pip_installs_what_was_locked_and_nothing_else_under_its_name(tmp_path):
    """pip's own report, our lock, and pip again: with the same file, then with another one."""

    def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--quiet"]
        # No configuration of this machine: no other index, nothing from a cache.
        alone = ["--isolated", "--no-index", "--find-links", str(tmp_path), "--no-cache-dir", "--ignore-installed"]
        return subprocess.run([*command, *alone, *arguments], capture_output=True, text=True)

    wheel(tmp_path, "value = 1")
    assert pip("--report", str(tmp_path / "report.json"), "tiny==1.0").returncode == 0
    out = io.StringIO()
    call_command("materials", "--lock", str(tmp_path / "report.json"), stdout=out)
    locked = tmp_path / "requirements.lock"
    locked.write_text(out.getvalue())
    assert "tiny==1.0 --hash=sha256:" in locked.read_text()
    held = ("--require-hashes", "--no-deps", "-r", str(locked))
    assert pip(*held).returncode == 0
    wheel(tmp_path, "value = 2")
    refused = pip(*held)
    assert refused.returncode != 0 and "DO NOT MATCH THE HASHES" in refused.stderr.upper()


def test_a_report_without_hashes_makes_no_lock(tmp_path):
    one = {"metadata": {"name": "tiny", "version": "1.0"}, "download_info": {"url": "file:///tiny"}}
    (tmp_path / "report.json").write_text(json.dumps({"install": [one], "environment": {}}))
    with pytest.raises(CommandError, match="no SHA-256 for tiny"):
        call_command("materials", "--lock", str(tmp_path / "report.json"))
