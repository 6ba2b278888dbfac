"""What is asked yearly or now and then: the disease review, skin, joints, questionnaires, daily life, the plan."""

from __future__ import annotations

from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import number
from patients.scoring import MRSS_SITES

GOALS = (
    "Fewer ulcers over the winter.",
    "Type without pain.",
    "Keep full grip of the right hand.",
    "Heal the ulcer at the elbow.",
)
STEPS = (
    "Continue, review in six months.",
    "Hand surgery opinion if it grows.",
    "Start topical treatment.",
    "Dressing clinic weekly.",
)
SKIN_CARE = ("Emollient twice a day, gloves for wet work.", "Protect the elbow with a pad.")
EXERCISES = ("Finger stretching, ten minutes a day.", "Warm wax bath, then hand exercises.")
MOUTH_AND_TRUNK = ("face", "anterior_chest", "abdomen")


def review(person: Person, kept: list[Appointment]) -> None:
    """Tell the records of the visits, oldest first."""
    mrss = _first_mrss(person)
    reviewed = -10_000
    for visit in kept:
        since_first = (visit.day - kept[0].day).days
        yearly = since_first - reviewed > 330
        if yearly:
            reviewed = since_first
        if visit.in_person:
            mrss = max(0.0, mrss + person.dice.normal(-0.4, 1.2, -4, 4))
            _examined(person, visit, yearly=yearly, mrss=mrss)
        _asked(person, visit, yearly=yearly)


def _examined(person: Person, visit: Appointment, *, yearly: bool, mrss: float) -> None:
    dice = person.dice
    if yearly and dice.chance(0.7):
        person.tell("patients.phenotype", visit=visit.told, **_phenotype(person, visit))
    if person.scleroderma and yearly and dice.chance(0.8):
        person.tell("lesions.skinscore", visit=visit.told, **_skin_score(person, mrss))
    if person.myositis and yearly:
        person.tell("lesions.myositisdamage", visit=visit.told, **_damage(person, visit))
    if dice.chance(0.3):
        signs = {
            "thickening": 0.7 if person.scleroderma else 0.15,
            "stiffness": 0.5,
            "whitish_patches": 0.3,
            "redness": 0.2,
            "warmth": 0.1,
        }
        person.tell(
            "lesions.skinsigns",
            visit=visit.told,
            **{name: dice.answer(share, blank=0.05) for name, share in signs.items()},
        )
    if yearly and visit.active and dice.chance(0.6):
        person.tell("lesions.distributionassessment", visit=visit.told, distribution=_distribution(person, visit))
    if yearly and (person.has("contracted") or dice.chance(0.08)):
        joint = dice.pick(
            {"FINGER_PIP": 0.4, "FINGER_DIP": 0.15, "ELBOW": 0.2, "WRIST": 0.1, "KNEE": 0.1, "NECK": 0.05}
        )
        person.tell(
            "lesions.limitedjoint", visit=visit.told, joint=joint, side="" if joint == "NECK" else dice.one_of("RL"),
            joint_detail=dice.one_of(["index", "middle finger", "ring finger"]) if joint.startswith("FINGER") else "",
            degrees=dice.maybe(0.8, dice.whole(1, 12) * 5, None),
        )  # fmt: skip


def _asked(person: Person, visit: Appointment, *, yearly: bool) -> None:
    dice = person.dice
    if person.has("questionnaires") and yearly:
        _questionnaires(person, visit)
    if dice.chance(0.22):
        worse = 0.15 + 0.2 * min(visit.ulcers, 3)
        person.tell(
            "patients.qualityoflife", visit=visit.told, sleep_disturbed=dice.answer(worse),
            work_disability=dice.answer(worse * 0.6),
            cosmetic_burden=dice.answer(0.4, blank=0.1), hand_limited=dice.answer(min(0.3 + worse, 0.95)),
            overall_nrs=dice.maybe(0.9, round(dice.normal(7 - visit.ulcers, 1.6, 0, 10)), None),
        )  # fmt: skip
    if dice.chance(0.30):
        values: dict[str, Any] = {"skin_care_advice": dice.answer(0.7), "exercise_advice": dice.answer(0.5)}
        values["skin_care_detail"] = (
            dice.maybe(0.6, dice.one_of(SKIN_CARE), "") if values["skin_care_advice"] == "Y" else ""
        )
        values["exercise_detail"] = (
            dice.maybe(0.6, dice.one_of(EXERCISES), "") if values["exercise_advice"] == "Y" else ""
        )
        person.tell(
            "patients.plan",
            visit=visit.told,
            goals=dice.one_of(GOALS),
            treatment_steps=dice.maybe(0.8, dice.one_of(STEPS), ""),
            **values,
        )
    if yearly and dice.chance(0.35):
        person.tell(
            "lesions.prevention", visit=visit.told, smoking_stop=dice.answer(0.2), cold_avoidance=dice.answer(0.9),
            trauma_avoidance=dice.answer(0.8),
        )  # fmt: skip


