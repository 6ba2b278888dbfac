"""The lesions and their course from visit to visit: size, change, ulcer, what became of them.

Sizes are simulated and measured; the recorded change is what the ±25 % rule reads from the sizes, as a clinician would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.places import Place, on_map, places
from calcinosis_registry.demo.told import Told, number
from lesions import scoring

GONE = frozenset({"RESOLVED", "EXTRUDED_COMPLETE", "EXCISED", "MERGED"})
SMALL_MM = 1.6  # below this nothing is felt any more
KINDS = {"SINGLE": 0.85, "CLUSTER": 0.12, "SHEET": 0.03}
FLORENCE = {"STONE": 0.905, "NET": 0.038, "PLATE": 0.047, "AMORPHOUS": 0.005, "UNCLASSIFIABLE": 0.005}
CONSISTENCY = {"STONE": "ROCK_HARD", "MOUSSE": "SOFT_CREAMY", "NET": "FIRM", "PLATE": "FIRM", "NA": "RUBBERY"}


@dataclass
class Deposit:
    """A lesion as it is; ``told`` is what the register knows of it."""

    told: Told
    length: float
    ratio: float
    drift: float  # log area per year, untreated
    prone: float  # chance of an ulcer at a visit
    method: str
    ulcer_size: float | None = None
    status: str = ""
    known: tuple[float, float] | None = None  # the size when it was last judged
    measured: dict[str, scoring.Measurement] = field(default_factory=dict)
    ever_ulcer: bool = False

    @property
    def open(self) -> bool:
        return self.status not in GONE

    @property
    def width(self) -> float:
        return self.length * self.ratio

    @property
    def hidden(self) -> bool:
        return self.told["visibility"] == "IMAGING_ONLY"

    @property
    def is_single(self) -> bool:
        return self.told["lesion_kind"] == "SINGLE"


def found_at_first(person: Person, first: Appointment) -> list[Deposit]:
    """The lesions of the baseline visit; more of them the longer the disease lasts."""
    dice = person.dice
    duration = (person.registered - person.onset).days / 365.25
    if person.index == 0:
        count = 8
    else:
        count = max(1, min(12, round(dice.random.gammavariate(1.3, 1.0) * (1.4 + 0.09 * min(duration, 25)) + 0.6)))
    count = max(count, 2) if person.traits & {"merging", "operated"} else count
    deposits = [deposit(person, first, place) for place in places(person, count)]
    targets = [one for one in deposits if one.is_single and not one.hidden][: dice.whole(2, 5)]
    for one in targets:
        one.told.values["target"] = True
    return deposits


def deposit(
    person: Person, visit: Appointment, place: Place, parent: Deposit | None = None, lineage: str = ""
) -> Deposit:
    """One lesion, first recorded at ``visit``."""
    dice = person.dice
    kind = "SHEET" if person.ctd == "OVERLAP" and dice.chance(0.2) else dice.pick(KINDS)
    if place["site"] == "GENERALISED":
        kind = "SHEET"
    deep = place["site"] in ("WRIST.CARPAL_TUNNEL", "OTHER") or place["site"].startswith("SPINE")
    visibility = (
        "IMAGING_ONLY" if deep else dice.pick({"VISIBLE_PALPABLE": 0.60, "PALPABLE_ONLY": 0.24, "IMAGING_ONLY": 0.16})
    )
    if parent is not None and visibility == "IMAGING_ONLY":
        visibility = "VISIBLE_PALPABLE"
    values = {
        **place, **(on_map(person, place) if dice.chance(0.5) else {}), **_morphology(person, kind, visibility),
        "visit": visit.told, "lesion_kind": kind,
        "number": 1 + sum(one.kind == "lesions.lesion" for one in person.records), "first_recorded": visit.day,
        "diagnostic_basis": _basis(person, visibility), "visibility": visibility, "target": False,
        "index_treated": False,
        "lineage": lineage, "parent": parent.told if parent else None, "merged_into": None, "first_noticed": None,
    }  # fmt: skip
    if parent is None and visit.kind == "BASELINE" and visibility != "IMAGING_ONLY" and dice.chance(0.8):
        values["first_noticed"] = dice.remembered(dice.day(person.calcinosis_on, max(visit.day, person.calcinosis_on)))
        if not values["first_noticed"].can_be_on_or_before(visit.day):
            values["first_noticed"] = PartialDate()
    return Deposit(
        person.tell("lesions.lesion", **values), length=_length(person, place["site"], kind),
        ratio=dice.between(0.45, 0.98),
        drift=_drift(person), prone=_prone(person, visibility),
        method=_method(person, values),
    )  # fmt: skip


def _method(person: Person, values: dict[str, Any]) -> str:
    if values["visibility"] == "IMAGING_ONLY":
        return {"US": "US", "CT": "CT", "MRI": "MRI"}.get(values["diagnostic_basis"][0], "XRAY")
    return "RULER" if person.index % 3 else "CALIPER"


def _length(person: Person, site: str, kind: str) -> float:
    """Longest diameter in mm."""
    middle = 7.0 if site.startswith("HAND") else 17.0
    size = middle * math.exp(person.dice.normal(0, 0.5, -1.1, 1.5))
    return size * {"SINGLE": 1.0, "CLUSTER": 1.8, "SHEET": 4.0}[kind]


def _drift(person: Person) -> float:
    """Most lesions stand still, some grow, few shrink."""
    dice = person.dice
    kind = dice.pick({"still": 0.47, "growing": 0.42, "shrinking": 0.11})
    return {
        "still": dice.normal(0.02, 0.06, -0.15, 0.2),
        "growing": dice.normal(0.48, 0.2, 0.15, 1.1),
        "shrinking": dice.normal(-0.5, 0.25, -1.3, -0.1),
    }[kind]


def _prone(person: Person, visibility: str) -> float:
    if visibility == "IMAGING_ONLY":
        return 0.0
    dice = person.dice
    if dice.chance(0.9 if person.has("ulcerating") or person.has("extruding") else 0.30):
        return dice.between(0.24, 0.55)
    return 0.015


def _morphology(person: Person, kind: str, visibility: str) -> dict[str, Any]:
    dice = person.dice
    values: dict[str, Any] = {"ssc_xray_morphology": "", "ssc_clinical_morphology": "", "mdi_types": ()}
    if person.myositis or person.ctd == "OVERLAP":
        types = {"SINGLE": "JDM_SUPERFICIAL", "CLUSTER": "JDM_TUMORAL", "SHEET": "JDM_PLANAR"}[kind]
        values["mdi_types"] = (types, "JDM_EXOSKELETON") if person.has("generalised") and kind == "SHEET" else (types,)
    if not person.myositis:
        seen = visibility != "IMAGING_ONLY"
        pattern = "PLATE" if kind == "SHEET" else dice.pick(FLORENCE)
        values["ssc_xray_morphology"] = pattern if not seen or dice.chance(0.7) else ""
        clinical = dice.pick({"MOUSSE": 0.318, pattern if pattern in CONSISTENCY else "NA": 0.682})
        values["ssc_clinical_morphology"] = dice.maybe(0.85, clinical, "") if seen else "NA"
    return values


def _basis(person: Person, visibility: str) -> tuple[str, ...]:
    dice = person.dice
    if visibility == "IMAGING_ONLY":
        return (dice.pick({"XRAY": 0.78, "US": 0.1, "CT": 0.08, "MRI": 0.04}),)
    return ("EXAM", "XRAY") if dice.chance(0.5) else ("EXAM",)


# --- One visit -----------------------------------------------


def observe(person: Person, visit: Appointment, one: Deposit, *, imaged: bool, status: str = "") -> Told:
    """What is recorded of the lesion at this visit. ``status``: what is known already (NEW, EXCISED, MERGED, ...)."""
    values: dict[str, Any] = {"visit": visit.told, "lesion": one.told, "observed": "EXAMINED"}
    seen = status or _seen(person, visit, one, imaged)
    if seen == "NOT_ASSESSED":
        values |= {"status_change": "NOT_ASSESSED", "observed": "NOT_EXAMINED"}
        return _written(person, visit, values)
    if visit.kind == "TELE":
        values["observed"] = "PATIENT_REPORTED"
    elif one.hidden:
        values["observed"] = "IMAGING_ONLY"
    if seen not in GONE:
        values |= _size(person, visit, one)
        changed = _change(person, one, values)
        seen = status or changed
    one.status = values["status_change"] = seen
    if seen in ("RESOLVED", "EXTRUDED_COMPLETE"):
        values["resolution_kind"] = person.dice.pick({"SPONTANEOUS": 0.7, "AFTER_TREATMENT": 0.2, "U": 0.1})
    if seen in GONE:
        one.ulcer_size = None
        return _written(person, visit, values)
    values |= _skin(person, visit, one)
    values |= _look(person, visit, one)
    visit.active += 1
    return _written(person, visit, values)


def _written(person: Person, visit: Appointment, values: dict[str, Any]) -> Told:
    observation = person.tell("lesions.lesionobservation", **values)
    visit.observations.append(observation)
    return observation


def _seen(person: Person, visit: Appointment, one: Deposit, imaged: bool) -> str:
    """NOT_ASSESSED, or what became of the lesion, or "" where its size will tell."""
    dice = person.dice
    if one.hidden:
        return "" if imaged and visit.in_person else "NOT_ASSESSED"
    if (visit.kind == "TELE" and one.told["target"]) or dice.chance(0.04):
        return "NOT_ASSESSED"
    if one.length < SMALL_MM:
        return "RESOLVED"
    if person.has("extruding") and dice.chance(0.06 if one.ulcer_size else 0.015):
        return "EXTRUDED_COMPLETE"
    return "RESOLVED" if dice.chance(0.004) else ""


def _size(person: Person, visit: Appointment, one: Deposit) -> dict[str, Any]:
    """Targets are always measured in two axes, others half the time; never by telephone."""
    dice = person.dice
    values: dict[str, Any] = {}
    if one.told["lesion_kind"] == "CLUSTER":
        values["count_estimate"] = dice.pick({"2-5": 0.4, "6-10": 0.3, "11-50": 0.2, ">50": 0.1})
    if visit.kind == "TELE" or not (one.told["target"] or dice.chance(0.5)):
        return values
    length, width = (
        max(number(size * dice.normal(1, 0.03, 0.9, 1.1)), number(0.5)) for size in (one.length, one.width)
    )
    values |= {"length_mm": min(length, number(400)), "size_method": one.method}
    if one.is_single or dice.chance(0.6):
        values["width_mm"] = min(length, width)
    if one.method in ("US", "CT", "MRI"):
        values["depth_mm"] = max(number(one.width * 0.6), number(0.5))
    if one.is_single:
        values["area_mm2"] = round(scoring.area_mm2(values["length_mm"], values["width_mm"]), 1)
    return values


def _change(person: Person, one: Deposit, values: dict[str, Any]) -> str:
    """LARGER, STABLE or SMALLER: from the measurements where there are two by one method, else by eye."""
    now = scoring.Measurement(values.get("length_mm"), values.get("width_mm"), values.get("size_method", ""))
    before = one.measured.get(now.method)
    if now.axes:
        one.measured[now.method] = now
    found = scoring.suggest_status(before, now) if before else None
    if one.known is None:
        one.known = (one.length, one.width)
    area, known = one.length * one.width, one.known[0] * one.known[1]
    one.known = (one.length, one.width)
    if found is not None:
        return found.status if person.dice.chance(0.98) else "STABLE"
    if area > 1.3 * known:
        return "LARGER"
    return "SMALLER" if area < 0.7 * known else "STABLE"


def _skin(person: Person, visit: Appointment, one: Deposit) -> dict[str, Any]:
    """Ulcer, drainage, infection, flare: asked of every lesion at every visit."""
    dice = person.dice
    values: dict[str, Any] = {
        "ulcerated": "N",
        "drainage": "NONE",
        "infection": "NONE",
        "flare": dice.answer(0.05, unknown=0.02),
    }
    visit.flares += values["flare"] == "Y"
    if one.hidden:
        return values
    heals = one.ulcer_size is not None and dice.chance(0.75)
    if one.ulcer_size is None and dice.chance(min(one.prone * (1.4 if visit.winter else 0.85), 0.9)):
        one.ulcer_size, one.ever_ulcer = max(0.5, one.length * dice.between(0.15, 0.7)), True
    elif heals:
        one.ulcer_size = None
    if one.ulcer_size is None:
        if dice.chance(0.01):
            values |= {"ulcerated": "U", "drainage": "U", "infection": "U"}
        return values
    visit.ulcers += 1
    chalk = {"CHALKY": 0.45, "MILKY": 0.12, "MIXED": 0.08} if person.has("extruding") else {}
    values |= {"ulcerated": "Y", "drainage": dice.pick({**chalk, "NONE": 0.5, "SEROUS": 0.25})}
    if visit.kind == "TELE" or dice.chance(0.12):
        values["ulcer_not_measured"] = True
    else:
        values["ulcer_size_mm"] = number(min(one.ulcer_size, 300))
    bases = {
        "GRANULATING": 0.3,
        "SLOUGH": 0.25,
        "EXPOSED_CALCIUM": 0.2,
        "EPITHELIALISING": 0.12,
        "DRY_NECROTIC": 0.1,
        "EXPOSED_BONE_TENDON": 0.03,
    }
    values["ulcer_base"] = dice.maybe(0.7, dice.pick(bases), "")
    return values


SKIN = {
    "NORMAL": 0.45,
    "WHITE_YELLOW_SHOWING": 0.25,
    "SCLEROTIC": 0.12,
    "ERYTHEMA": 0.08,
    "SHINY_ATROPHIC": 0.06,
    "HYPERKERATOTIC": 0.04,
}
TISSUE = {
    "SUBCUTANEOUS": 0.6,
    "INTRADERMAL": 0.15,
    "PERIARTICULAR": 0.1,
    "TENDON_PERITENDON": 0.05,
    "FASCIAL": 0.04,
    "MUSCLE": 0.02,
    "BURSA": 0.02,
    "UNKNOWN": 0.02,
}


def _look(person: Person, visit: Appointment, one: Deposit) -> dict[str, Any]:
    """Pain and function mostly; the rest at the first visits and now and then."""
    dice = person.dice
    values: dict[str, Any] = {}
    sore = (2.6 if one.ulcer_size else 0) + (1.2 if one.told["site"].endswith(("PULP", "DIST")) else 0)
    if not one.hidden and dice.chance(0.75):
        pain = dice.nrs(0.8 + sore, 1.4)
        visit.worst_pain = max(visit.worst_pain, pain)
        values |= {
            "lesion_pain_nrs": pain,
            "tenderness": str(max(1, min(3, round(pain / 3)))) if person.has("tender") and dice.chance(0.6) else "0",
        }
        values["functional_limit"] = dice.maybe(0.6, str(min(3, round(dice.normal(pain / 3.5, 0.6, 0, 3)))), "")
    if not dice.chance(0.75 if visit.kind == "BASELINE" else 0.25) or visit.kind == "TELE" or one.hidden:
        return values
    skin = (
        ("MACERATED",)
        if one.ulcer_size and dice.chance(0.2)
        else ("SCAR",)
        if one.ever_ulcer and dice.chance(0.3)
        else (dice.pick(SKIN),)
    )
    nervous = person.has("nerve") and "WRIST" in one.told["site"]
    return values | {
        "consistency": CONSISTENCY.get(one.told["ssc_clinical_morphology"] or "STONE",
        "FIRM") if dice.chance(0.93) else dice.one_of(["MIXED", "LIQUID_MILKY"]),
        "tissue_depth": dice.pick(TISSUE), "overlying_skin": skin, "mobile": dice.answer(0.4, blank=0.2),
        "nerve_compression": "Y" if nervous else dice.answer(0.01, blank=0.3),
        "contracture": "Y" if person.has("contracted") and dice.chance(0.5) else dice.answer(0.01, blank=0.3),
        "bone_erosion": "Y" if person.has("bone") and dice.chance(0.3) else dice.answer(0.01, blank=0.5),
        "certainty": dice.pick({"CERTAIN": 0.9, "PROBABLE": 0.1}),
    }  # fmt: skip


def age(person: Person, deposits: list[Deposit], years: float, effect: float) -> None:
    """Let the deposits grow or shrink for ``years`` under a treatment of that ``effect``."""
    for one in deposits:
        change = (one.drift + person.tempo - 0.55 * effect) * years + person.dice.normal(0, 0.05, -0.15, 0.15)
        one.length = min(one.length * math.exp(change / 2), 390)
