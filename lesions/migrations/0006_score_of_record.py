"""Readings saved before there were second ones: which each is, and the score of record of its study."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import migrations

from lesions.hand_record import Candidate, of_record


def settle(apps: Any, schema_editor: Any) -> None:
    HandScore, Site = apps.get_model("lesions", "HandScore"), apps.get_model("lesions", "HandScoreSite")
    readings = defaultdict(list)
    for one in HandScore.objects.order_by("read_at", "pk"):
        readings[one.study_id].append(one)
    for some in readings.values():
        scorable = defaultdict(set)
        rows = Site.objects.filter(score__in=some, scorable=True).values_list("score", "laterality", "site")
        for score, hand, site in rows:
            scorable[score].add((hand, site))
        stand = of_record(
            Candidate(
                key=one.pk, reader=one.rater_id, number=one.read_number or 0, version=one.instrument_version,
                complete=one.complete, scorable=frozenset(scorable[one.pk]),
            )
            for one in some
        )  # fmt: skip
        for place, one in enumerate(some):
            kind = "FURTHER" if place else "FIRST"
            HandScore.objects.filter(pk=one.pk).update(reading_kind=kind, of_record=stand.get(one.pk, ""))


class Migration(migrations.Migration):
    dependencies = [("lesions", "0005_second_readings")]

    operations = [migrations.RunPython(settle, migrations.RunPython.noop)]