def _distribution(person: Person, visit: Appointment) -> str:
    regions = {told["lesion"]["site"].split(".")[0] + told["lesion"]["laterality"] for told in visit.observations}
    if "GENERALISED" in {region.rstrip("RLM") for region in regions}:
        return "UNIVERSALIS"
    return "LOCALISED" if len(regions) < 2 else "SPREAD"


def _phenotype(person: Person, visit: Appointment) -> dict[str, Any]:
    dice, ill = person.dice, person.scleroderma

    def yes(when_ill: float, otherwise: float = 0.02, blank: float = 0.08) -> str:
        return dice.answer(when_ill if ill else otherwise, blank=blank)

    ulcers_now = "Y" if visit.ulcers and ill else yes(0.12)
    values: dict[str, Any] = {
        "raynaud": yes(0.97, 0.25), "digital_ulcers_now": ulcers_now,
        "digital_ulcers_ever": "Y" if ulcers_now == "Y" else yes(0.5, 0.05),
        "pitting_scars": yes(0.5), "gangrene": "Y" if person.has("gangrene") else yes(0.01, 0.0),
        "autoamputation": yes(0.02, 0.0),
        "pulp_loss": yes(0.25),
        "capillaroscopy": dice.pick({"NOT_DONE": 0.35, "ACTIVE": 0.25, "LATE": 0.25, "EARLY": 0.08,
        "NON_SPECIFIC": 0.05, "NORMAL": 0.02}),
        "giant_capillaries": yes(0.5, 0.1, 0.4), "capillary_haemorrhages": yes(0.4, 0.1, 0.4),
        "ild": "Y" if person.has("pulmonary") else yes(0.4, 0.15),
        "pah": "Y" if person.has("hypertension") else yes(0.05, 0.0),
        "heart": yes(0.1, 0.03), "oesophagus": yes(0.7, 0.15), "intestine": yes(0.2, 0.03), "kidney": yes(0.03, 0.03),
        "renal_crisis": "Y" if person.has("renal_crisis") else yes(0.01, 0.0),
        "arthritis": yes(0.25, 0.3), "contracture": "Y" if person.has("contracted") else yes(0.2, 0.15),
        "friction_rub": yes(0.08, 0.0),
        "myositis": dice.answer(0.9 if person.myositis else 0.08), "acro_osteolysis": yes(0.25, 0.0),
        "fragility_fracture": dice.answer(0.08, blank=0.1),
        "fvc": dice.maybe(0.7, number(dice.normal(92, 17, 35, 135)), None),
        "dlco": dice.maybe(0.6, number(dice.normal(72, 17, 20, 120)), None),
        "damage_index": dice.maybe(0.15, number(dice.normal(5, 3, 0, 20)), None) if ill else None,
    }  # fmt: skip
    return values | _conditional(person, values) | _bone(person)


def _conditional(person: Person, values: dict[str, Any]) -> dict[str, Any]:
    """Asked only where the answer before was yes."""
    dice, found = person.dice, dict[str, Any]()
    if values["digital_ulcers_now"] == "Y":
        found |= {
            "digital_ulcer_count": dice.whole(1, 4),
            "digital_ulcer_origin": dice.pick(
                {"CALCINOSIS": 0.45, "PITTING_SCAR": 0.25, "PURE": 0.25, "GANGRENE": 0.02, "U": 0.03}
            ),
        }
    if values["digital_ulcers_ever"] == "Y":
        found["digital_ulcer_category"] = dice.pick({"EPISODIC": 0.45, "RECURRENT": 0.4, "CHRONIC": 0.12, "U": 0.03})
    if values["ild"] == "Y":
        found["hrct_extent"] = dice.maybe(0.6, dice.whole(1, 12) * 5, None)
    if values["pah"] == "Y":
        found["pah_by_catheter"] = dice.answer(0.8)
    for organ in ("heart", "oesophagus", "intestine"):
        if values[organ] == "Y":
            found[f"{organ}_since"] = dice.maybe(0.5, PartialDate(dice.day(person.onset, person.registered).year), None)
    if values["renal_crisis"] == "Y":
        found["renal_crisis_on"] = PartialDate(dice.day(person.onset, person.registered).year)
    if values["capillaroscopy"] not in ("NOT_DONE", "NORMAL"):
        found["capillaries_per_mm"] = dice.maybe(0.6, number(dice.normal(5, 1.5, 1, 10)), None)
    return found


