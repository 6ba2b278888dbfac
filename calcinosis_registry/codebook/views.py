"""The codebook page: what every item means. It holds no data, so whoever is signed in may read it."""

from __future__ import annotations

import csv
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from calcinosis_registry.codebook.catalogue import COLUMNS, by_record, entries, flat


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    records = by_record()
    context = {"records": records, "total": sum(len(items) for items in records.values())}
    return render(request, "codebook/index.html", context)


@require_safe
def as_csv(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="codebook.csv"'
    writer = csv.DictWriter(answer, COLUMNS)
    writer.writeheader()
    writer.writerows(flat(one) for one in entries())
    return answer


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    items = [asdict(one) | {"codes": dict(one.codes)} for one in entries()]
    answer = JsonResponse({"items": items}, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = 'attachment; filename="codebook.json"'
    return answer
