"""When the patient comes: about every six months, oftener in spring and autumn, sometimes not at all."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import Dice, Told, days, working_day

WINTER = (11, 12, 1, 2, 3)
STATE_AFTER = datetime.timedelta(days=70)


@dataclass
class Appointment:
    """One visit, kept or missed. The chapters add what happened since the one before."""

    day: datetime.date
    kind: str
    state: str
    told: Told
    since: datetime.date
    ulcers: int = 0
    infected: bool = False
    flares: int = 0
    active: int = 0
    worst_pain: int = 0
    area: float = 0.0
    treatments_changed: bool = False
    complications: bool = False
    observations: list[Told] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        return self.state != "MISSED"

    @property
    def in_person(self) -> bool:
        return self.kept and self.kind != "TELE"

    @property
    def winter(self) -> bool:
        return self.day.month in WINTER


def appointments(person: Person) -> list[Appointment]:
    """Baseline first; at least that one is kept. Days are strictly rising."""
    dice = person.dice
    yearly = dice.chance(0.12)
    first = working_day(person.registered + days(dice.between(0, 10)))
    if person.has("retrospective"):
        first = working_day(person.registered - days(dice.between(8, 40)))
    first = min(first, max(person.last_seen, person.registered))
    planned: list[tuple[datetime.date, str]] = [(first, "BASELINE")]
    while True:
        day = _next(dice, planned[-1][0], yearly)
        if day > person.last_seen:
            break
        planned.append((day, dice.pick({"FOLLOW_UP": 0.87, "UNSCHEDULED": 0.07, "TELE": 0.06})))
    return _as_kept(person, planned)


def _next(dice: Dice, day: datetime.date, yearly: bool) -> datetime.date:
    step = dice.normal(360, 25, 280, 460) if yearly else dice.normal(181, 24, 90, 270)
    if dice.chance(0.06):
        step = dice.between(25, 70)
    later = day + days(step)
    if later.month in (7, 8, 12) and dice.chance(0.45):
        later += days(dice.between(45, 70) if later.month == 7 else dice.between(20, 45))
    return working_day(later)


def _as_kept(person: Person, planned: list[tuple[datetime.date, str]]) -> list[Appointment]:
    dice, found, since = person.dice, [], person.onset
    for place, (day, kind) in enumerate(planned):
        last = place == len(planned) - 1
        missed = place > 0 and dice.chance(0.07)
        if missed:
            state = "MISSED"
        elif last and person.until - day < STATE_AFTER:
            state = dice.pick({"SIGNED": 0.45, "COMPLETE": 0.30, "OPEN": 0.25})
        else:
            state = "SIGNED" if dice.chance(0.97) else "COMPLETE"
        told = person.tell("patients.visit", state=state, visit_date=day, visit_type="FOLLOW_UP" if missed else kind)
        found.append(Appointment(day=day, kind=kind, state=state, told=told, since=since))
        if not missed:
            since = day
    return found
