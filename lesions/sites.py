"""Anatomical sites and sides of lesions, from ``data/sites.csv`` (clinical-model 5.1, 5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.codebook import codelists

DATA = Path(__file__).parent / "data"

RIGHT, LEFT, MIDLINE = "R", "L", "M"
_SIDE_WORDS = {RIGHT: "Right", LEFT: "Left"}


@dataclass(frozen=True, kw_only=True)
class Site:
    """One site. ``laterality``: REQUIRED, OPTIONAL or NONE; ``spot``: a single spot on the map, not a region."""

    code: str
    label: str
    parent: str
    laterality: str
    spot: bool
    region_group: str
    snomed: str
    snomed_mark: str
    note: str


SITES: dict[str, Site] = {
    row["code"]: Site(**(row | {"spot": row["spot"] == "1"}))  # type: ignore[arg-type]
    for row in codelists.read(DATA / "sites.csv")
}
ASPECTS: dict[str, str] = dict(codelists.choices(DATA / "aspects.csv"))


def site(code: str) -> Site:
    """The site; raises ValueError naming an unknown code."""
    try:
        return SITES[code]
    except KeyError:
        raise ValueError(f"Unknown site {code!r}") from None


def check_laterality(code: str, laterality: str) -> str | Promise | None:
    """What is wrong with a side ("R", "L", "M" or "") at a site, or None. Raises ValueError for an unknown site."""
    place = site(code)
    if laterality not in (RIGHT, LEFT, MIDLINE, ""):
        return _("A lesion is right, left or midline; record lesions on both sides as two lesions.")
    if place.laterality == "REQUIRED" and laterality not in (RIGHT, LEFT):
        return format_lazy(_("Choose right or left: {site} has two sides."), site=place.label)
    if place.laterality == "NONE" and laterality in (RIGHT, LEFT):
        return format_lazy(_("{site} has no right or left; leave the side empty or choose midline."), site=place.label)
    return None


def describe(code: str, laterality: str = "", aspect: str = "") -> str:
    """Plain words for a place: "Right thumb, pulp", "Left elbow, extensor", "Abdomen, midline"."""
    words = site(code).label
    if laterality in _SIDE_WORDS:
        words = f"{_SIDE_WORDS[laterality]} {words[0].lower()}{words[1:]}"
    extra = ["midline"] if laterality == MIDLINE else []
    if aspect:
        if aspect not in ASPECTS:
            raise ValueError(f"Unknown aspect {aspect!r}")
        # "Right thumb, pulp, pulp" says nothing more.
        extra += [ASPECTS[aspect]] if not words.endswith(ASPECTS[aspect]) else []
    return ", ".join([words, *extra])


def children(code: str) -> list[Site]:
    """The sites directly inside one, in file order."""
    site(code)
    return [one for one in SITES.values() if one.parent == code]


def descendants(code: str) -> list[Site]:
    """Every site inside one, at any depth, not itself."""
    found = []
    for child in children(code):
        found += [child, *descendants(child.code)]
    return found
