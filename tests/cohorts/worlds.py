"""Small registers and questions about them, drawn by hypothesis: few values, so that things coincide."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import strategies as st

from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import Complication, Lesion, LesionObservation, TreatmentCourse
from patients.models import Diagnosis, Patient, Visit

DAYS = [datetime.date(2023, 1, 31), datetime.date(2023, 2, 28), datetime.date(2023, 3, 2), datetime.date(2024, 2, 29)]
PARTIAL = [
    None, "unknown", "2022", "2023", "2023-01", "2023-02", "2024-02", "2023-01-31", "2023-02-28", "2023-03-02"
]  # fmt: skip
SITES = ["HAND", "HAND.D1", "HAND.D1.PULP", "ELBOW"]
LEVELS = ["patient", "diagnosis", "visit", "lesion", "lesionobservation", "treatmentcourse", "complication"]
day, partial = st.sampled_from(DAYS), st.sampled_from(PARTIAL)


def drawn(draw: Any, clinic: Any) -> None:
    """Write one to three patients with what was drawn for them; validation is not what is tested."""
    for number in range(draw(st.integers(1, 3))):
        patient = Patient.objects.bulk_create(
            [Patient(clinic=clinic, registry_number=f"X-{number}", public_id=f"x{number}", smoking=draw(smoking))]
        )[0]
        visits = [
            Visit(patient=patient, visit_date=draw(day), state=draw(state), visit_type=kind, pain_nrs=draw(pain),
                  public_id=f"v{number}-{index}")
            for index, kind in enumerate(draw(st.lists(st.sampled_from(["FOLLOW_UP", "TELE"]), max_size=2)))
        ]  # fmt: skip
        if visits and draw(st.booleans()):
            visits[0].visit_type = "BASELINE"
        Visit.objects.bulk_create(visits)
        some = st.sampled_from(visits) if visits else st.none()
        maybe = st.one_of(st.none(), some)
        dates = {"diagnosed_on": parsed(draw(partial)), "first_calcinosis": parsed(draw(partial))}
        basis = tuple(draw(st.lists(st.sampled_from(["EXAM", "XRAY"]), unique=True, max_size=2)))
        Diagnosis.objects.bulk_create([Diagnosis(patient=patient, diagnostic_basis=basis, **dates)])
        lesions = Lesion.objects.bulk_create([
            Lesion(patient=patient, number=index + 1, site=draw(st.sampled_from(SITES)), visit=draw(maybe),
                   first_recorded=draw(day), ulcerated_now=draw(st.booleans()), public_id=f"l{number}-{index}")
            for index in range(draw(st.integers(0, 2)))
        ])  # fmt: skip
        LesionObservation.objects.bulk_create([
            LesionObservation(patient=patient, lesion=lesion, visit=visit, ulcerated=draw(answer),
                              length_mm=draw(st.sampled_from([None, 5, 12])), public_id=f"o{lesion.pk}-{visit.pk}")
            for lesion in lesions for visit in visits if draw(st.booleans())
        ])  # fmt: skip
        for model, start, values in (
            (TreatmentCourse, "start", {"agent": draw(agent), "stop": parsed(draw(partial))}),
            (Complication, "onset", {"code": draw(st.sampled_from(["ULCER", "INFECTION"]))}),
        ):
            if draw(st.booleans()):
                row = model(patient=patient, visit=draw(maybe), **{start: parsed(draw(partial))}, **values)
                row.public_id = f"{start}{number}"
                model.objects.bulk_create([row])


def parsed(text: str | None) -> PartialDate | None:
    return None if text is None else PartialDate.parse(text)


smoking, state = st.sampled_from(["", "NEVER", "CURRENT"]), st.sampled_from(["SIGNED", "SIGNED", "OPEN"])
pain, answer = st.sampled_from([None, 0, 4, 9]), st.sampled_from(["", "Y", "N", "U"])
agent = st.sampled_from(["COLCHICINE", "DILTIAZEM"])

VALUES = {
    "patient.smoking": ["NEVER", "CURRENT"], "visit.visit_type": ["BASELINE", "TELE"], "lesion.site": SITES[:2],
    "lesionobservation.ulcerated": ["Y", "N"], "treatmentcourse.agent": ["COLCHICINE", "DILTIAZEM"],
    "complication.code": ["ULCER"], "diagnosis.diagnostic_basis": ["EXAM", "XRAY"],
}  # fmt: skip
NUMBERS = {"visit.pain_nrs": [0, 4, 9], "lesionobservation.length_mm": [5, 12]}
ISO = sorted(one.isoformat() for one in DAYS)
DATED = {
    "visit.visit_date", "lesion.first_recorded", "diagnosis.first_calcinosis", "diagnosis.diagnosed_on",
    "treatmentcourse.start", "treatmentcourse.stop", "complication.onset",
}  # fmt: skip
ABOVE = {
    "lesionobservation": ["lesion", "visit"], "lesion": ["visit"], "treatmentcourse": ["visit"],
    "complication": ["visit"], "diagnosis": ["visit"],
}  # fmt: skip
BELOW = {
    "lesion": ["lesionobservation"],
    "visit": ["lesionobservation", "lesion", "treatmentcourse", "complication", "diagnosis"],
}


@st.composite
def value_tests(draw: Any, kinds: list[str]) -> dict[str, Any]:
    items = [one for one in (*VALUES, *NUMBERS, *sorted(DATED), "lesion.ulcerated_now") if one.split(".")[0] in kinds]
    item = draw(st.sampled_from(items))
    if item == "lesion.ulcerated_now":
        return {"item": item, "operator": draw(st.sampled_from(["is", "is not"])), "value": draw(yes_no)}
    if item in DATED:
        operator = draw(st.sampled_from(["before", "after", "between", "answered", "not answered"]))
        value: Any = sorted(draw(st.lists(st.sampled_from(ISO), min_size=2, max_size=2)))
        value = value if operator == "between" else value[0]
    elif item in NUMBERS:
        operator = draw(st.sampled_from(["is", "is not", "at least", "at most", "between", "answered", "not answered"]))
        value = draw(st.sampled_from(NUMBERS[item]))
        value = [min(value, 4), value] if operator == "between" else value
    else:
        operator = draw(st.sampled_from(["is", "is not", "any of", "answered", "not answered"]))
        value = draw(st.sampled_from(VALUES[item]))
        value = [value] if operator == "any of" else value
    return {"item": item, "operator": operator} | ({} if "answered" in operator else {"value": value})


yes_no = st.sampled_from(["yes", "no"])
joins = st.sampled_from(["all", "any", "none"])


@st.composite
def records(draw: Any, kinds: list[str], deep: int, *, event: bool = False) -> dict[str, Any]:
    kind = draw(st.sampled_from(kinds))
    inside: list[Any] = [value_tests([kind, *ABOVE.get(kind, [])])]
    if deep and BELOW.get(kind):
        inside.append(records(BELOW[kind], deep - 1))
    if deep:
        inside.append(groups(st.one_of(inside)))
    node = {
        "record": kind,
        "join": draw(joins),
        "conditions": draw(st.lists(st.one_of(inside), min_size=1, max_size=3)),
    }
    has_day, has_visit = kind != "patient", kind != "patient"
    which = draw(st.sampled_from(["ever", "ever", "first", "last", "first such", "last such", "baseline"]))
    if (which == "baseline" and has_visit) or (which != "baseline" and has_day):
        node["which"] = which
    if node.get("which", "ever") in ("ever", "baseline") and not event and draw(st.booleans()):
        operator = draw(st.sampled_from(["at least", "at most", "exactly"]))
        node["times"] = {"operator": operator, "number": draw(st.integers(1 if operator == "at least" else 0, 2))}
    dated = [one for one in sorted(DATED) if one.startswith(f"{kind}.")]
    if dated and draw(st.booleans()):
        node["dated"] = draw(st.sampled_from(dated))
    if has_day and draw(st.booleans()):
        node["when"] = draw(whens(deep))
    return node


@st.composite
def whens(draw: Any, deep: int) -> dict[str, Any]:
    relation = draw(st.sampled_from(["after", "before", "around"]))
    months = draw(st.sampled_from([1, 12])) if relation == "around" or draw(st.booleans()) else None
    when: dict[str, Any] = {"relation": relation} | ({"months": months} if months else {})
    if deep and draw(st.booleans()):
        return when | {"event": draw(records(LEVELS[1:], deep - 1, event=True))}
    return when | {"day": draw(st.sampled_from(ISO))}


def groups(parts: Any) -> Any:
    return st.builds(
        lambda join, inside: {"join": join, "conditions": inside}, joins, st.lists(parts, min_size=1, max_size=2)
    )


@st.composite
def questions(draw: Any) -> dict[str, Any]:
    nested = groups(st.one_of(records(LEVELS, 1), value_tests(LEVELS)))
    part = st.one_of(records(LEVELS, 2), value_tests(LEVELS), nested)
    return {"version": 2, "join": draw(joins), "conditions": draw(st.lists(part, min_size=1, max_size=3))}
