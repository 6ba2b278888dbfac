"""Nothing under the GPL is shipped or imported by the product (LGPL and MPL libraries may be used unchanged)."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house_rules.source import ROOT, teach

# AGPL and GPL, by licence expression, classifier or free text; LGPL, or a choice that offers another licence, is fine.
COPYLEFT = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )(?<!Library )General Public License", re.IGNORECASE)

# Classifiers cannot say "or": these offer another licence at the user's choice, as their own licence file says.
AT_CHOICE = {"pyphen": "MPL-1.1 (of GPL-2.0-or-later, LGPL-2.1-or-later or MPL-1.1: weasyprint's hyphenation)"}


def pinned() -> list[Requirement]:
    """The requirements of requirements.txt."""
    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


@cache
def shipped() -> frozenset[str]:
    """Canonical names of everything the pins bring along here, extras followed."""
    seen: set[tuple[str, str]] = set()
    waiting = [(r.name, extra) for r in pinned() for extra in ("", *r.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (canonicalize_name(name), extra) in seen:
            continue
        seen.add((canonicalize_name(name), extra))
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed.name, wanted) for wanted in ("", *needed.extras)]
    return frozenset(name for name, _ in seen)


def licence(name: str) -> str:
    """What a package says of its licence: the expression, else the classifiers, else the first line of the text."""
    data = metadata.metadata(name)
    classifiers = [c for c in data.get_all("Classifier") or [] if c.startswith("License ::")]
    text = (data.get("License") or "").strip()
    return data.get("License-Expression") or "; ".join(classifiers) or text.split("\n")[0]


def test_nothing_shipped_is_under_the_gpl():
    bound = [name for name in sorted(shipped()) if name not in AT_CHOICE and COPYLEFT.search(licence(name))]
    offences = [f"{name}: {licence(name)}" for name in bound]
    assert not offences, teach("The register is Apache-2.0; choose a library without the GPL:", offences)


def test_a_choice_of_licences_is_said_by_the_package_itself():
    """An exception that no longer ships, or no longer offers what is claimed, is taken off the list."""
    for name, chosen in AT_CHOICE.items():
        assert name in shipped() and chosen.partition(" ")[0].replace("-", " ") in licence(name)


def test_every_shipped_package_states_a_licence():
    silent = [name for name in sorted(shipped()) if not licence(name)]
    assert not silent, teach("No licence is no permission to use:", silent)


def test_every_pin_is_exact_and_gives_its_reason():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    offences = [line for line in lines if "==" not in line or not line.partition("#")[2].strip()]
    assert not offences, teach("Write `name==version  # why we need it`:", offences)
