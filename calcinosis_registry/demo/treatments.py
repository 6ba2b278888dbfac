"""What was done: drug courses and what they achieve, care of wounds and joints, adverse events.

Doses are those clinical-model 7.2 quotes; where it quotes none the dose is not written down, as often in life.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Any

from calcinosis_registry.codebook import codelists
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import Told, days, number, years
from lesions.sites import DATA

# (agent, intent, route, dose, unit, frequency, share that responds, share of patients)
Regimen = tuple[str, str, str, float | None, str, str, float, float]
FOR_CALCINOSIS: tuple[Regimen, ...] = (
    ("DILTIAZEM", "CALCINOSIS", "ORAL", 240, "mg", "DAILY", 0.5, 0.30),
    ("COLCHICINE", "CALCINOSIS", "ORAL", 1, "mg", "DAILY", 0.35, 0.18),
    ("MINOCYCLINE", "CALCINOSIS", "ORAL", 50, "mg", "CYCLIC", 0.6, 0.12),
    ("ALENDRONATE", "CALCINOSIS", "ORAL", 70, "mg", "WEEKLY", 0.25, 0.06),
    ("PAMIDRONATE", "CALCINOSIS", "IV", 60, "mg", "EVERY_4_WEEKS", 0.4, 0.05),
    ("ZOLEDRONATE", "CALCINOSIS", "IV", 5, "mg", "YEARLY", 0.3, 0.04),
    ("SODIUM_THIOSULFATE", "CALCINOSIS", "TOPICAL", 25, "%", "BID", 0.45, 0.12),
    ("SODIUM_THIOSULFATE", "CALCINOSIS", "IV", 12.5, "g", "THREE_WEEKLY", 0.45, 0.04),
    ("SODIUM_METABISULFITE", "CALCINOSIS", "TOPICAL", 25, "%", "BID", 0.35, 0.04),
    ("RITUXIMAB", "CALCINOSIS", "IV", 1, "g", "EVERY_2_WEEKS", 0.4, 0.05),
    ("IVIG", "CALCINOSIS", "IV", 2, "g/kg", "EVERY_4_WEEKS", 0.4, 0.04),
    ("TOFACITINIB", "CALCINOSIS", "ORAL", 5, "mg", "BID", 0.5, 0.03),
    ("PROBENECID", "CALCINOSIS", "ORAL", 0.5, "g", "BID", 0.2, 0.015),
    ("ALUMINIUM_HYDROXIDE", "CALCINOSIS", "ORAL", 1.8, "g", "DAILY", 0.2, 0.015),
    ("WARFARIN", "CALCINOSIS", "ORAL", 1, "mg", "DAILY", 0.05, 0.02),
    ("TREPROSTINIL", "CALCINOSIS", "ORAL", 0.125, "mg", "TID", 0.1, 0.01),
    ("CARBAMIDE", "CALCINOSIS", "TOPICAL", None, "", "BID", 0.1, 0.10),
)  # fmt: skip
UNDERLYING: tuple[Regimen, ...] = (
    ("METHOTREXATE", "UNDERLYING_CTD", "SC", 15, "mg", "WEEKLY", 0.5, 0.30),
    ("MYCOPHENOLATE", "UNDERLYING_CTD", "ORAL", None, "", "BID", 0.5, 0.22),
    ("HYDROXYCHLOROQUINE", "UNDERLYING_CTD", "ORAL", None, "", "DAILY", 0.4, 0.25),
    ("PREDNISONE", "UNDERLYING_CTD", "ORAL", 5, "mg", "DAILY", 0.4, 0.25),
    ("CYCLOPHOSPHAMIDE", "UNDERLYING_CTD", "IV", None, "", "EVERY_4_WEEKS", 0.4, 0.03),
    ("OTHER", "UNDERLYING_CTD", "SC", None, "", "OTHER", 0.3, 0.01),
)  # fmt: skip
VASCULAR: tuple[Regimen, ...] = (
    ("NIFEDIPINE", "VASCULAR", "ORAL", None, "", "DAILY", 0.4, 0.30),
    ("AMLODIPINE", "VASCULAR", "ORAL", None, "", "DAILY", 0.4, 0.20),
    ("ILOPROST", "VASCULAR", "IV", None, "", "CYCLIC", 0.5, 0.15),
    ("BOSENTAN", "VASCULAR", "ORAL", None, "", "BID", 0.5, 0.08),
    ("SILDENAFIL", "VASCULAR", "ORAL", None, "", "TID", 0.4, 0.12),
)  # fmt: skip
SUPPORTIVE: tuple[Regimen, ...] = (
    ("PARACETAMOL", "PAIN", "ORAL", 1, "g", "AS_NEEDED", 0.4, 0.30),
    ("IBUPROFEN", "PAIN", "ORAL", None, "", "AS_NEEDED", 0.4, 0.12),
    ("TRAMADOL", "PAIN", "ORAL", None, "", "AS_NEEDED", 0.3, 0.06),
    ("VITAMIN_D", "BONE", "ORAL", None, "", "DAILY", 0.0, 0.30),
    ("DENOSUMAB", "BONE", "SC", None, "", "EVERY_6_MONTHS", 0.0, 0.05),
)  # fmt: skip
ANTIBIOTICS = ("FLUCLOXACILLIN", "CEFALEXIN", "CLINDAMYCIN", "AMOXICILLIN_CLAVULANATE", "DOXYCYCLINE")
IN_WORDS = {"CYCLIC": "as in the clinic's protocol", "OTHER": "as prescribed"}
# How much a course slows the growth of the deposits, in log area per year.
EFFECT = {"COMPLETE": 1.0, "PARTIAL": 0.6, "NONE": 0.0, "WORSE": -0.2, "TOO_EARLY": 0.2, "U": 0.0, "": 0.0}


@dataclass
class Course:
    """A drug course of the story, from ``start`` to ``stop`` (None: still going on)."""

    told: Told
    start: datetime.date
    stop: datetime.date | None

    def effect_on(self, day: datetime.date) -> float:
        if self.told["intent"] != "CALCINOSIS" or not self.start <= day or (self.stop and self.stop < day):
            return 0.0
        return EFFECT[self.told["response"]]


@cache
def _atc() -> dict[str, dict[str, str]]:
    rows = {
        row["code"]: {"atc": row["atc"], "atc_version": row["atc_version"]}
        for row in codelists.read(DATA / "drugs.csv")
    }
    return rows | {"OTHER": {"atc": "", "atc_version": ""}}


def courses(person: Person, visits: list[Appointment]) -> list[Course]:
    """The drug courses planned for this patient; those for calcinosis follow one another until one helps."""
    dice, found = person.dice, []
    if dice.chance(0.72) or person.index == 0:
        start = dice.day(max(person.calcinosis_on, person.registered - years(2)), person.registered + days(200))
        for _line in range(dice.whole(1, 3)):
            if start >= person.last_seen:
                break
            course = begin(person, visits, _regimen(person, FOR_CALCINOSIS), start)
            found.append(course)
            if course.stop is None:
                break
            start = course.stop + days(dice.between(10, 150))
    others = [*VASCULAR] if person.scleroderma else []
    wanted = [
        regimen
        for regimen in (*UNDERLYING, *others, *SUPPORTIVE)
        if dice.chance(regimen[-1] * 0.6) or (person.index == 36 and regimen[0] == "OTHER")
    ]
    last = person.last_seen - days(1)
    found += [begin(person, visits, regimen, dice.day(person.onset, last)) for regimen in wanted]
    return found


def _regimen(person: Person, regimens: tuple[Regimen, ...]) -> Regimen:
    place = person.dice.random.choices(range(len(regimens)), weights=[one[-1] for one in regimens])[0]
    return regimens[place]


def begin(
    person: Person, visits: list[Appointment], regimen: Regimen, start: datetime.date, *, lasts: float | None = None
) -> Course:
    """Tell one course, its end and its response."""
    dice = person.dice
    agent, intent, route, dose, unit, frequency, responds, _share = regimen
    start = max(start, person.born)
    stop = start + days(lasts if lasts is not None else dice.random.gammavariate(1.6, 420) + 40)
    ended = stop <= person.last_seen and (lasts is not None or dice.chance(0.75))
    response = _response(person, responds, recent=not ended and (person.until - start).days < 90)
    values: dict[str, Any] = {
        "agent": agent, "agent_other": "an invented drug" if agent == "OTHER" else "", **_atc()[agent],
        "intent": intent,
        "route": route, "dose": None if dose is None else number(dose, 3),
        "dose_unit": unit if dose is not None else "",
        "frequency": frequency, "frequency_text": IN_WORDS.get(frequency, ""), "ongoing": "N" if ended else "Y",
        "start": _written(person, start), "stop": PartialDate.of(stop) if ended else None, "response": response,
        "assessor": dice.pick({"CLINICIAN": 0.8, "PATIENT": 0.1, "RECORDS": 0.1}) if response else "",
        "visit": next((one.told for one in visits if one.kept and one.day >= start), None),
    }  # fmt: skip
    if ended:
        values["reason_stopped"] = _why(person, response)
    for one in visits:
        if one.since < start <= one.day or (ended and one.since < stop <= one.day):
            one.treatments_changed = True
    return Course(person.tell("lesions.treatmentcourse", **values), start, stop if ended else None)


def _written(person: Person, day: datetime.date) -> PartialDate:
    if day < person.registered:
        return person.dice.one_of([PartialDate(day.year), PartialDate(day.year, day.month)])
    return PartialDate.of(day)


def _response(person: Person, responds: float, *, recent: bool) -> str:
    dice = person.dice
    if recent:
        return "TOO_EARLY"
    if dice.chance(responds):
        return "COMPLETE" if dice.chance(0.06) else "PARTIAL"
    return dice.pick({"NONE": 0.72, "WORSE": 0.10, "U": 0.10, "": 0.08})


def _why(person: Person, response: str) -> str:
    if response in ("NONE", "WORSE"):
        return person.dice.pick({"INEFFECTIVE": 0.75, "ADVERSE_EVENT": 0.15, "PATIENT_CHOICE": 0.1})
    return person.dice.pick(
        {"ADVERSE_EVENT": 0.2, "REMISSION": 0.25, "PATIENT_CHOICE": 0.2, "COST_ACCESS": 0.1, "OTHER": 0.15, "U": 0.1}
    )


def against_infection(person: Person, visits: list[Appointment], day: datetime.date) -> Course:
    """An antibiotic course of ten to twenty days; the dose stands in the prescription, not here."""
    agent = person.dice.one_of(ANTIBIOTICS)
    regimen: Regimen = (agent, "INFECTION", "ORAL", None, "", "TID", 0.9, 0.0)
    return begin(person, visits, regimen, day, lasts=person.dice.between(10, 20))


def into_lesions(person: Person, visits: list[Appointment], aimed_at: list[Told], day: datetime.date) -> Course:
    """Sodium thiosulfate into the lesion, weekly for four weeks (clinical-model 7.2), seldom triamcinolone."""
    regimen: Regimen = ("SODIUM_THIOSULFATE", "CALCINOSIS", "INTRALESIONAL", 150, "mg/mL", "WEEKLY", 0.6, 0.0)
    if person.dice.chance(0.15):
        regimen = ("TRIAMCINOLONE", "CALCINOSIS", "INTRALESIONAL", 20, "mg/mL", "ONCE", 0.4, 0.0)
    course = begin(person, visits, regimen, day, lasts=28)
    for lesion in aimed_at:
        lesion.values["index_treated"] = True
        person.records.append(Told("lesions.treatmentlesion", {"course": course.told, "lesion": lesion}))
    return course


# --- Care and harm -----------------------------------------------

EVENTS = (
    "ankle swelling",
    "diarrhoea",
    "nausea",
    "dizziness",
    "skin staining",
    "headache",
    "burning at the injection site",
)


def adverse_events(person: Person, given: list[Course], procedures: list[Told]) -> None:
    """Some courses do harm; so, seldom, does a procedure."""
    dice = person.dice
    for course in given:
        stopped = course.told["reason_stopped"] == "ADVERSE_EVENT"
        if not (stopped or dice.chance(0.2 if person.has("adverse") else 0.01)):
            continue
        _adverse(
            person, course=course.told, start=course.start, latest=course.stop or person.last_seen, stopped=stopped
        )
    if procedures and person.has("serious"):
        day = procedures[0]["performed_on"].latest
        _adverse(person, procedure=procedures[0], start=day, latest=person.last_seen, stopped=False)


def _adverse(
    person: Person, *, start: datetime.date, latest: datetime.date, stopped: bool, **source: Told
) -> None:  # fmt: skip
    dice = person.dice
    onset = dice.day(start, max(start, min(latest, start + days(120))))
    serious = (person.has("serious") and dice.chance(0.6)) or "procedure" in source
    ended = onset + days(dice.between(5, 60))
    over = ended <= person.last_seen
    person.tell(
        "lesions.adverseevent", term=dice.one_of(EVENTS) if "course" in source else "wound infection", ctcae_term="",
        grade="3" if serious else dice.pick({"1": 0.6, "2": 0.4}), onset=PartialDate.of(onset),
        ended=PartialDate.of(ended) if over else None, serious="Y" if serious else "N",
        seriousness=("HOSPITALISATION",) if serious else (),
        relatedness=dice.pick({"POSSIBLE": 0.45, "PROBABLE": 0.4, "DEFINITE": 0.1, "U": 0.05}),
        action_taken="STOPPED" if stopped else dice.pick({"NONE": 0.5, "DOSE_REDUCED": 0.3,
        "INTERRUPTED": 0.2}) if "course" in source else "NA",
        outcome="RECOVERED" if over else "RECOVERING", **source,
    )  # fmt: skip


def care(person: Person, visits: list[Appointment], ulcerated: list[tuple[Appointment, Told]]) -> None:
    """Dressings for ulcers, therapy for hands."""
    dice = person.dice
    if person.has("wound_care") and ulcerated:
        first, lesion = ulcerated[0]
        stop = first.day + days(dice.normal(93.6, 59.2, 14, 300))
        over = stop <= person.last_seen
        care = person.tell(
            "lesions.woundcare", visit=first.told, dressing=dice.one_of(["hydrocolloid", "foam", "silver", "alginate"]),
            debridement=dice.pick({"NONE": 0.5, "SHARP": 0.2, "AUTOLYTIC": 0.2, "ENZYMATIC": 0.1}),
            emollient=dice.answer(0.7),
            product=dice.maybe(0.3, "paraffin ointment", ""),
            frequency=dice.one_of(["DAILY", "ALTERNATE_DAYS", "TWICE_WEEKLY"]),
            start=PartialDate.of(first.day), stop=PartialDate.of(stop) if over else None,
            response=dice.pick({"COMPLETE": 0.5, "PARTIAL": 0.4, "NONE": 0.1}) if over else "TOO_EARLY",
        )  # fmt: skip
        person.records.append(Told("lesions.woundcarelesion", {"care": care, "lesion": lesion}))
    if person.has("physiotherapy"):
        start = dice.day(person.registered, person.last_seen)
        stop = start + days(dice.between(40, 200))
        person.tell(
            "lesions.physiotherapy", therapy=dice.pick({"PHYSIO": 0.45, "OT": 0.55}), sessions=dice.whole(4, 24),
            kinds=tuple(dice.some(["SPLINT", "HAND_EXERCISE", "AIDS"], 3)), start=PartialDate.of(start),
            stop=PartialDate.of(stop) if stop <= person.last_seen else None,
            response=dice.pick({"PARTIAL": 0.5, "NONE": 0.3, "U": 0.2}),
            visit=next((one.told for one in visits if one.kept and one.day >= start), None),
        )  # fmt: skip
