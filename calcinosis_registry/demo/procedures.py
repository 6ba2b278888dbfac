"""Knife, laser, shock wave, needle; biopsies. Published outcomes: clinical-model 7.3."""

from __future__ import annotations

import datetime
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.deposits import Deposit
from calcinosis_registry.demo.people import TRAITS, Person
from calcinosis_registry.demo.told import Told, days, number

SURGERY = frozenset({"EXCISION", "DEBULKING", "CURETTAGE", "BURR", "AMPUTATION", "NERVE_RELEASE"})
# What is left of the lesion's diameter.
LEAVES = {
    "EXCISION": 0.0,
    "CURETTAGE": 0.0,
    "DEBULKING": 0.45,
    "BURR": 0.4,
    "CO2_LASER": 0.5,
    "ESWL": 0.85,
    "ASPIRATION": 0.8,
    "NEEDLING": 0.85,
}
RESULTS = {
    "EXCISION": {"COMPLETE": 0.79, "PARTIAL": 0.18, "NONE": 0.03},
    "": {"COMPLETE": 0.3, "PARTIAL": 0.5, "NONE": 0.2},
}


def plan(person: Person, kept: list[Appointment]) -> dict[int, str]:
    """{place of a later visit: the procedure done before it}."""
    dice = person.dice
    wanted = []
    if person.has("operated"):
        wanted.append(dice.pick({"EXCISION": 0.6, "CURETTAGE": 0.12, "DEBULKING": 0.2, "BURR": 0.08}))
    if person.index == 0:
        wanted = ["EXCISION"]
    for trait, code in (
        ("laser", "CO2_LASER"),
        ("shock_wave", "ESWL"),
        ("nerve", "NERVE_RELEASE"),
        ("amputated", "AMPUTATION"),
    ):
        wanted += [code] if person.has(trait) else []
    if person.has("needled"):
        wanted.append(dice.one_of(["ASPIRATION", "NEEDLING"]))
    later = [place for place, visit in enumerate(kept) if place and visit.in_person]
    return {dice.one_of(later): code for code in wanted} if later else {}


def perform(person: Person, visit: Appointment, code: str, deposits: list[Deposit]) -> tuple[Told, dict[int, str]]:
    """Tell the procedure done before ``visit``; returns it and {id of a deposit: status} of what it removed."""
    dice = person.dice
    open_now = sorted(
        (one for one in deposits if one.open and not one.hidden and one.status),
        key=lambda one: -(one.ulcer_size or 0) - one.length / 50,
    )
    chosen = [] if code in ("NERVE_RELEASE", "AMPUTATION") else open_now[: dice.whole(1, 2)]
    if code in LEAVES and not chosen:
        code = "NEEDLING"
    day = dice.day(visit.since + days(1), visit.day)
    told = person.tell("lesions.procedure", **_values(person, code, day))
    visit.treatments_changed = True
    removed = {}
    for one in chosen:
        person.records.append(Told("lesions.procedurelesion", {"procedure": told, "lesion": one.told}))
        left = LEAVES[code]
        if left == 0:
            removed[id(one)] = "EXCISED"
        one.length = max(one.length * left, 2.0)
    return told, removed


def _values(person: Person, code: str, day: datetime.date) -> dict[str, Any]:
    dice = person.dice
    healed = day + days(dice.between(14, 70))
    values: dict[str, Any] = {
        "code": code, "performed_on": PartialDate.of(day), "response": dice.pick(RESULTS.get(code, RESULTS[""])),
        "assessor": "CLINICIAN", "healed": PartialDate.of(healed) if healed <= person.last_seen else None,
        "complications": tuple(name for name,
        share in (("DELAYED_HEALING", 0.13), ("INFECTION", 0.10)) if dice.chance(share)),
    }  # fmt: skip
    if code in SURGERY:
        values["anaesthesia"] = dice.pick({"LOCAL": 0.8, "REGIONAL": 0.12, "GENERAL": 0.08})
        values["closure"] = dice.pick({"PRIMARY": 0.7, "SECONDARY": 0.25, "GRAFT_FLAP": 0.05})
    if code == "AMPUTATION":
        values["level"] = "distal phalanx of the left index finger"
    if code == "CO2_LASER":
        values |= {"passes": dice.whole(1, 4), "fluence": number(dice.between(5, 20), 2)}
    if code == "ESWL":
        values |= {"sessions": dice.whole(3, 5), "energy": number(dice.between(0.05, 0.3), 3)}
    return values


def recur(person: Person, visit: Appointment, procedure: Told) -> None:
    """The lesion is back: the procedure's result says so."""
    procedure.values["complications"] = ("RECURRENCE", *procedure["complications"])
    procedure.values["response"] = "PARTIAL"


def biopsies(person: Person, kept: list[Appointment], deposits: list[Deposit], done: list[Told]) -> None:
    """Rare, and slow to heal; an excision sometimes goes to histology."""
    dice = person.dice
    felt = [one for one in deposits if not one.hidden]
    if not person.has("biopsied") or not felt:
        return
    surgery = next((one for one in done if one["code"] in ("EXCISION", "CURETTAGE")), None)
    day = surgery["performed_on"].latest if surgery else dice.day(person.calcinosis_on, kept[0].day)
    healed = day + days(dice.between(20, 120))
    taken = person.tell(
        "lesions.biopsy", taken_on=PartialDate.of(day), lesion=dice.one_of(felt).told,
        method="SURGICAL_SPECIMEN" if surgery else dice.pick({"PUNCH": 0.5, "INCISIONAL": 0.2, "EXCISIONAL": 0.2,
        "NEEDLE": 0.1}),
        level=dice.pick({"DERMIS": 0.2, "SUBCUTIS": 0.7, "DEEPER": 0.1}),
        stains=("HE", "VON_KOSSA") if dice.chance(0.8) else ("HE", "ALIZARIN_RED"),
        calcium_confirmed=dice.pick({"Y": 0.95, "U": 0.05}), inflammation=str(dice.whole(0, 2)),
        foreign_body_reaction=dice.answer(0.3),
        ossification=dice.answer(0.05),
        other_diagnosis="epidermal cyst" if person.index == TRAITS["biopsied"][1] or dice.chance(0.05) else "",
        wound_healed=PartialDate.of(healed) if healed <= person.last_seen else None,
        healing_complication=dice.answer(0.2),
    )  # fmt: skip
    if surgery:
        surgery.values["histology"] = taken
