"""Entry of the hand radiograph score: the radiograph beside the hands and the grid of sites."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import may, one_visible
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records import conflict
from calcinosis_registry.records.drafts import Place
from calcinosis_registry.records.keeping import Keeping, compare_page, conflict_page
from calcinosis_registry.records.reasons import demand
from lesions.blinding import unfinished_of
from lesions.forms import ReadingForm
from lesions.hand_diagram import hand_diagram
from lesions.hand_reading import CHANGES, HANDS, Grid, change_since, save_reading
from lesions.hand_score import score
from lesions.models import HandScore, ImagingFile, ImagingStudy, ReadingKind
from lesions.models.imaging import XRAY
from lesions.second_reading import finish
from lesions.views.imaging_study import opened, visible_study


@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: HttpRequest, public_id: str) -> HttpResponse:
    """The person's own reading of the study: the last one to go on with, or a new one with ``?again=1``.

    Readings of others are never shown here: a second reader reads blind.
    """
    if request.method != "POST":
        study = radiograph(request, public_id, Permission.VIEW_RECORDS)
        reading = _own(request, study, new=bool(request.GET.get("again")))
        keeping = _keeping(request, reading)
        form = _form(request, reading, keeping.bound)
        if keeping.comparing:
            return compare_page(request, keeping, [(HandScore.title(), form)], patient=study.patient)
        keeping.calm([form])
        grid = Grid.stored(reading) if keeping.bound is None else Grid.typed(reading.tool, keeping.bound)
        return _page(request, reading, form, grid, keeping)
    with trail.together():
        study = radiograph(request, public_id, Permission.EDIT_RECORDS, lock=True)
        reading = _own(request, study, new=bool(request.POST.get("again")), named=request.POST.get("reading", ""))
        keeping = _keeping(request, reading)
        return keeping.claim() or keeping.settle(_save(request, reading, keeping))


def _keeping(request: HttpRequest, reading: HandScore) -> Keeping:
    study, patient = reading.study, reading.study.patient
    address = reverse("lesions:hand_score", args=[study.public_id])
    if reading.pk is None:
        address, subject = f"{address}?again=1", f"new:{study.public_id}"
    else:
        subject = reading.public_id
    place = Place("hand score", address, patient.clinic_id, patient.public_id, subject)
    return Keeping(request, place, creating=reading.pk is None)


def _save(request: HttpRequest, reading: HandScore, keeping: Keeping) -> HttpResponse:
    form = _form(request, reading, keeping.posted)
    grid = Grid.typed(reading.tool, keeping.posted)
    if "rest" in request.POST:
        return _page(request, reading, form, grid, keeping)
    form.is_valid()
    if form.conflict and not keeping.refused:
        clashes = [conflict.clash_of(form, HandScore.title())]
        return conflict_page(request, clashes, keeping, patient=reading.study.patient)
    saved = _saved(request, form, grid, keeping)
    if saved and "finish" in request.POST:
        return _finished(request, reading)
    if saved:
        messages.success(request, _("Reading saved."))
        return redirect("lesions:hand_score", public_id=reading.study.public_id)
    if keeping.refused:
        return _page(request, reading, form, grid, keeping, status=422)
    return _page(request, reading, form, grid, keeping)


def _form(request: HttpRequest, reading: HandScore, data: Any) -> ReadingForm:
    """Whether it was read blind is known, and no question, where somebody else has read the study."""
    asked = unfinished_of(request.user, reading.study)
    others = HandScore.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(study=reading.study_id)
    known = True
    if asked is not None:
        reading.blinded = asked.shown_before is None or (reading.pk is not None and reading.blinded)
        known = asked.shown_before is None
    elif not others.exclude(rater=request.user.pk).exists():
        known = False
    form = ReadingForm(data, instance=reading)
    if known:
        del form.fields["blinded"]
    return form


def _finished(request: HttpRequest, reading: HandScore) -> HttpResponse:
    """The second reading is whole: both readings open."""
    asked = unfinished_of(request.user, reading.study)
    if asked is None:
        return redirect("lesions:hand_score", public_id=reading.study.public_id)
    try:
        finish(asked=asked, reading=reading, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, _("Saved, and not finished yet. %(why)s") % {"why": " ".join(error.messages)})
        return redirect("lesions:hand_score", public_id=reading.study.public_id)
    messages.success(request, _("Second reading finished. Both readings are open now."))
    return redirect(asked)


def radiograph(request: HttpRequest, public_id: str, needed: Permission, *, lock: bool = False) -> ImagingStudy:
    """A study that can be scored; 404 for another."""
    study = visible_study(request, public_id, needed, lock=lock)
    if study.modality not in XRAY:
        raise Http404
    return study


def _own(request: HttpRequest, study: ImagingStudy, *, new: bool, named: str = "") -> HandScore:
    """``named``: the reading the page was opened with, where a later one was begun in another tab."""
    own = HandScore.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(study=study, rater=request.user.pk)
    own = own.exclude(reading_kind=ReadingKind.ADJUDICATION)
    if named and not new:
        return one_visible(own, request.user, Permission.EDIT_RECORDS, public_id=named)
    standing = None if new else own.order_by("read_number").last()
    if standing is not None:
        return standing
    # A reading comes when it comes: it belongs to no visit, and no signed visit stands in its way.
    return HandScore(patient=study.patient, study=study, rater=request.user)


def _saved(request: HttpRequest, form: Any, grid: Grid, keeping: Keeping) -> bool:
    ratings = grid.ratings()
    if form.is_valid():
        demand(form, [], also=grid.overwrites(Grid.stored(form.instance)))
    if not form.is_valid() or grid.errors or keeping.refused:
        keeping.refuse(form)
        return False
    if not ratings:
        form.add_error(None, _("Rate at least one site."))
        return False
    try:
        with trail.because(conflict.because_of(request.POST)):
            save_reading(reading=form.save(commit=False), ratings=ratings, now=timezone.now())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def _page(
    request: HttpRequest, reading: HandScore, form: Any, grid: Grid, keeping: Keeping, status: int = 200
) -> HttpResponse:
    study = reading.study
    files = ImagingFile.objects.visible_to(request.user, Permission.VIEW_RECORDS).filter(study=study, has_preview=True)
    now, rated = score(grid.ratings(), grid.tool), len(grid.ratings())
    if keeping.draft is not None:
        grid.calm()
    since = change_since(reading, user=request.user) if request.method != "POST" else None
    context = {
        "study": study,
        "patient": study.patient,
        "reading": reading,
        "again": reading.pk is None,
        "form": form,
        "keeping": keeping,
        "hands": [(hand, HANDS[hand], now.by_hand[hand]) for hand in grid.tool.hands],
        "diagram": hand_diagram(grid.tool, {hand: str(HANDS[hand]) for hand in grid.tool.hands}),
        "steps": range(10, 101, 10),
        "scored": len(now.scorable),
        "asked": unfinished_of(request.user, study),
        "closed": reading.is_closed,
        "grid": grid,
        "now": now,
        "rated": rated,
        "files": list(files),
        "open": opened(list(files), request.GET.get("file", "")),
        "since": since and {"before": since[0], "change": since[1], "words": CHANGES[since[1].category]},
        "may_edit": may(request.user, Permission.EDIT_RECORDS, study.patient.clinic_id),
        "back": reverse("lesions:imaging_study", args=[study.public_id]),
    }
    return render(request, "lesions/hand_score.html", context, status=status)
