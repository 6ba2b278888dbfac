"""An invented register: one patient's whole course, told from a seed. Pure: no database, no clock.

The totals of many courses resemble clinical-model section 10; no patient of it ever lived.
"""

from __future__ import annotations

import datetime

from calcinosis_registry.demo import answers, complications, imaging, laboratory, procedures, reviews, treatments
from calcinosis_registry.demo.appointments import Appointment, appointments
from calcinosis_registry.demo.deposits import Deposit, age, deposit, found_at_first, observe
from calcinosis_registry.demo.people import Person, introduce, meet
from calcinosis_registry.demo.places import places
from calcinosis_registry.demo.told import Told
from calcinosis_registry.demo.treatments import Course


def tell(*, seed: int, index: int, clinic: Told, clinician: Told, until: datetime.date) -> list[Told]:
    """Every record of patient ``index`` of the register ``seed``, as it stands on the day ``until``.

    ``clinic`` and ``clinician`` (who signs) stand for rows the caller has.
    """
    person = meet(seed=seed, index=index, clinic=clinic, clinician=clinician, until=until)
    introduce(person)
    visits = appointments(person)
    kept = [visit for visit in visits if visit.kept]
    deposits = found_at_first(person, kept[0])
    given = treatments.courses(person, visits)
    if person.has("intralesional"):
        felt = [one.told for one in deposits if not one.hidden][:2]
        if felt and len(kept) > 1:
            given.append(treatments.into_lesions(person, visits, felt, kept[1].since))
    life = Life(person, visits, kept, deposits, given)
    life.live()
    complications.lasting(person, kept, deposits)
    procedures.biopsies(person, kept, deposits, life.done)
    treatments.adverse_events(person, given, life.done)
    treatments.care(person, visits, life.ulcerated)
    answers.answer(person, visits)
    reviews.review(person, kept)
    laboratory.tests(person, kept)
    imaging.studies(person, kept, deposits)
    return person.records


