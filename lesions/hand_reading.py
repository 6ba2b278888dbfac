"""Reading a hand radiograph: the grid as typed, its checks, saving a reading, and the change since the last one."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.roles import Permission
from lesions import hand_record, hand_score
from lesions.hand_score import HandChange, HandInstrument, SiteRating
from lesions.models import HandScore, HandScoreSite, ImagingStudy, ReadingKind, SecondReading
from patients.models import Patient
from patients.services import after_save

CHANGES = {
    "PROGRESSED": __("progressed"),
    "IMPROVED": __("improved"),
    "STABLE": __("stable"),
    "INCIDENT": __("newly above 0"),
    "NONE": __("0 both times"),
}
LONGEST = 8  # of what is typed for a number; Python refuses to read thousands of digits
HANDS = {"R": __("Right hand"), "L": __("Left hand")}


@dataclass
class Row:
    """One site of one hand, as typed. ``coverage`` and ``density`` are text until :meth:`rating`."""

    hand: str
    site: str
    label: str
    weight: Decimal
    coverage: str = ""
    density: str = ""
    unscorable: bool = False
    error: str = ""

    @property
    def name(self) -> str:
        """What its fields' names begin with."""
        return f"{self.hand}-{self.site}"

    @property
    def group(self) -> str:
        """The finger or part of the hand: what stands before the comma of the label."""
        return self.label.partition(",")[0]

    @property
    def title(self) -> str:
        return f"{HANDS[self.hand]}: {self.label}"

    @property
    def typed_as(self) -> tuple[str, str, bool]:
        return self.coverage, self.density, self.unscorable

    @property
    def as_posted(self) -> dict[str, list[str]]:
        """What a browser sends for the row as it stands."""
        told = {"coverage": self.coverage, "density": self.density, "unscorable": "1" if self.unscorable else ""}
        return {f"{self.name}-{part}": [text] if text else [] for part, text in told.items()}

    @property
    def meant(self) -> tuple[str, ...]:
        """The same for 05 as for 5, and for numbers left beside "not scorable" as for none."""
        if self.unscorable:
            return ("unscorable",)
        return tuple(str(int(one)) if one.isdecimal() else one for one in (self.coverage, self.density))

    @property
    def said(self) -> str:
        if self.unscorable:
            return _("not scorable")
        if self.is_empty:
            return ""
        return "0" if self.meant == ("0", "0") else f"{self.coverage or '–'} % × {self.density or '–'}"

    @property
    def is_empty(self) -> bool:
        return not (self.coverage or self.density or self.unscorable)

    def rating(self, tool: HandInstrument) -> SiteRating | None:
        """The rating, or None where nothing was entered; sets ``error`` where it cannot be."""
        if self.is_empty:
            return None
        if self.unscorable:
            return SiteRating(self.hand, self.site, scorable=False)
        try:
            found = SiteRating(self.hand, self.site, int(self.coverage), int(self.density))
        except ValueError:
            self.error = _("Give coverage and density as whole numbers, or say that it cannot be scored.")
            return None
        low, high = tool.coverage
        if not low <= found.coverage_pct <= high:
            self.error = _("Coverage is %(low)s to %(high)s %%.") % {"low": low, "high": high}
        elif found.density not in tool.density_levels:
            self.error = _("Density is one of %(levels)s.") % {"levels": ", ".join(map(str, tool.density_levels))}
        elif (found.coverage_pct == 0) != (found.density == 0):
            self.error = _("Coverage and density are both 0 or both above 0.")
        return None if self.error else found


@dataclass
class Grid:
    """Both hands of a reading. Names of fields: ``R-D1.DIST-coverage``, ``-density``, ``-unscorable``."""

    tool: HandInstrument
    rows: list[Row] = field(default_factory=list)

    @classmethod
    def stored(cls, reading: HandScore) -> Grid:
        """As saved; empty for a new reading."""
        rated = {(one.laterality, one.site): one for one in reading.ratings.all()} if reading.pk else {}
        grid = cls(reading.tool)
        for row in grid._blank():
            if one := rated.get((row.hand, row.site)):
                row.unscorable = not one.scorable
                row.coverage, row.density = (
                    "" if value is None else str(value) for value in (one.coverage_pct, one.density)
                )
            grid.rows.append(row)
        return grid

    @classmethod
    def typed(cls, tool: HandInstrument, data: Mapping[str, str]) -> Grid:
        """As typed. ``data["rest"]`` names the hand whose unanswered sites are all 0."""
        grid = cls(tool)
        for row in grid._blank():
            row.coverage = data.get(f"{row.name}-coverage", "").strip()[:LONGEST]
            row.density = data.get(f"{row.name}-density", "").strip()[:LONGEST]
            row.unscorable = bool(data.get(f"{row.name}-unscorable"))
            if row.is_empty and data.get("rest") == row.hand:
                row.coverage = row.density = "0"
            grid.rows.append(row)
        return grid

    def _blank(self) -> list[Row]:
        tool = self.tool
        return [
            Row(hand, code, label, tool.weights[code]) for hand in tool.hands for code, label in tool.labels.items()
        ]

    def calm(self) -> None:
        """A draft is unfinished, not wrong."""
        for row in self.rows:
            row.error = ""

    def ratings(self) -> list[SiteRating]:
        """What was entered and is possible; the others have their ``error`` set."""
        return [rating for row in self.rows if (rating := row.rating(self.tool)) is not None]

    def overwrites(self, stored: Grid) -> list[str]:
        """The sites whose saved rating would now be another one, or none."""
        return [
            f"{now.hand} {now.label}"
            for now, was in zip(self.rows, stored.rows, strict=True)
            if not was.is_empty and now.typed_as != was.typed_as
        ]

    @property
    def errors(self) -> int:
        return sum(bool(row.error) for row in self.rows)

    @property
    def parts(self) -> list[tuple[str, list[list[Row]]]]:
        """[(finger, [the same site of each hand])] in the order of the instrument."""
        by_site = zip(*([row for row in self.rows if row.hand == hand] for hand in self.tool.hands), strict=True)
        grouped = groupby(by_site, key=lambda pair: pair[0].group)
        return [(name, [list(pair) for pair in pairs]) for name, pairs in grouped]


