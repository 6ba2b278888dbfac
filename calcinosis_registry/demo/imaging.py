"""Imaging and what is read from it: studies, measures, and the hand radiograph score with its change over the years."""

from __future__ import annotations

import datetime
import hashlib
import math
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.demo import radiograph
from calcinosis_registry.demo.appointments import Appointment
from calcinosis_registry.demo.deposits import GONE, Deposit
from calcinosis_registry.demo.people import Person
from calcinosis_registry.demo.told import Told, days, number
from lesions import calibration, hand_score, planimetry
from lesions.dicom import DicomHeader

# Share of readings of one year that rise by more than 25 %, stay, or fall (section 10, row 10).
# So many patients of a register have films to look at: drawing takes its time.
WITH_FILMS = 10
MEASURED = 4  # lesions of a film
COURSES = {"up": 0.42, "same": 0.48, "down": 0.10}


def studies(person: Person, kept: list[Appointment], deposits: list[Deposit]) -> None:
    """Tell the studies of this patient."""
    hands = _hand_films(person, kept, deposits)
    if person.has("hand_score") and hands:
        _readings(person, hands)
    _photographs(person, kept, deposits)
    for trait, modality in (("ct", "CT"), ("mri", "MR")):
        if person.has(trait):
            _volume(person, person.dice.one_of(kept), modality, deposits)
    if person.dice.chance(0.15) or person.index == 44:
        _ultrasound(person, person.dice.one_of(kept), deposits)
    if person.dice.chance(0.06) or person.index == 45:
        _study(person, person.dice.one_of(kept), "BMD", "TRUNK", [], laterality="M", indication="bone density")
        visit = person.dice.one_of(kept)
        for one in [one for one in deposits if not one.hidden][:1]:
            person.tell(
                "lesions.imagingmeasure",
                visit=visit.told,
                measured="DUROMETER",
                value=number(person.dice.normal(55, 12, 20, 95), 2),
                measured_on=PartialDate.of(visit.day),
                lesion=one.told,
                study=None,
            )


def _study(
    person: Person, visit: Appointment, modality: str, region: str, shown: list[Deposit], **details: Any
) -> Told:  # fmt: skip
    dice = person.dice
    study = person.tell(
        "lesions.imagingstudy", visit=visit.told, modality=modality, study_date=PartialDate.of(visit.day),
        body_region=region,
        **{"quality": dice.pick({"DIAGNOSTIC": 0.9, "LIMITED": 0.09, "NON_DIAGNOSTIC": 0.01}),
        "indication": dice.maybe(0.5, "calcinosis, follow-up", ""), **details},
    )  # fmt: skip
    for one in shown:
        if one.told["first_recorded"] <= visit.day:
            person.records.append(Told("lesions.imaginglesion", {"study": study, "lesion": one.told}))
    return study


