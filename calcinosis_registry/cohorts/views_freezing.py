"""Freezing a cohort, and letting a freeze go."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError
from calcinosis_registry.cohorts.engine import room_on_the_disk
from calcinosis_registry.cohorts.freezing import freeze, unfreeze
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.views import cohort_page, one_cohort
from calcinosis_registry.room import NoRoom


@require_POST
def freeze_cohort(request: HttpRequest, public_id: str) -> HttpResponse:
    """``label``: freeze under it. ``let_go``: the freeze that ends."""
    require(request, Permission.EXPORT_DATASETS)
    found = one_cohort(request, public_id)
    try:
        said = _let_go(request, found) if "let_go" in request.POST else _freeze(request, found)
    except ValidationError as error:
        typed = {"freeze_label": request.POST.get("label", ""), "freeze_all": "all_visits" in request.POST}
        return cohort_page(request, found, status=422, freeze_problem=" ".join(error.messages), **typed)
    messages.success(request, said)
    return redirect(found)


def _freeze(request: HttpRequest, cohort: Cohort) -> str:
    label = request.POST.get("label", "")
    try:
        with room_on_the_disk():
            frozen = freeze(cohort=cohort, label=label, by=request.user, all_visits="all_visits" in request.POST)
    except DefinitionError as error:
        raise ValidationError(error.problems) from error
    except NoRoom as error:
        raise ValidationError(_("A file could not be written; the disk may be full. Nothing was frozen.")) from error
    return _("Frozen as “%(label)s”: %(n)s patients.") % {"label": frozen, "n": frozen.patients}


def _let_go(request: HttpRequest, cohort: Cohort) -> str:
    frozen = cohort.freezes.filter(public_id=request.POST["let_go"]).first()
    if frozen is None:
        raise Http404
    unfreeze(frozen=frozen, by=request.user)
    return _("The rows frozen as “%(label)s” were let go.") % {"label": frozen}