def save_reading(*, reading: HandScore, ratings: list[SiteRating], now: datetime.datetime) -> HandScore:
    """Reading, sites and totals in one transaction. Raises ValidationError, ValueError for an impossible rating."""
    with trail.together():
        if reading.read_number is None:
            earlier = HandScore.objects.filter(study=reading.study, rater=reading.rater)
            reading.read_number = 1 + max((one.read_number or 0 for one in earlier), default=0)
        reading.read_at = now
        standing = {(one.laterality, one.site): one for one in reading.ratings.all()} if reading.pk else {}
        rows = [_row(reading, standing.pop((one.hand, one.site), None), one) for one in ratings]
        reading.tally(rows)
        reading.save()
        for row in rows:
            row.score = reading
        if standing:
            HandScoreSite.objects.filter(pk__in=[one.pk for one in standing.values()]).delete()
        HandScoreSite.objects.bulk_create([row for row in rows if row._state.adding])
        moved = [row for row in rows if row.changed_fields()]
        if moved:
            HandScoreSite.objects.bulk_update(moved, ["scorable", "coverage_pct", "density"])
        after_save(patient=reading.patient, records=[reading], now=now)
    return reading


def _row(reading: HandScore, row: HandScoreSite | None, rating: SiteRating) -> HandScoreSite:
    row = row or HandScoreSite(score=reading, laterality=rating.hand, site=rating.site)
    row.scorable = rating.scorable
    row.coverage_pct = rating.coverage_pct if rating.scorable else None
    row.density = rating.density if rating.scorable else None
    row.clean()
    return row


def settle_saved(*, patient: Patient, records: Iterable[Any]) -> None:
    """After a reading was saved, or anything removed: the score of record of its study follows."""
    records = list(records)
    studies = {one.study_id: one.study for one in records if isinstance(one, HandScore)}
    if not records:
        scored = HandScore.objects.filter(patient=patient).values("study")
        studies = ImagingStudy.objects.in_bulk(list(scored.values_list("study", flat=True)))
    for study in studies.values():
        settle(study)


def settle(study: ImagingStudy) -> None:
    """Which reading each one is, and how it enters the score of record, follow from all of them."""
    readings = list(HandScore.objects.filter(study=study).prefetch_related("ratings").order_by("read_at", "pk"))
    running = set(SecondReading.objects.unfinished().filter(study=study).values_list("reader", flat=True))
    second = set(SecondReading.objects.read().filter(study=study).values_list("reading", flat=True))
    stand = hand_record.of_record(_candidate(one) for one in readings if one.rater_id not in running)
    moved, first = [], True
    for one in readings:
        before = one.reading_kind, one.of_record
        one.of_record = stand.get(one.pk, "")
        if one.reading_kind != ReadingKind.ADJUDICATION:
            if one.pk in second or one.rater_id in running:
                one.reading_kind = ReadingKind.SECOND
            else:
                one.reading_kind, first = (ReadingKind.FIRST, False) if first else (ReadingKind.FURTHER, False)
        if before != (one.reading_kind, one.of_record):
            moved.append(one)
    if moved:
        HandScore.objects.bulk_update(moved, ["reading_kind", "of_record"])


def _candidate(one: HandScore) -> hand_record.Candidate:
    scorable = frozenset((site.laterality, site.site) for site in one.ratings.all() if site.scorable)
    return hand_record.Candidate(
        key=one.pk, reader=one.rater_id, number=one.read_number or 0, version=one.instrument_version,
        complete=one.complete, scorable=scorable, adjudicates=one.reading_kind == ReadingKind.ADJUDICATION,
    )  # fmt: skip


def change_since(reading: HandScore, *, user: Any) -> tuple[HandScore, HandChange] | None:
    """(the reading before, the change) for the newest comparable reading of an earlier radiograph, or None.

    Only with a reading that is open to ``user``: a second reader's change would tell the first reader's total.
    """
    day = reading.study.study_date
    if not reading.pk or day is None or day.earliest is None:
        return None
    others = HandScore.objects.visible_to(user, Permission.VIEW_RECORDS).filter(patient=reading.patient_id)
    others = others.exclude(study=reading.study_id)
    dated = [
        one for one in others.select_related("study").prefetch_related("ratings")
        if one.study.study_date and one.study.study_date.latest and one.study.study_date.latest < day.earliest
    ]  # fmt: skip
    this = reading.reading(reading.ratings.all())
    for one in sorted(dated, key=lambda one: (one.study.study_date.latest, one.read_at), reverse=True):
        before = one.reading(one.ratings.all())
        if hand_score.why_not_comparable(before, this) is None:
            return one, hand_score.compare(before, this)
    return None