def _hand_films(person: Person, kept: list[Appointment], deposits: list[Deposit]) -> list[tuple[Told, Appointment]]:
    dice, found = person.dice, []
    if not (person.has("imaged") or person.has("hand_score") or any(one.hidden for one in deposits)):
        return []
    modality = dice.pick({"DX": 0.6, "CR": 0.35, "RG": 0.05})
    in_hand = [one for one in deposits if one.told["site"].startswith("HAND")]
    last: datetime.date | None = None
    for visit in kept:
        if (
            not visit.in_person
            or (last and (visit.day - last).days < 300)
            or (last and not (person.has("hand_score") or dice.chance(0.4)))
        ):
            continue
        last = visit.day
        present = "Y" if in_hand else dice.pick({"N": 0.9, "I": 0.1})
        study = _study(
            person, visit, modality, "HAND", in_hand, laterality="B", view="PA_AP", calcinosis_present=present,
            simple_severity=str(min(3, (len(in_hand) + 1) // 2)),
            acro_osteolysis=dice.answer(0.2 if person.scleroderma else 0.01),
            erosion=dice.answer(0.1), osteopenia=dice.answer(0.3), report_text=dice.maybe(0.5, _report(in_hand), ""),
        )  # fmt: skip
        if person.index < WITH_FILMS and person.told["images_consent"]:
            _film(person, study, visit, in_hand)
        found.append((study, visit))
    return found


def _film(person: Person, study: Told, visit: Appointment, in_hand: list[Deposit]) -> None:
    """A drawn radiograph with the deposits at their places, measured there."""
    seen = [one for one in in_hand if one.told["first_recorded"] <= visit.day]
    sizes = {id(one): _size_at(visit, one) for one in seen}
    drawn = [(one.told["site"], one.told["laterality"], sizes[id(one)][0]) for one in seen]
    values = radiograph.film(person.dice, drawn)
    uids = _uids(person, visit)
    content = radiograph.as_dicom(values, modality=study["modality"], day=visit.day, uids=uids)
    width, height = radiograph.SIZE
    study.values |= {"status": "AVAILABLE", "study_uid": uids[0]}
    file = Told(
        "lesions.imagingfile",
        {
            "study": study, "name": f"hands-{visit.day}.dcm", "kind_of_file": "DICOM",
            "media_type": "application/dicom", "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(), "width": width, "height": height, "frames": 1,
            "header": _header(study["modality"], visit.day, uids), "has_preview": True,
        },
        content=content, preview=radiograph.preview(values),
    )  # fmt: skip
    person.records.append(file)
    for one in [one for one in seen if one.is_single and one.told["laterality"]][:MEASURED]:
        _measure_on(person, study, file, visit, one, sizes[id(one)])


def _size_at(visit: Appointment, one: Deposit) -> tuple[float, float]:
    """Longest diameter and the one across as recorded at the visit; else as they are now."""
    for observation in visit.observations:
        if observation["lesion"] is one.told and observation["length_mm"]:
            return float(observation["length_mm"]), float(observation["width_mm"] or one.width)
    return one.length, one.width


def _uids(person: Person, visit: Appointment) -> tuple[str, str, str]:
    """Of the study, the series and the picture; of the same story always the same."""
    digest = hashlib.sha256(f"{person.index}:{visit.day}".encode()).digest()
    root = int.from_bytes(digest[:12], "big")
    return f"2.25.{root}", f"2.25.{root}.1", f"2.25.{root}.2"


def _header(modality: str, day: datetime.date, uids: tuple[str, str, str]) -> dict[str, Any]:
    width, height = radiograph.SIZE
    header = DicomHeader(
        modality=modality, study_date=day, study_time=None, body_part="HAND", region="HAND", laterality="", view="PA",
        study_instance_uid=uids[0], series_instance_uid=uids[1], sop_instance_uid=uids[2], patient_name="",
        patient_id="", patient_birth_date=None, rows=height, columns=width, frames=1, photometric="MONOCHROME2",
        transfer_syntax="1.2.840.10008.1.2.1", pixel_spacing=(radiograph.MM, radiograph.MM),
        pixel_spacing_from="ImagerPixelSpacing", device=radiograph.DEVICE, burned_in=False,
    )  # fmt: skip
    return {name: value for name, value in header.as_json().items() if not name.startswith("patient_")}


def _measure_on(
    person: Person, study: Told, file: Told, visit: Appointment, one: Deposit, size: tuple[float, float]
) -> None:
    """Two axes over the deposit, as somebody draws them."""
    spot = radiograph.spot(one.told["site"], one.told["laterality"])
    if spot is None:
        return
    length, width = max(size), min(size)
    turn = math.radians(sum(map(ord, one.told["site"])) % 180)  # no dice: the story goes on as it did without this
    points = []
    for side, angle in ((length, turn), (width, turn + math.pi / 2)):
        reach = side / radiograph.MM / 2
        for sign in (-1, 1):
            x, y = spot[0] + sign * reach * math.cos(angle), spot[1] + sign * reach * math.sin(angle)
            points.append([round(x, 2), round(y, 2)])
    by = calibration.of_header(file["header"])[0]
    long, short = planimetry.axes_mm([(x, y) for x, y in points], by)
    value, across = number(long, 2), number(short, 2)
    person.tell(
        "lesions.imagingmeasure", visit=None, study=study, file=file, lesion=one.told, measured="LENGTH", value=value,
        across_mm=across, area_mm2=planimetry.ellipse_mm2(value, across), calibrated_by=by.source, points=points,
        measured_by=person.clinician,
        measured_at=datetime.datetime(visit.day.year, visit.day.month, visit.day.day, 12, tzinfo=datetime.UTC),
    )  # fmt: skip


def _report(in_hand: list[Deposit]) -> str:
    count = len(in_hand)
    return (
        f"Both hands, PA. {count} soft-tissue calcification{'s' if count != 1 else ''}."
        if count
        else "No soft-tissue calcification."
    )


def _photographs(person: Person, kept: list[Appointment], deposits: list[Deposit]) -> None:
    felt = [one for one in deposits if one.told["visibility"] == "VISIBLE_PALPABLE"]
    if person.has("photographed") and felt and person.told["images_consent"]:
        one = person.dice.one_of(felt)
        side = one.told["laterality"] or "M"
        _study(
            person,
            kept[0],
            "XC",
            one.told["site"],
            [one],
            laterality=side,
            calcinosis_present="Y",
            quality="DIAGNOSTIC",
        )


def _volume(person: Person, visit: Appointment, modality: str, deposits: list[Deposit]) -> None:
    dice = person.dice
    dual = modality == "CT" and dice.chance(0.4)
    details: dict[str, Any] = (
        {"dual_energy": dual, "pattern": dice.one_of(["nodular", "linear", "sheet-like"])} if modality == "CT" else {}
    )
    chosen = [one for one in deposits if one.told["first_recorded"] <= visit.day][:2]
    study = _study(
        person,
        visit,
        modality,
        chosen[0].told["site"] if chosen else "HAND",
        chosen,
        laterality=chosen[0].told["laterality"] or "M" if chosen else "B",
        calcinosis_present="Y" if chosen else "N",
        **details,
    )
    measures = {"VOLUME": dice.random.lognormvariate(5.6, 1.0), "COUNT": float(len(chosen))}
    if modality == "CT":
        measures["AGATSTON"] = dice.random.lognormvariate(6, 1)
    for name, value in measures.items():
        person.tell(
            "lesions.imagingmeasure", visit=visit.told, measured=name, value=number(value, 2), study=study, lesion=None
        )


def _ultrasound(person: Person, visit: Appointment, deposits: list[Deposit]) -> None:
    dice = person.dice
    chosen = [one for one in deposits if one.told["first_recorded"] <= visit.day and one.status not in GONE][:1]
    if not chosen:
        return
    one = chosen[0]
    study = _study(
        person, visit, "US", one.told["site"], chosen, laterality=one.told["laterality"] or "M", calcinosis_present="Y",
        doppler=str(dice.whole(0, 3)), ulnar_occlusion=dice.answer(0.2, blank=0.2),
    )  # fmt: skip
    for name, value in (
        ("LENGTH", one.length),
        ("WIDTH", one.width),
        ("DEPTH", one.width * 0.6),
        ("PLANIMETRIC_AREA", one.length * one.width * 0.78),
    ):
        person.tell(
            "lesions.imagingmeasure",
            visit=visit.told,
            measured=name,
            value=number(value, 2),
            study=study,
            lesion=one.told,
        )


# --- The hand score -----------------------------------------------


def _readings(person: Person, hands: list[tuple[Told, Appointment]]) -> None:
    """One reader, the films of about a year apart, at most three."""
    dice, tool = person.dice, hand_score.instrument()
    calcified = {
        key: (dice.whole(5, 60), dice.pick({1: 0.4, 2: 0.4, 3: 0.2})) for key in sorted(tool.keys) if dice.chance(0.16)
    }
    lost = dice.one_of(sorted(tool.keys)) if dice.chance(0.1) else None
    for study, visit in hands[:3]:
        ratings = [
            hand_score.SiteRating(hand, site, *calcified.get((hand, site), (0, 0)), (hand, site) != lost)
            for hand, site in sorted(tool.keys)
        ]
        _reading(person, study, visit, ratings, tool)
        factor = {"up": dice.between(1.3, 1.8), "same": dice.between(0.85, 1.2), "down": dice.between(0.4, 0.7)}[
            dice.pick(COURSES)
        ]
        calcified = {
            key: (min(100, max(1, round(coverage * factor))), density) for key, (coverage, density) in calcified.items()
        }


def _reading(
    person: Person,
    study: Told,
    visit: Appointment,
    ratings: list[hand_score.SiteRating],
    tool: hand_score.HandInstrument,
) -> None:
    result = hand_score.score(ratings, tool)
    read = min(visit.day + days(person.dice.whole(0, 14)), person.until)
    score = person.tell(
        "lesions.handscore", visit=None, study=study, rater=person.clinician, rater_role="RHEUMATOLOGIST",
        blinded=False, read_number=1, reading_kind="FIRST", of_record="ONLY" if result.complete else "",
        read_at=datetime.datetime(read.year, read.month, read.day, 10, tzinfo=datetime.UTC),
        simple_severity=str(min(3, result.max_density)),
        right_total=result.by_hand["R"], left_total=result.by_hand["L"], total=result.total, n_sites=result.n_sites,
        max_density=result.max_density, complete=result.complete,
    )  # fmt: skip
    for one in ratings:
        scored = (
            {"coverage_pct": one.coverage_pct, "density": one.density}
            if one.scorable
            else {"coverage_pct": None, "density": None}
        )
        person.records.append(
            Told(
                "lesions.handscoresite",
                {"score": score, "laterality": one.hand, "site": one.site, "scorable": one.scorable, **scored},
            )
        )