class Life:
    """The lesions from visit to visit, with what is done to them and what they do."""

    def __init__(
        self, person: Person, visits: list[Appointment], kept: list[Appointment], deposits: list[Deposit],
        given: list[Course]
    ) -> None:  # fmt: skip
        self.person, self.visits, self.kept, self.deposits, self.given = person, visits, kept, deposits, given
        self.done: list[Told] = []
        self.ulcerated: list[tuple[Appointment, Told]] = []
        self.told_ulcers: set[int] = set()
        self.back: list[tuple[Deposit, Told]] = []  # excised, and going to come back

    def live(self) -> None:
        planned = procedures.plan(self.person, self.kept)
        imaged = -1000
        for place, visit in enumerate(self.kept):
            removed: dict[int, str] = {}
            if place:
                self._time_passes(visit)
                if place in planned:
                    removed = self._operate(visit, planned[place])
            image_now = place == 0 or ((visit.day - self.kept[0].day).days - imaged > 300 and self.person.has("imaged"))
            imaged = (visit.day - self.kept[0].day).days if image_now else imaged
            for one in [one for one in self.deposits if one.open]:
                status = removed.get(id(one)) or ("NEW" if one.told["first_recorded"] == visit.day else "")
                self._look_at(visit, one, image_now, status)
            if place:
                self._appear(visit)
            self._infection(visit, place)

    def _time_passes(self, visit: Appointment) -> None:
        years = (visit.day - visit.since).days / 365.25
        middle = visit.since + (visit.day - visit.since) / 2
        effect = max((course.effect_on(middle) for course in self.given), default=0.0)
        age(self.person, [one for one in self.deposits if one.open], years, effect)

    def _look_at(self, visit: Appointment, one: Deposit, imaged: bool, status: str) -> None:
        dice = self.person.dice
        observation = observe(self.person, visit, one, imaged=imaged or status == "NEW", status=status)
        if observation["status_change"] == "EXTRUDED_COMPLETE" or observation["drainage"] == "CHALKY":
            if dice.chance(0.5):
                complications.extrusion(self.person, visit, one)
        if observation["ulcerated"] == "Y":
            self.ulcerated.append((visit, one.told))
            if id(one) not in self.told_ulcers and dice.chance(0.5):
                self.told_ulcers.add(id(one))
                complications.ulcer(self.person, visit, one)

    def _operate(self, visit: Appointment, code: str) -> dict[int, str]:
        told, removed = procedures.perform(self.person, visit, code, self.deposits)
        self.done.append(told)
        for one in self.deposits:
            if id(one) in removed and (self.person.dice.chance(0.3) or self.person.has("recurring")):
                self.back.append((one, told))
        return removed

    def _appear(self, visit: Appointment) -> None:
        """New lesions; what was excised comes back; two become one; one becomes two."""
        person, dice = self.person, self.person.dice
        if not visit.in_person:
            return
        if dice.chance(0.10) and len(self.deposits) < 16:
            self._first_seen(visit, deposit(person, visit, places(person, 1)[0]), "NEW")
        if (
            self.back
            and dice.chance(0.6)
            and self.back[0][0].status == "EXCISED"
            and self.back[0][0].told["first_recorded"] < visit.day
        ):
            old, procedure = self.back.pop(0)
            if procedure["performed_on"].latest < visit.since:
                self._first_seen(visit, self._child(visit, old, "RECURRENCE"), "RECURRED")
                procedures.recur(person, visit, procedure)
            else:
                self.back.append((old, procedure))
        self._merge_or_split(visit)

    def _child(self, visit: Appointment, parent: Deposit, lineage: str) -> Deposit:
        place = {name: parent.told[name] for name in ("site", "laterality", "aspect", "site_text")}
        return deposit(self.person, visit, place, parent=parent, lineage=lineage)

    def _first_seen(self, visit: Appointment, one: Deposit, status: str) -> None:
        self.deposits.append(one)
        self._look_at(visit, one, True, status)

    def _merge_or_split(self, visit: Appointment) -> None:
        person = self.person
        felt = [
            one
            for one in self.deposits
            if one.open and not one.hidden and one.status and one.told["first_recorded"] < visit.day
        ]
        if person.has("merging") and len(felt) > 1:
            kept, lost = felt[0], felt[1]
            self._rewrite(visit, lost, "MERGED", merged_into=kept.told)
            lost.told.values["merged_into"] = kept.told
            kept.length = min(kept.length + lost.length, 390)
            person.traits -= {"merging"}
        elif person.has("splitting") and felt:
            self._rewrite(visit, felt[0], "SPLIT")
            self._first_seen(visit, self._child(visit, felt[0], "SPLIT"), "NEW")
            person.traits -= {"splitting"}

    def _rewrite(self, visit: Appointment, one: Deposit, status: str, **also: object) -> None:
        """What was just recorded of the lesion is told otherwise."""
        observation = next((told for told in visit.observations if told["lesion"] is one.told), None)
        if observation is None:
            return
        if status == "MERGED":
            kept = {name: observation[name] for name in ("patient", "visit", "lesion")}
            observation.values = {**kept, **also, "observed": "EXAMINED"}
            one.ulcer_size = None
        observation.values["status_change"] = one.status = status

    def _infection(self, visit: Appointment, place: int) -> None:
        person = self.person
        if not (person.has("infected") or person.has("deep_infection")) or (place + 1 < len(self.kept) / 2):
            return
        felt = [one for one in self.deposits if one.open and not one.hidden and self._seen_now(visit, one)]
        if felt:
            sore = next((one for one in felt if one.ulcer_size), felt[0])
            self.given.append(complications.infect(person, self.visits, visit, sore))
            person.traits -= {"infected"}
            if person.has("deep_infection"):
                person.traits -= {"deep_infection"}

    @staticmethod
    def _seen_now(visit: Appointment, one: Deposit) -> bool:
        return any(told["lesion"] is one.told and told["ulcerated"] in ("Y", "N") for told in visit.observations)
