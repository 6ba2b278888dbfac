"""What calcinosis did: dated, linked to the lesion where there is one. Frequencies: clinical-model 8 and 10."""

from __future__ import annotations

import datetime
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo import treatments
from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.deposits import Deposit
from calcinosis_registry.demo.people import TRAITS, Person
from calcinosis_registry.demo.told import Told, days

ORGANISMS = ("Staphylococcus aureus", "Streptococcus pyogenes", "coagulase-negative staphylococci")
LEVEL = "distal phalanx of the left index finger"


def complicate(
    person: Person, visit: Appointment, code: str, *, lesion: Told | None = None, onset: datetime.date | None = None,
    ended: datetime.date | None = None, **details: Any,
) -> Told:  # fmt: skip
    """Tell one complication reported at ``visit``."""
    day = onset or person.dice.day(visit.since + days(1), visit.day)
    visit.complications = True
    last = ended if ended is not None and day <= ended <= person.last_seen else None
    told = person.tell(
        "lesions.complication", visit=visit.told, code=code, onset=PartialDate.of(day),
        ended=PartialDate.of(last) if last else None, **{"admission": "N", **details},
    )  # fmt: skip
    if lesion is not None:
        person.records.append(Told("lesions.complicationlesion", {"complication": told, "lesion": lesion}))
    return told


def infect(person: Person, visits: list[Appointment], visit: Appointment, one: Deposit) -> treatments.Course:
    """The lesion as observed at ``visit`` is infected, and treated."""
    dice = person.dice
    course = treatments.against_infection(person, visits, visit.day)
    observation = next(told for told in visit.observations if told["lesion"] is one.told)
    sure = dice.chance(0.5) or person.index == TRAITS["infected"][1]
    organism = dice.one_of(ORGANISMS)
    observation.values |= {
        "infection": "CONFIRMED_CULTURE" if sure else "SUSPECTED", "drainage": "PURULENT", "fever": dice.answer(0.3),
        "organism": organism if sure else "", "antibiotic": course.told,
    }  # fmt: skip
    visit.infected = True
    deep = person.has("deep_infection")
    code = (
        dice.one_of(["OSTEOMYELITIS", "SEPTIC_ARTHRITIS"]) if deep else dice.pick({"CELLULITIS": 0.7, "ABSCESS": 0.3})
    )
    complicate(
        person, visit, code, lesion=one.told, ended=visit.day + days(dice.between(12, 40)),
        organism=organism if sure else "",
        antibiotics="Y", antibiotic=course.told, admission="Y" if deep else dice.answer(0.25),
        imaging_proof=dice.answer(0.8) if deep else "",
    )  # fmt: skip
    return course


def ulcer(person: Person, visit: Appointment, one: Deposit) -> None:
    """An ulcer on calcinosis heals in 93.6 (59.2) days on average."""
    onset = person.dice.day(max(visit.since + days(1), visit.day - days(60)), visit.day)
    ended = onset + days(person.dice.normal(93.6, 59.2, 15, 320))
    complicate(person, visit, "ULCER", lesion=one.told, onset=onset, ended=ended)


def extrusion(person: Person, visit: Appointment, one: Deposit) -> None:
    complicate(person, visit, "EXTRUSION", lesion=one.told)


def lasting(person: Person, kept: list[Appointment], deposits: list[Deposit]) -> None:
    """Complications that come from a trait of the patient rather than from a lesion's visit."""
    dice = person.dice
    felt: list[Told | None] = [one.told for one in deposits if not one.hidden]
    felt = felt or [None]

    def add(trait: str, code: str, **details: Any) -> None:
        if person.has(trait):
            complicate(person, dice.one_of(kept), code, lesion=dice.one_of(felt), **details)

    add(
        "nerve",
        "NERVE_COMPRESSION",
        nerve=dice.pick({"MEDIAN": 0.7, "ULNAR": 0.15, "DIGITAL": 0.1, "RADICULAR_SPINAL": 0.05}),
        nerve_conduction=dice.pick({"ABNORMAL": 0.6, "NORMAL": 0.1, "NOT_DONE": 0.3}),
    )
    add(
        "contracted",
        "CONTRACTURE",
        joint=dice.pick({"FINGER_PIP": 0.5, "ELBOW": 0.3, "KNEE": 0.2}),
        joint_side=dice.one_of("RL"),
        degrees=dice.whole(10, 60),
    )
    add("bone", "BONE_DESTRUCTION", imaging_proof=dice.answer(0.8))
    add("gangrene", "GANGRENE", level=LEVEL, admission="Y")
    add(
        "amputated", "AMPUTATION", level=LEVEL, amputation_kind=dice.pick({"SURGICAL": 0.6, "AUTO": 0.4}), admission="Y"
    )
    for code, share in (
        ("PAIN", 0.10),
        ("TENDERNESS", 0.08),
        ("COSMETIC", 0.05),
        ("SLEEP", 0.05),
        ("WORK_DISABILITY", 0.04),
    ):
        if dice.chance(share):
            nrs: dict[str, Any] = {"nrs": dice.nrs(5, 2)} if code in ("PAIN", "TENDERNESS") else {}
            complicate(person, dice.one_of(kept), code, **nrs)