def _bone(person: Person) -> dict[str, Any]:
    """T-score about -2.2 in SSc with calcinosis (section 10, row 2)."""
    dice = person.dice
    if not dice.chance(0.45) or person.age_on(person.registered) < 20:
        return {"osteoporosis": dice.answer(0.25, unknown=0.2, blank=0.2)}
    lumbar = dice.normal(-1.9, 1.1, -4.8, 2)
    hip = dice.normal(lumbar + 0.1, 0.5, -4.8, 2.2)
    return {
        "dxa_lumbar": number(lumbar),
        "dxa_hip": number(hip),
        "osteoporosis": "Y" if min(number(lumbar), number(hip)) <= number(-2.5) else "N",
    }


def _first_mrss(person: Person) -> float:
    middle = {"DCSSC": 18.0, "SINE": 0.0, "EARLY_VEDOSS": 1.0}.get(person.subset, 6.0)
    return person.dice.normal(middle, 4 if middle else 0, 0, 40)


def _skin_score(person: Person, mrss: float) -> dict[str, Any]:
    """The 17 sites for most, the total alone for others; fingers first, trunk last."""
    dice = person.dice
    if dice.chance(0.3):
        return {"total": min(51, round(mrss))}
    order = [
        *(name for name in MRSS_SITES if name.startswith(("fingers", "hand"))),
        *(name for name in MRSS_SITES if not name.startswith(("fingers", "hand", *MOUTH_AND_TRUNK))),
        *MOUTH_AND_TRUNK,
    ]
    points = dict.fromkeys(MRSS_SITES, 0)
    for _point in range(min(51, round(mrss))):
        free = [name for name in order if points[name] < 3]
        points[free[min(int(dice.random.expovariate(0.3)), len(free) - 1)]] += 1
    return {**points, "total": sum(points.values())}


def _damage(person: Person, visit: Appointment) -> dict[str, Any]:
    types = {code for told in visit.observations for code in told["lesion"]["mdi_types"]}
    present = {
        name: "Y" if f"JDM_{name.upper()}" in types else person.dice.pick({"N": 0.93, "NA": 0.07})
        for name in ("superficial", "tumoral", "planar", "exoskeleton")
    }
    return {
        **present,
        "severity_vas": person.dice.maybe(0.85, round(person.dice.normal(25 + 6 * visit.active, 14, 0, 100)), None),
    }


def _questionnaires(person: Person, visit: Appointment) -> None:
    """Hand disability keeps many from completing them (clinical-model 3, S21)."""
    dice, adult = person.dice, person.age_on(visit.day) >= 18
    hands = 0.6 + 0.25 * min(visit.ulcers, 3)
    middle = {
        "HAQ_DI": (hands, 0.5, 0, 3, 3), "CHFS": (14 + 12 * hands, 12, 0, 90, 0),
        "SCLEROID": (2 + 1.6 * hands, 1.2, 0, 10, 1),
        "MCQ": (20 + 12 * hands, 9, 0, 80, 0), "SHAQ_PAIN": (hands, 0.5, 0, 3, 2),
        "SHAQ_DIGITAL_ULCER": (hands, 0.6, 0, 3, 2),
        "PROMIS_PF": (45 - 5 * hands, 6, 20, 70, 1), "RCS": (3, 2, 0, 10, 0), "CHAQ": (hands * 0.8, 0.4, 0, 3, 3),
        "CMAS": (44, 5, 10, 52, 0),
    }  # fmt: skip
    choice = dice.some(["HAQ_DI", "CHFS", "MCQ"], 2) if adult else dice.some(["CHAQ", "CMAS"], 2)
    if adult and person.scleroderma:
        choice += dice.some(["SCLEROID", "SHAQ_PAIN", "SHAQ_DIGITAL_ULCER", "RCS"], 1)
    if adult and dice.chance(0.1):
        choice.append("PROMIS_PF")
    for instrument in choice:
        mean, spread, low, high, places = middle[instrument]
        done = dice.pick({"COMPLETE": 0.82, "PARTIAL": 0.07, "NOT_DONE": 0.11})
        values: dict[str, Any] = {
            "score": None if done == "NOT_DONE" else number(dice.normal(mean, spread, low, high), places)
        }
        if done != "COMPLETE":
            values["reason_not_done"] = dice.pick(
                {"HAND_DISABILITY": 0.5, "TIME": 0.2, "REFUSED": 0.1, "LANGUAGE": 0.1, "OTHER": 0.05, "U": 0.05}
            )
        person.tell(
            "patients.instrumentscore", visit=visit.told, instrument=instrument,
            version_label=dice.maybe(0.5, "1.0", ""), completion=done,
            mode=dice.pick({"SELF": 0.8, "CLINICIAN": 0.12, "PROXY": 0.08}),
            language=dice.pick({"en": 0.6, "pt-PT": 0.1, "de": 0.1, "": 0.2}),
            completed_on=visit.day if done != "NOT_DONE" else None, **values,
        )  # fmt: skip
