"""The key list of one's own clinic: registry number and hospital number, to find again who a coded row is about.

It is the only download that leads back to a person, so it stands here and nowhere near cohorts and exports.
"""

from __future__ import annotations

import csv
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.accounts.rates import TAKE_OUT, too_often
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.identity.services import key_list
from calcinosis_registry.records.typed import RowField

FORMULA = ("=", "+", "-", "@")  # a number that begins so would run in a spreadsheet


class KeyListForm(forms.Form):
    clinic: Any = RowField(label=_("Clinic"), queryset=None, empty_label=None)
    reason = forms.CharField(
        label=_("What the list is for"),
        max_length=400,
        help_text=_("Kept in the audit trail, with every patient on it."),
    )

    def __init__(self, *args: Any, clinics: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["clinic"]
        chosen.queryset = clinics


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def download(request: HttpRequest) -> HttpResponse:
    """Ask for a reason, then hand out the list as CSV; the event is written first."""
    require(request, Permission.SIGN)
    form = KeyListForm(request.POST or None, clinics=Clinic.objects.visible_to(request.user, Permission.SIGN))
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "patients/key_list.html", {"form": form}, status=422 if request.method == "POST" else 200
        )
    require_proof(request)
    if (refusal := too_often(request, TAKE_OUT)) is not None:
        return refusal
    clinic = form.cleaned_data["clinic"]
    rows = key_list(user=request.user, clinic=clinic, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
    name = f"key-list-{clinic.code}-{timezone.localdate():%Y-%m-%d}.csv"
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    writer = csv.writer(answer)
    writer.writerow(["registry_number", "hospital_number"])
    writer.writerows((number, f"'{other}" if other.startswith(FORMULA) else other) for number, other in rows)
    return answer
