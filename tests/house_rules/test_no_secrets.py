"""No key, token or password of anything real stands in the repository."""

from __future__ import annotations

import re
import secrets
import subprocess

import pytest

from tests.house_rules.source import ROOT, teach

PATTERNS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an SSH or PGP secret": re.compile(r"-----BEGIN (?:OPENSSH PRIVATE KEY|PGP PRIVATE KEY BLOCK)-----"),
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})"),
    "a token of GitLab": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a token of Slack": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
    "a key of an API": re.compile(r"\b(?:sk-[A-Za-z0-9_-]{32,}|AIza[0-9A-Za-z_-]{35}|pypi-[A-Za-z0-9_-]{50,})"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]{2,20}://[^\s/:@\"'<>{}$]+:(?P<word>[^\s/@\"'<>{}$…]{6,})@"),
    "a value for a secret": re.compile(
        r"(?i)\b(?:secret|password|passwd|token|api_?key|[a-z_]*_key)\b[\"']?\s*[:=]\s*[\"'](?P<word>[^\"'\s{}<>$]{16,})[\"']"
    ),
}  # fmt: skip
# Said aloud in the demo and the tests, and words that only look like one.
KNOWN = re.compile(r"(?i)calcinosis-demo|correct horse|JBSWY3DPEHPK3PXP|example|password|wrong|another|invented")
LARGEST = 2_000_000


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return listing.stdout.splitlines()


def found_in(text: str) -> list[tuple[int, str]]:
    """(line, what) of everything that looks like a secret."""
    found = []
    for what, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            word = match.groupdict().get("word")
            if word is not None and (KNOWN.search(word) or not random_looking(word)):
                continue
            found.append((text.count("\n", 0, match.start()) + 1, what))
    return found


def random_looking(word: str) -> bool:
    """Letters of both cases or digits mixed, and few repeated: words of a sentence or a name are none."""
    kinds = sum(bool(re.search(one, word)) for one in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds >= 2 and len(set(word)) >= 10 and "_" not in word.strip("_")[1:-1] and "." not in word


def test_no_file_holds_a_secret():
    offences = []
    for name in tracked():
        path = ROOT / name
        if path.is_file() and path.stat().st_size < LARGEST:
            text = path.read_bytes().decode("utf-8", "replace")
            offences += [f"{name}:{line}: {what}" for line, what in found_in(text)]
    assert not offences, teach("A secret in the repository is known to everybody: take it out and change it.", offences)


def test_no_key_database_or_dump_is_tracked():
    wrong = re.compile(r"(?i)\.(pem|p12|pfx|jks|kdbx|sqlite3?|db|dump|sql|bak)$|(^|/)(\.env|id_rsa|id_ed25519|.*_key)$")
    offences = [name for name in tracked() if wrong.search(name)]
    assert not offences, teach("Keys and data stand outside the repository:", offences)


def samples() -> dict[str, str]:
    """One of each, made now: none may stand here either."""
    word = secrets.token_hex(30)
    begin = "-" * 5 + "BEGIN "
    return {
        "a private key": f"{begin}RSA PRIVATE KEY-----",
        "an SSH or PGP secret": f"{begin}OPENSSH PRIVATE KEY-----",
        "an AWS key": "AKI" + "A" + "Q" * 16,
        "a token of GitHub": "gh" + f"p_{word[:36]}",
        "a token of GitLab": "glpat" + f"-{word[:20]}",
        "a token of Slack": "xox" + f"b-{word[:20]}",
        "a key of an API": "sk" + f"-{word[:40]}",
        "a JSON web token": f"eyJ{word[:20]}.eyJ{word[:20]}.{word[:20]}",
        "a password in an address": f"postgres://registry:{'Zq7' + word[:20]}@db.example.org/registry",
        "a value for a secret": f'SECRET_KEY = "{"Zq7x" + secrets.token_hex(20)}"',
    }


@pytest.mark.parametrize("what", PATTERNS)
def test_each_kind_would_be_found(what):
    assert what in {one for _line, one in found_in(f"x = 1\n{samples()[what]}\n")}
