"""Second readings: asking, taking, giving up; the two readings side by side, and what is decided where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import may, one_visible, require
from calcinosis_registry.clinics.roles import Permission
from lesions.hand_pairs import Pair, pairs_of
from lesions.hand_reading import HANDS, LONGEST, Row
from lesions.hand_record import SITE_POINTS, TOTAL_PCT, SiteDifference
from lesions.hand_score import SiteRating, instrument
from lesions.models import Adjudicated, SecondReading
from lesions.second_reading import AdjudicatedMeanwhile, adjudicate, ask, give_up, readers, take, to_do_of
from lesions.templatetags.lesion_tags import rated
from lesions.views.hand_score import radiograph

SHOWN = 200


def _asked(request: HttpRequest, public_id: str, needed: Permission) -> SecondReading:
    rows = SecondReading.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    rows = rows.select_related("study__patient__clinic", "first", "reading", "adjudication")
    return one_visible(rows, request.user, needed, public_id=public_id)


@require_POST
def ask_for(request: HttpRequest, public_id: str) -> HttpResponse:
    """A second reading of the study: of the colleague named, or of whoever takes it."""
    study = radiograph(request, public_id, Permission.SIGN)
    wanted = request.POST.get("reader", "")
    reader = readers(study).filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 19 else None
    try:
        if wanted and reader is None:
            raise ValidationError(_("The second reader is a clinician of the clinic who has not read it yet."))
        ask(study=study, reader=reader, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Second reading asked for."))
    return redirect(study)


@require_POST
def take_it(request: HttpRequest, public_id: str) -> HttpResponse:
    asked = _asked(request, public_id, Permission.SIGN)
    try:
        take(asked=asked, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("lesions:readings")
    messages.success(request, _("It is yours: until you finish it you see nobody else’s reading of this study."))
    return redirect("lesions:hand_score", public_id=asked.study.public_id)


@require_POST
def give_it_up(request: HttpRequest, public_id: str) -> HttpResponse:
    """The reader, or whoever asked; with a reason."""
    asked = _asked(request, public_id, Permission.SIGN)
    why = request.POST.get("why", "").strip()[:200]
    if request.user.pk not in (asked.reader_id, asked.asked_by_id):
        messages.error(request, _("Only its reader, or who asked for it, gives a second reading up."))
    elif not why:
        messages.error(request, _("Say why the second reading is given up. It still stands."))
    else:
        try:
            give_up(asked=asked, why=why, by=request.user, now=timezone.now())
            messages.success(request, _("Second reading given up."))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    return redirect(asked.study)


@require_safe
def readings(request: HttpRequest) -> HttpResponse:
    """What this person is to read, and the double readings of a clinic: where they differ, what was decided.

    ``?clinic=``: which; by itself the first with something to do.
    """
    require(request, Permission.VIEW_RECORDS)
    beyond = _threshold(request)
    pairs, to_do = pairs_of(request.user, beyond=beyond), list(to_do_of(request.user))
    shelves = [
        Shelf(
            one, [asked for asked in to_do if asked.study.patient.clinic_id == one.pk],
            [pair for pair in pairs if pair.asked.study.patient.clinic_id == one.pk],
        )
        for one in Clinic.objects.visible_to(request.user, Permission.VIEW_RECORDS)
    ]  # fmt: skip
    chosen = next((one for one in shelves if one.clinic.public_id == request.GET.get("clinic")), None)
    here = chosen or next((one for one in shelves if one.open), None) or (shelves[0] if shelves else None)
    context = {
        "here": here, "shelves": shelves if len(shelves) > 1 else [],
        "beyond": beyond, "total_pct": TOTAL_PCT,
        "may_report": here is not None and may(request.user, Permission.CLINIC_REPORTS, here.clinic.pk),
    }  # fmt: skip
    return render(request, "lesions/readings.html", context)


@dataclass(frozen=True)
class Shelf:
    """A clinic with what is to be read there and its double readings."""

    clinic: Clinic
    to_do: list[SecondReading]
    pairs: list[Pair]

    @property
    def open(self) -> int:
        return len(self.to_do) + sum(one.wants_adjudication for one in self.pairs)

    @property
    def wanting(self) -> list[Pair]:
        return [one for one in self.pairs if one.wants_adjudication][:SHOWN]

    @property
    def settled(self) -> list[Pair]:
        return [one for one in self.pairs if not one.wants_adjudication][:SHOWN]


def _threshold(request: HttpRequest) -> Decimal:
    """``?points=``: what counts as a difference of a site, 1 to 300."""
    try:
        given = Decimal(request.GET.get("points", "") or SITE_POINTS)
    except InvalidOperation:
        return SITE_POINTS
    return given if given.is_finite() and 1 <= given <= 300 else SITE_POINTS


@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: HttpRequest, public_id: str) -> HttpResponse:
    """Both readings, site by site; with POST what is decided."""
    writing = request.method == "POST"
    asked = _asked(request, public_id, Permission.SIGN if writing else Permission.VIEW_RECORDS)
    found = pairs_of(request.user, only=asked.pk)
    if not found:
        return redirect(asked.study)
    one = found[0]
    errors: list[str] = []
    meanwhile = False
    if writing:
        try:
            ratings = _decided(one, request.POST)
            adjudicate(
                pair=asked, ratings=ratings, how=request.POST.get("how", ""), why=request.POST.get("why", "")[:400],
                by=request.user, now=timezone.now(),
            )  # fmt: skip
        except AdjudicatedMeanwhile:
            meanwhile, one = True, pairs_of(request.user, only=asked.pk)[0]
        except ValidationError as error:
            errors = error.messages
        else:
            messages.success(request, _("Adjudicated: this is the score of record of the study now."))
            return redirect(asked)
    study = asked.study
    context = {
        "pair": one, "study": study, "patient": study.patient, "errors": errors, "hands": HANDS,
        "rows": _rows(one, request.POST if writing else {}), "typed": request.POST if writing else {},
        "ways": Adjudicated.choices, "threshold": SITE_POINTS, "total_pct": TOTAL_PCT,
        "may_adjudicate": may(request.user, Permission.SIGN, study.patient.clinic_id) and not one.asked.adjudication,
        "meanwhile": meanwhile,
        "is_reader": request.user.pk in (asked.first.rater_id, asked.reader_id),
    }  # fmt: skip
    return render(request, "lesions/reading_pair.html", context, status=409 if meanwhile else 422 if errors else 200)


def _rows(one: Pair, typed: Any) -> list[dict[str, Any]]:
    labels = instrument(one.first.instrument_version).labels
    adjudication = one.asked.adjudication
    decided = {(site.laterality, site.site): site.rating for site in adjudication.ratings.all()} if adjudication else {}
    return [
        {
            "name": f"{site.hand}-{site.site}", "hand": HANDS[site.hand], "label": labels[site.site], "site": site,
            "chosen": typed.get(f"{site.hand}-{site.site}", ""),
            "coverage": typed.get(f"{site.hand}-{site.site}-coverage", ""),
            "density": typed.get(f"{site.hand}-{site.site}-density", ""),
            "decided": decided.get((site.hand, site.site)), "mine": _mine(site, typed),
        }
        for site in one.differing
    ]  # fmt: skip


def _mine(site: SiteDifference, typed: Any) -> str:
    """What this person chose for the site, in words; "" for nothing."""
    other = _other(site, typed).said
    given = {"first": rated(site.first), "second": rated(site.second), "off": _("not scorable"), "other": other}
    return str(given.get(typed.get(f"{site.hand}-{site.site}", ""), ""))


def _other(site: SiteDifference, typed: Any) -> Row:
    """What this person typed for the site instead of both; as much of it as the grid of a reading takes."""
    row = Row(site.hand, site.site, "", Decimal(1))
    row.coverage, row.density = (
        typed.get(f"{row.name}-{part}", "").strip()[:LONGEST] for part in ("coverage", "density")
    )
    return row


def _decided(one: Pair, typed: Any) -> list[SiteRating]:
    """What both said, and for each site on which they differ the one chosen. Raises ValidationError."""
    ratings = {(site.hand, site.site): site for site in one.ratings_first}
    open_sites = 0
    for site in one.differing:
        name = f"{site.hand}-{site.site}"
        chosen = typed.get(name, "")
        if chosen == "first":
            ratings[site.hand, site.site] = site.first
        elif chosen == "second":
            ratings[site.hand, site.site] = site.second
        elif chosen == "off":
            ratings[site.hand, site.site] = SiteRating(site.hand, site.site, scorable=False)
        elif chosen == "other":
            ratings[site.hand, site.site] = _rated(_other(site, typed))
        else:
            open_sites += 1
    if open_sites:
        raise ValidationError(_("Decide every site on which the readings differ: %(n)s are left.") % {"n": open_sites})
    return list(ratings.values())


def _rated(row: Row) -> SiteRating:
    try:
        return SiteRating(row.hand, row.site, int(row.coverage), int(row.density))
    except ValueError as error:
        said = _("%(site)s: give coverage and density as whole numbers.") % {"site": f"{HANDS[row.hand]}, {row.site}"}
        raise ValidationError(said) from error
