"""Finished double readings as an account may see them: how they differ, and whether somebody has to decide."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from calcinosis_registry.clinics.roles import Permission
from lesions import hand_record, hand_score
from lesions.hand_record import SiteDifference
from lesions.models import HandScore, HandScoreSite, SecondReading
from lesions.models.second_reading import SecondReadingQuerySet
from patients.models import Patient


@dataclass(frozen=True)
class Pair:
    """``first``, ``second``: totals on the sites both could score; ``common``: how many these are."""

    asked: SecondReading
    beyond: Decimal

    @property
    def first(self) -> HandScore:
        return self.asked.first

    @property
    def second(self) -> HandScore:
        assert self.asked.reading is not None  # noqa: S101  pairs_of() asks for finished ones
        return self.asked.reading

    @cached_property
    def ratings_first(self) -> list[hand_score.SiteRating]:
        return [one.rating for one in self.first.ratings.all()]

    @cached_property
    def ratings_second(self) -> list[hand_score.SiteRating]:
        return [one.rating for one in self.second.ratings.all()]

    @cached_property
    def differing(self) -> list[SiteDifference]:
        return hand_record.differences(self.ratings_first, self.ratings_second, self.first.tool, beyond=self.beyond)

    @property
    def far(self) -> list[SiteDifference]:
        """The sites beyond the threshold."""
        return [one for one in self.differing if one.beyond]

    @cached_property
    def totals(self) -> hand_score.Totals:
        return hand_score.common_totals(self.ratings_first, self.ratings_second, self.first.tool)

    @property
    def difference(self) -> Decimal:
        return self.totals.first - self.totals.second

    @property
    def totals_far(self) -> bool:
        return hand_record.totals_differ(self.totals.first, self.totals.second)

    @property
    def wants_adjudication(self) -> bool:
        return self.asked.adjudication_id is None and bool(self.far or self.totals_far)


def pairs_of(user: Any, *, beyond: Decimal = hand_record.SITE_POINTS, only: int | None = None) -> list[Pair]:
    """Newest first, in a fixed number of queries. A study this account is yet to read blind is not among them."""
    open_to = HandScore.objects.visible_to(user, Permission.VIEW_RECORDS)
    rows = SecondReading.objects.visible_to(user, Permission.VIEW_RECORDS).read().filter(first__in=open_to.values("pk"))
    if only is not None:
        rows = rows.filter(pk=only)
    return _pairs(rows, beyond)


def pairs_among(user: Any, patients: QuerySet[Patient], settled: Q) -> list[Pair]:
    """Of these patients, whoever's they are, with both readings ``settled`` (a condition on readings). Without the
    studies this account is yet to read blind."""
    readings = HandScore.objects.filter(settled).values("pk")
    to_read = SecondReading.objects.unfinished().filter(reader=user.pk).values("study")
    rows = SecondReading.objects.read().filter(study__patient__in=patients, first__in=readings, reading__in=readings)
    return _pairs(rows.exclude(study__in=to_read), hand_record.SITE_POINTS)


def _pairs(rows: SecondReadingQuerySet, beyond: Decimal) -> list[Pair]:
    sites = HandScoreSite.objects.order_by("score", "pk")
    rows = rows.select_related(
        "study__patient__clinic", "first__rater", "reading__rater", "adjudication__rater"
    ).prefetch_related(Prefetch("first__ratings", sites), Prefetch("reading__ratings", sites))
    found = [Pair(one, beyond) for one in rows.order_by("-ended_at", "-pk")]
    return [one for one in found if one.first.instrument_version == one.second.instrument_version]
