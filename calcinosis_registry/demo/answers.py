"""What is asked at every visit: pain and globals follow ulcers and burden; some answers are missing, as in life."""

from __future__ import annotations

import datetime
from typing import Any

from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import days, number, working_day

NOTES = (
    "Cold weather makes it worse.", "New ulcer after gardening.", "Uses warm gloves; fewer ulcers this season.",
    "Wants to try topical treatment first.", "Grip is weaker than last year.", "No change in daily life.",
)  # fmt: skip
MISSED = ("did not come", "ill at home", "travelling", "clinic cancelled", "unknown")


def answer(person: Person, visits: list[Appointment]) -> None:
    """Fill in the visits, oldest first."""
    dice = person.dice
    sensitivity, weight, height = dice.normal(0.9, 0.8, 0, 3.5), _weight(person), _height(person)
    before: int | None = None
    for visit in visits:
        values = visit.told.values
        if not visit.kept:
            values["missed_reason"] = dice.one_of(MISSED)
            continue
        values |= _ratings(person, visit, sensitivity)
        values |= _since(person, visit)
        if before is not None and visit.kind != "BASELINE" and dice.chance(0.85):
            values["global_change"] = _global_change(values["physician_global"], before)
        before = values["physician_global"] if values["physician_global"] is not None else before
        if visit.in_person and dice.chance(0.6):
            values["weight_kg"] = number(dice.normal(weight(visit.day), 1.5, 8, 150))
            values["height_cm"] = dice.maybe(0.5, number(height(visit.day)), None)
        values["note"] = dice.maybe(0.15, dice.one_of(NOTES), "")
        values["next_visit_due"] = _next(person, visit)
        _state(person, visit)


def _ratings(person: Person, visit: Appointment, sensitivity: float) -> dict[str, Any]:
    dice = person.dice
    trouble = sensitivity + 1.5 * min(visit.ulcers, 3) + 2.0 * visit.infected + 0.5 * min(visit.flares, 2)
    values: dict[str, Any] = {
        "calcinosis_present": "Y" if visit.active or _any_open(visit) else "N",
        "pain_nrs": dice.nrs(0.6 + trouble), "patient_global": dice.nrs(0.8 + trouble + 0.15 * visit.active, 1.2),
        "physician_global": dice.nrs(0.4 + 0.8 * trouble + 0.25 * visit.active, 0.8),
    }  # fmt: skip
    if visit.worst_pain:
        values["worst_lesion_nrs"] = dice.maybe(0.7, visit.worst_pain, None)
    if dice.chance(0.2):
        values["pain_vas"] = round(dice.normal(10 * values["pain_nrs"], 6, 0, 100))
    for name, column, share in (("pain_nrs", "pain", 0.05), ("patient_global", "patient_global", 0.08)):
        if dice.chance(share):
            values |= {name: None, f"{column}_not_done": True}
    if visit.kind == "TELE" and dice.chance(0.5):
        values |= {"physician_global": None, "physician_global_not_done": True}
    return values


def _any_open(visit: Appointment) -> bool:
    """Lesions that were not examined are still there as far as anyone knows."""
    return any(told["status_change"] == "NOT_ASSESSED" for told in visit.observations)


def _since(person: Person, visit: Appointment) -> dict[str, Any]:
    dice = person.dice
    prone = 0.25 if person.scleroderma and person.has("ulcerating") else 0.06
    values: dict[str, Any] = {
        "new_digital_ulcer": dice.answer(prone * (1.4 if visit.winter else 0.8), blank=0.1),
        "treatments_changed": "LIST" if visit.treatments_changed else "NONE" if dice.chance(0.98) else "U",
        "complications": "LIST" if visit.complications else "NONE" if dice.chance(0.98) else "U",
    }  # fmt: skip
    if values["new_digital_ulcer"] == "Y":
        values["new_digital_ulcer_count"] = dice.pick({1: 0.6, 2: 0.25, 3: 0.1, 4: 0.05})
    return values


def _global_change(now: int | None, before: int) -> str:
    step = (before if now is None else now) - before
    return "1" if step <= -4 else "2" if step <= -2 else "3" if step < 2 else "4" if step < 4 else "5"


def _next(person: Person, visit: Appointment) -> datetime.date | None:
    if person.dice.chance(0.03):
        return None
    return working_day(visit.day + days(person.dice.pick({182: 0.78, 91: 0.08, 365: 0.14})))


def _state(person: Person, visit: Appointment) -> None:
    """Signed visits carry a signature; open ones still miss something."""
    dice, values = person.dice, visit.told.values
    if visit.state == "SIGNED":
        signed = min(visit.day + days(dice.random.expovariate(0.3)), max(person.until, visit.day))
        values["signed_by"] = person.clinician
        values["signed_at"] = datetime.datetime(
            signed.year, signed.month, signed.day, 16, dice.whole(0, 59), tzinfo=datetime.UTC
        )
    elif visit.state == "OPEN":
        for name in dice.some(["physician_global", "treatments_changed", "complications", "calcinosis_present"], 3):
            values[name] = None if name == "physician_global" else ""
        values["physician_global_not_done"] = False


def _weight(person: Person) -> Any:
    adult = person.dice.normal(76 if person.sex == "M" else 65, 12, 42, 120)
    return lambda day: adult if person.age_on(day) >= 17 else 9 + (adult - 9) * max(person.age_on(day), 1) / 17


def _height(person: Person) -> Any:
    adult = person.dice.normal(177 if person.sex == "M" else 164, 6.5, 145, 200)
    return lambda day: adult if person.age_on(day) >= 16 else 75 + (adult - 75) * max(person.age_on(day), 1) / 16
