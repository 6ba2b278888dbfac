"""Second readings of a demo register: some agree, some differ, one is adjudicated, some wait to be read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.demo.staff import SECOND_READER, Staff, public_id
from calcinosis_registry.demo.told import Dice, days
from lesions.hand_reading import save_reading
from lesions.hand_score import SiteRating
from lesions.models import HandScore, ImagingStudy, SecondReading
from lesions.models.imaging import XRAY
from lesions.second_reading import adjudicate, ask, finish
from patients.models import Patient
from patients.models.patient import PatientQuerySet

READ, ASKED = 12, 2  # studies read twice, and asked for after these
WHY = "Looked at together: the shadow is the edge of the soft tissue, not calcium."


def read_twice(staff: Staff, *, seed: int, until: datetime.date) -> None:
    """Through the same services as the pages, for the clinics with a second reader."""
    dice, second = Dice(f"{seed}:second readings"), User.objects.get(email=SECOND_READER)
    readings = HandScore.objects.filter(patient__in=_open_to_entry(staff.clinics[:2]), complete=True, read_number=1)
    rows = readings.select_related("study__patient__clinic", "patient", "rater").prefetch_related("ratings")
    with trail.together():
        for place, first in enumerate(rows.order_by("pk")[: READ + ASKED]):
            now = _noon(min(first.read_at.date() + days(dice.whole(3, 40)), until))
            to_all = place == READ
            asked = ask(study=first.study, reader=None if to_all else second, by=first.rater, now=now)
            if place < READ:
                _read(asked, first, second, dice, now)
        _for_the_first_clinician(staff, second, dice, _noon(until))
        _adjudicate_one(dice, now=_noon(until))


def _open_to_entry(clinics: Sequence[Clinic]) -> PatientQuerySet:
    """Nothing is entered, a reading neither, once the consent to the registry is withdrawn."""
    return Patient.objects.filter(clinic__in=clinics, registry_consent=True)


def _noon(day: datetime.date) -> datetime.datetime:
    return datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.UTC)


def _read(asked: SecondReading, first: HandScore, second: User, dice: Dice, now: datetime.datetime) -> None:
    seen = [_seen_again(one.rating, dice) for one in first.ratings.all()]
    severity = str(min(3, max(0, int(first.simple_severity or 0) + dice.pick({-1: 0.2, 0: 0.65, 1: 0.15}))))
    reading = _reading(asked.study, second, seen, severity, dice, now)
    finish(asked=asked, reading=reading, by=second, now=now)


def _reading(
    study: ImagingStudy, rater: User, ratings: Iterable[SiteRating], severity: str, dice: Dice,
    now: datetime.datetime
) -> HandScore:  # fmt: skip
    reading = HandScore(
        public_id=public_id(dice), patient=study.patient, study=study, rater=rater, rater_role="RHEUMATOLOGIST",
        blinded=True, simple_severity=severity,
    )  # fmt: skip
    return save_reading(reading=reading, ratings=list(ratings), now=now)


def _seen_again(one: SiteRating, dice: Dice) -> SiteRating:
    """The same site by another eye: mostly alike, now and then overlooked or seen where the first saw nothing."""
    if not one.scorable:
        return one
    if one.density == 0:
        return SiteRating(one.hand, one.site, dice.whole(1, 3) * 5, 1) if dice.chance(0.02) else one
    if dice.chance(0.06):
        return SiteRating(one.hand, one.site)
    coverage = 5 * round(dice.normal(one.coverage_pct, 7, 5, 100) / 5)
    density = min(3, max(1, one.density + dice.pick({-1: 0.08, 0: 0.84, 1: 0.08})))
    return SiteRating(one.hand, one.site, coverage, density)


def _for_the_first_clinician(staff: Staff, second: User, dice: Dice, now: datetime.datetime) -> None:
    """One radiograph that the second reader read first: the clinician of the demo finds it on the work list."""
    patients = _open_to_entry(staff.clinics[:1])
    studies = ImagingStudy.objects.filter(patient__in=patients, modality__in=XRAY, body_region="HAND")
    study = studies.filter(scores__isnull=True).select_related("patient__clinic").order_by("pk").first()
    if study is None:
        return
    tool = HandScore(study=study).tool
    seen = [
        SiteRating(hand, site, dice.whole(2, 10) * 5, dice.whole(1, 3)) if dice.chance(0.1) else SiteRating(hand, site)
        for hand, site in sorted(tool.keys)
    ]
    _reading(study, second, seen, "1", dice, now)
    ask(study=study, reader=staff.clinicians[0], by=second, now=now)


def _adjudicate_one(dice: Dice, *, now: datetime.datetime) -> None:
    """The first pair that differs, by both readers together."""
    for pair in SecondReading.objects.read().select_related("study__patient", "first__rater", "reading").order_by("pk"):
        first = {(one.hand, one.site): one for one in (row.rating for row in pair.first.ratings.all())}
        second = [row.rating for row in pair.reading.ratings.all()] if pair.reading else []
        if any(first[one.hand, one.site] != one for one in second):
            ratings = [one if one.density else first[one.hand, one.site] for one in second]
            decided = adjudicate(pair=pair, ratings=ratings, how="CONSENSUS", why=WHY, by=pair.first.rater, now=now)
            decided.public_id = public_id(dice)
            HandScore.objects.bulk_update([decided], ["public_id"])
            return
