"""Who the patients are: disease, dates, antibodies, criteria, consents. Shares follow clinical-model 4, 10 and 12.2."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo import names
from calcinosis_registry.demo.told import Dice, Told, days, number, working_day, years
from patients import scoring

DISEASES = {
    "SSC": 0.60, "DM_ADULT": 0.12, "JDM": 0.09, "MCTD": 0.05, "OVERLAP": 0.05, "UCTD": 0.02, "SLE": 0.02,
    "LUPUS_PANNICULITIS": 0.01, "AMYOPATHIC_DM": 0.015, "POLYMYOSITIS": 0.01, "RA": 0.01, "OTHER": 0.005,
}  # fmt: skip
SUBSETS = {"LCSSC": 0.70, "DCSSC": 0.18, "SINE": 0.05, "EARLY_VEDOSS": 0.03, "UNKNOWN": 0.04}
WOMEN = {"SSC": 0.87, "DM_ADULT": 0.74, "JDM": 0.70}
SCLERODERMA = frozenset({"SSC", "OVERLAP", "MCTD"})
MYOSITIS = frozenset({"DM_ADULT", "JDM", "AMYOPATHIC_DM", "POLYMYOSITIS"})
# What happens to a patient, and to how many. The second number is the patient of the register to whom it happens
# for certain, so that even a small register has one of each.
TRAITS = {
    "ulcerating": (0.50, 1), "extruding": (0.26, 2), "infected": (0.015, 3), "operated": (0.12, 4),
    "biopsied": (0.05, 5), "hand_score": (0.08, 6), "laser": (0.02, 7), "shock_wave": (0.02, 8), "needled": (0.03, 9),
    "nerve": (0.03, 10), "contracted": (0.10, 11), "bone": (0.03, 12), "amputated": (0.01, 13), "gangrene": (0.01, 14),
    "deep_infection": (0.004, 15), "metabolic": (0.008, 16), "merging": (0.02, 17), "splitting": (0.02, 18),
    "ct": (0.05, 19), "mri": (0.03, 20), "photographed": (0.15, 21), "adverse": (0.15, 22), "intralesional": (0.06, 23),
    "subset_changed": (0.04, 24), "genetic": (0.01, 25), "undiagnosed": (0.005, 26), "dead": (0.03, 27),
    "lost": (0.03, 28), "withdrawn": (0.015, 29), "quiet": (0.10, 30), "renal_crisis": (0.01, 31),
    "generalised": (0.01, 32), "recurring": (0.02, 33), "retrospective": (0.03, 34), "other_site": (0.01, 35),
    "serious": (0.01, 36), "no_research": (0.05, 37), "physiotherapy": (0.25, 38), "wound_care": (0.30, 39),
    "questionnaires": (0.45, 40), "pulmonary": (0.05, 41), "hypertension": (0.05, 42), "imaged": (0.65, 43),
    "tender": (0.30, 44),
}  # fmt: skip
# One patient to whom a lot of it happens: a good first page to look at.
SHOWCASE = frozenset(
    [
        "ulcerating",
        "extruding",
        "operated",
        "hand_score",
        "contracted",
        "imaged",
        "questionnaires",
        "wound_care",
        "physiotherapy",
        "photographed",
        "adverse",
        "intralesional",
        "biopsied",
    ]
)
NEVER_IN_SHOWCASE = frozenset(["dead", "lost", "withdrawn", "quiet", "metabolic", "no_research", "generalised"])


@dataclass
class Person:
    """One patient of the story with the facts the later chapters ask for."""

    index: int
    dice: Dice
    until: datetime.date
    clinic: Told
    clinician: Told
    ctd: str
    subset: str
    sex: str
    born: datetime.date
    onset: datetime.date
    calcinosis_on: datetime.date
    registered: datetime.date
    last_seen: datetime.date
    traits: frozenset[str]
    told: Told
    hand: str
    tempo: float  # how fast this patient's deposits grow, beside their own drift
    died: datetime.date | None = None
    records: list[Told] = field(default_factory=list)

    def tell(self, kind: str, **values: Any) -> Told:
        """Add a record of this patient to the story."""
        record = Told(kind, {"patient": self.told, **values})
        self.records.append(record)
        return record

    def has(self, trait: str) -> bool:
        return trait in self.traits

    @property
    def scleroderma(self) -> bool:
        return self.ctd in SCLERODERMA

    @property
    def myositis(self) -> bool:
        return self.ctd in MYOSITIS

    def age_on(self, day: datetime.date) -> int:
        return int((day - self.born).days / 365.25)


def meet(*, seed: int, index: int, clinic: Told, clinician: Told, until: datetime.date) -> Person:
    """The person ``index`` of a register, seen from the day ``until``."""
    dice = Dice(f"{seed}:{index}")
    ctd = dice.pick(DISEASES)
    traits = frozenset(
        name for name, (share, place) in TRAITS.items() if dice.chance(share) or index == place
    )  # fmt: skip
    if index == 45:
        ctd = "OTHER"
    if index == 0:
        ctd, traits = "SSC", (traits | SHOWCASE) - NEVER_IN_SHOWCASE
    sex = "F" if dice.chance(WOMEN.get(ctd, 0.9)) else "M"
    followed = 5.2 if index == 0 else min(dice.between(0.15, 6.5), dice.between(0.6, 7))
    registered = _seasonal(dice, until - years(followed), until)
    calcinosis_on = registered - years(dice.random.gammavariate(1.2, 2.2) + 0.05)
    onset, born = _beginnings(dice, ctd, calcinosis_on)
    person = Person(
        index=index, dice=dice, until=until, clinic=clinic, clinician=clinician, ctd=ctd, sex=sex, born=born,
        subset=dice.pick(SUBSETS) if ctd in ("SSC", "OVERLAP") else "", onset=onset, calcinosis_on=calcinosis_on,
        registered=registered, last_seen=until, traits=traits, told=Told("patients.patient", {}),
        hand=dice.pick({"R": 0.88, "L": 0.09, "AMBI": 0.02, "U": 0.01}), tempo=dice.normal(0.08, 0.2, -0.35, 0.6),
    )  # fmt: skip
    _ending(person)
    return person


def _seasonal(dice: Dice, day: datetime.date, until: datetime.date) -> datetime.date:
    """Out-patient clinics are fuller in spring and autumn than in the holidays."""
    if day.month in (7, 8, 12) and dice.chance(0.5):
        day += days(dice.between(30, 55))
    return working_day(min(day, until - days(7)) - days(2))


def _beginnings(dice: Dice, ctd: str, calcinosis_on: datetime.date) -> tuple[datetime.date, datetime.date]:
    """(first non-Raynaud sign, birth): latency 8.4 (9.0) years in SSc, 2.9 in JDM, 7.8 in adult DM (section 10)."""
    if ctd == "JDM":
        latency, age = dice.between(1, 4.8), dice.normal(7.5, 3, 1.5, 15)
    elif ctd in ("DM_ADULT", "AMYOPATHIC_DM", "POLYMYOSITIS"):
        latency, age = dice.random.gammavariate(1.6, 4.9), dice.normal(45, 13, 18.5, 72)
    else:
        latency, age = dice.random.gammavariate(0.9, 9.3), dice.normal(42, 12, 18.5, 70)
    onset = calcinosis_on - years(min(latency, 38))
    return onset, onset - years(age)


def _ending(person: Person) -> None:
    """Some die, are lost, opt out, or just have not come for long."""
    dice, followed = person.dice, (person.until - person.registered).days
    if person.has("dead"):
        person.died = dice.day(person.registered + days(0.6 * followed), person.until)
        person.last_seen = person.died - days(dice.between(5, 120))
    elif person.has("lost"):
        person.last_seen = person.registered + days(followed * dice.between(0.1, 0.5))
    elif person.has("withdrawn"):
        person.last_seen = person.registered + days(followed * dice.between(0.4, 0.9))
    elif person.has("quiet"):
        person.last_seen = person.until - days(dice.between(230, 700))
    person.last_seen = max(person.last_seen, person.registered)
    if person.died is not None:
        person.died = max(person.died, person.last_seen)


# --- The records of registration -----------------------------------------------


def introduce(person: Person) -> None:
    """Identity, patient, consents, antibodies, diagnosis and what stands beside it."""
    dice = person.dice
    identity = names.identity(dice, sex=person.sex, index=person.index)
    person.records += [Told("identity.identity", {"clinic": person.clinic, **identity}), person.told]
    person.told.values |= _patient(person)
    person.told.values |= {f"{scope}_consent": granted for scope, granted in _consents(person).items()}
    tested = dict(_antibodies(person))
    _diagnosis(person, tested)
    _beside(person)


def _patient(person: Person) -> dict[str, Any]:
    dice = person.dice
    status = next(
        (code for trait, code in (("dead", "DEAD"), ("lost", "LOST"), ("withdrawn", "OPTED_OUT")) if person.has(trait)),
        "ALIVE",
    )
    born = person.born
    values: dict[str, Any] = {
        "clinic": person.clinic, "registered_on": person.registered, "sex_at_birth": person.sex, "status": status,
        "birth_date": dice.pick({PartialDate.of(born): 0.90, PartialDate(born.year, born.month): 0.07,
        PartialDate(born.year): 0.03}),
        "dominant_hand": person.hand,
        "smoking": dice.pick({"NEVER": 0.58, "EX": 0.27, "CURRENT": 0.09, "U": 0.04, "": 0.02}),
        "first_contact": dice.maybe(0.8, dice.remembered(dice.day(person.onset, person.registered), unknown=0.01),
        None),
        "biosample": dice.answer(0.3, blank=0.3),
        "undiagnosed": "Y" if person.has("undiagnosed") else dice.answer(0, blank=0.6),
    }  # fmt: skip
    if status == "DEAD":
        values["death_date"] = PartialDate.of(person.died)  # type: ignore[arg-type]
        values |= {"death_from_calcinosis": dice.answer(0.1), "death_from_sepsis": dice.answer(0.2)}
    if person.has("genetic"):
        values["genetic_diagnosis"] = "none found (invented example)"
    if person.has("undiagnosed"):
        values["undiagnosed_phenotype"] = "HP:0025520"
    if values["biosample"] == "Y":
        values["biobank_link"] = dice.maybe(0.6, f"demo biobank, box {dice.whole(1, 99)}", "")
    if dice.chance(0.15):
        values |= {"disability_score": number(dice.normal(25, 15, 0, 90), 2), "disability_instrument": "WHODAS"}
    return values


def _consents(person: Person) -> dict[str, bool]:
    """Tells the consents; returns the scopes in force."""
    dice, child = person.dice, person.age_on(person.registered) < 18
    scopes = {
        "registry": True, "research": not person.has("no_research") and dice.chance(0.97), "images": dice.chance(0.88),
        "contact": dice.chance(0.75),
    }  # fmt: skip
    given: dict[str, Any] = {"given_by": "PERSON"}
    if child:
        given = {"given_by": "GUARDIAN", "child_assent": dice.answer(0.85)}
    first = person.tell(
        "patients.consent", consented_on=person.registered, form_version=f"{dice.whole(1, 2)}.0", **given, **scopes
    )
    again = person.registered + days(dice.between(300, 900))
    if child and person.age_on(person.last_seen) >= 18:
        again = max(person.born + years(18.1), person.registered + days(1))
    elif not dice.chance(0.12):
        again = person.until
    if again < person.last_seen and not person.has("withdrawn"):
        scopes = scopes | {"contact": dice.chance(0.6), "research": scopes["research"] and dice.chance(0.95)}
        person.tell("patients.consent", consented_on=again, form_version="3.0", given_by="PERSON", **scopes)
    if person.has("withdrawn"):
        first.values |= {
            "withdrawn_on": person.last_seen, "kept_for_care": dice.chance(0.5),
            "withdrawal_reason": dice.one_of(["moved away", "prefers not to say", "no time for visits"]),
        }  # fmt: skip
        return dict.fromkeys(scopes, False)
    return scopes


# {antibody: share that is positive} by disease; the rest is negative, seldom borderline or not tested
POSITIVE: dict[str, dict[str, float]] = {
    "LCSSC": {"ANA": 0.97, "ACA": 0.62, "SCL70": 0.10, "RNAP3": 0.06, "PMSCL": 0.06, "U1RNP": 0.04, "APL": 0.12,
    "RO52": 0.2},
    "SSC": {"ANA": 0.96, "ACA": 0.15, "SCL70": 0.38, "RNAP3": 0.18, "PMSCL": 0.06, "U1RNP": 0.05, "U3RNP": 0.05,
    "THTO": 0.04},
    "MYOSITIS": {"ANA": 0.6, "NXP2": 0.32, "MDA5": 0.16, "TIF1G": 0.15, "MI2": 0.1, "JO1": 0.05, "SAE": 0.04},
    "MCTD": {"ANA": 1.0, "U1RNP": 0.97, "ACA": 0.03, "SCL70": 0.02, "RO52": 0.3},
    "OVERLAP": {"ANA": 0.97, "PMSCL": 0.40, "KU": 0.12, "ACA": 0.2, "SCL70": 0.1, "U1RNP": 0.2},
    "": {"ANA": 0.9, "DSDNA": 0.4, "SM": 0.15, "APL": 0.15, "RO52": 0.3},
}  # fmt: skip


def _antibodies(person: Person) -> Iterator[tuple[str, str]]:
    """Tells the tests; yields (antibody, newest result)."""
    dice = person.dice
    group = "MYOSITIS" if person.myositis else person.ctd
    shares = POSITIVE.get(person.subset if person.subset == "LCSSC" and person.ctd == "SSC" else group, POSITIVE[""])
    for antibody, share in shares.items():
        result = "POS" if dice.chance(share) else dice.pick({"NEG": 0.93, "BORDERLINE": 0.04, "NOT_TESTED": 0.03})
        if result != "POS" and antibody != "ANA" and dice.chance(0.3):
            continue  # never asked for
        values: dict[str, Any] = {"antibody": antibody, "result": result}
        if result != "NOT_TESTED":
            tested = dice.day(person.onset, person.registered)
            values["tested_on"] = PartialDate(tested.year, tested.month)
            values["method"] = dice.maybe(0.6, dice.one_of(["ELISA", "line blot", "immunofluorescence"]), "")
            if antibody == "ANA" and result == "POS":
                values["titre"] = f"1:{dice.one_of([160, 320, 640, 1280, 2560])}"
        person.tell("patients.antibody", **values)
        yield antibody, result


def _diagnosis(person: Person, tested: dict[str, str]) -> None:
    dice = person.dice
    ill = person.scleroderma
    diagnosed = min(person.onset + years(dice.random.expovariate(0.7)), person.registered)
    raynaud = dice.answer(0.97 if ill else 0.25, unknown=0.02)
    raynaud_on = max(person.onset - years(dice.random.expovariate(0.25)), person.born + years(1))
    values: dict[str, Any] = {
        **_criteria(person, raynaud),
        "primary_ctd": person.ctd,
        "primary_ctd_other": "eosinophilic fasciitis" if person.ctd == "OTHER" else "",
        "overlap_with": tuple(dice.one_of([("DM_ADULT",), ("RA",), ("POLYMYOSITIS",),
        ("SSC", "SLE")])) if person.ctd == "OVERLAP" else (),
        "ssc_subset": person.subset,
        "subset_date": dice.remembered(diagnosed) if person.subset else None,
        "aetiology_subtype": "METASTATIC" if person.has("metabolic") else dice.pick({"DYSTROPHIC": 0.985,
        "UNKNOWN": 0.01, "IDIOPATHIC": 0.005}),
        "diagnostic_basis": _basis(person),
        "extensive_sheet_like": dice.answer(0.25 if person.ctd == "OVERLAP" else 0.02, blank=0.2),
        "first_calcinosis": dice.remembered(person.calcinosis_on, unknown=0.05),
        "first_raynaud": dice.remembered(raynaud_on, unknown=0.06) if raynaud == "Y" else PartialDate(),
        "first_non_raynaud": dice.remembered(person.onset, unknown=0.04),
        "diagnosed_on": dice.remembered(diagnosed, unknown=0.01),
        "onset_type": dice.maybe(0.8, "DATE", ""),
        "diagnosis_type": dice.maybe(0.8, "DATE", ""),
    }  # fmt: skip
    if person.ctd in ("SLE", "DM_ADULT", "JDM") and dice.chance(0.5):
        values |= {"other_criteria": "fulfilled (invented example)", "other_criteria_on": dice.remembered(diagnosed)}
    answers = {item.name: values.get(item.name, "") for item in scoring.ACR_EULAR_ITEMS}
    for name, code in (("anticentromere", "ACA"), ("anti_scl70", "SCL70"), ("anti_rnap3", "RNAP3")):
        answers[name] = {"POS": "Y", "NEG": "N"}.get(tested.get(code, ""), "")
    score = scoring.acr_eular_2013(answers, excluded=values["criteria_excluded"] == "Y")
    if score.classified != "NOT_APPLICABLE":
        values |= {"acr_eular_min": score.score_min, "acr_eular_max": score.score_max}
    person.tell("patients.diagnosis", **values)


def _basis(person: Person) -> tuple[str, ...]:
    shares = {
        "EXAM": 0.8,
        "EXTRUSION_HISTORY": 0.2,
        "XRAY": 0.75,
        "US": 0.15,
        "CT": 0.05,
        "DECT": 0.02,
        "MRI": 0.03,
        "BIOPSY": 0.03,
        "FINE_NEEDLE": 0.02,
    }
    return tuple(code for code, share in shares.items() if person.dice.chance(share)) or ("XRAY",)


def _criteria(person: Person, raynaud: str) -> dict[str, str]:
    dice, ill = person.dice, person.scleroderma
    diffuse = person.subset == "DCSSC"

    def answer(when_ill: float, otherwise: float = 0.03) -> str:
        return dice.answer(when_ill if ill else otherwise, unknown=0.05, blank=0.05)

    return {
        "skin_proximal_to_mcp": answer(0.95 if diffuse else 0.2, 0.0), "puffy_fingers": answer(0.5),
        "sclerodactyly": answer(0.8, 0.01), "digital_tip_ulcers": answer(0.45), "pitting_scars": answer(0.5),
        "telangiectasia": answer(0.75, 0.1), "abnormal_capillaries": answer(0.85, 0.3), "raynaud": raynaud,
        "pah": "Y" if person.has("hypertension") else answer(0.05, 0.01),
        "ild": "Y" if person.has("pulmonary") else answer(0.4, 0.15),
        "criteria_excluded": dice.answer(0.0 if ill else 0.15, blank=0.3),
        "ever_digital_ulcer": answer(0.6, 0.1), "ever_acro_osteolysis": answer(0.25, 0.01),
        "ever_osteoporosis": dice.answer(0.3, blank=0.05), "ever_gi": answer(0.75, 0.2),
        "ever_myositis": dice.answer(0.95 if person.myositis else 0.1, blank=0.05),
    }  # fmt: skip


WHY = {
    "TOPHUS": "serum urate normal, no crystals on aspiration",
    "RHEUMATOID_NODULE": "dense on radiograph",
    "XANTHOMA": "hard, chalky material extruded",
    "CYST": "calcified on ultrasound",
    "WART": "dense on radiograph",
    "TUMORAL_CALCINOSIS": "phosphate normal",
    "OSTEOMA_CUTIS": "no bone on histology",
    "METASTATIC": "calcium, phosphate and creatinine normal",
    "CALCIPHYLAXIS": "no skin necrosis, renal function normal",
    "OTHER": "excluded on imaging",
}


def _beside(person: Person) -> None:
    """Suspected causes, other diagnoses considered, an earlier subset."""
    dice = person.dice
    if dice.chance(0.5):
        cause = dice.pick(
            {"AUTOIMMUNE": 0.65, "TRAUMA": 0.22, "DRUG": 0.05, "GENETIC": 0.02, "METABOLIC": 0.03, "OTHER": 0.03}
        )
        person.tell(
            "patients.cause", cause=cause, certainty=dice.pick({"SUSPECTED": 0.6, "ESTABLISHED": 0.3, "U": 0.1}),
            detail=dice.maybe(0.4, "repeated knocks at work" if cause == "TRAUMA" else "see letter", ""),
            occurred=dice.maybe(0.5, dice.remembered(dice.day(person.onset, person.calcinosis_on)), None),
        )  # fmt: skip
    if dice.chance(0.3) or person.has("metabolic"):
        for considered in dice.some(list(WHY), 2):
            person.tell(
                "patients.differential", considered=considered, excluded=dice.answer(0.93, unknown=0.04),
                considered_other="foreign-body granuloma" if considered == "OTHER" else "",
                why=dice.maybe(0.8, WHY[considered], ""),
                decided_on=dice.maybe(0.6, dice.remembered(dice.day(person.calcinosis_on, person.registered)), None),
            )  # fmt: skip
    if person.subset in ("LCSSC", "DCSSC") and person.has("subset_changed"):
        for subset, day in (("EARLY_VEDOSS", person.onset), (person.subset, person.registered)):
            person.tell("patients.subsetchange", ssc_subset=subset, subset_date=PartialDate(day.year))
