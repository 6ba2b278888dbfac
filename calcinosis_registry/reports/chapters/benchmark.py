"""A clinic among all clinics: the funnel plot of follow-up in time, and its figures beside those of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calcinosis_registry.cohorts.scope import Count, protected
from calcinosis_registry.reports import figures
from calcinosis_registry.reports.clinic import Some, Standing
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, nothing
from calcinosis_registry.reports.statistics.rates import funnel_limits

LIMITS = (0.95, 0.998)
OFF = 4  # a protected count is at most so far from the true one
FEWEST = 5  # clinics: with fewer, what is told of all tells of one


def funnel(standings: Sequence[Standing]) -> Exhibit:
    """Patients followed up in time by clinic, against the share of all clinics; others' counts are protected."""
    title = _("Patients followed up in time (neither overdue nor lost), of all patients of each clinic")
    if why := _why_not(standings):
        return nothing("funnel", title, why)
    own = _own(standings)
    places = _places(standings)
    target, whole = _share(_all(standings, "in_time"), _all(standings, "patients")), own.patients.number
    if target is None or len(places) < 2:
        return nothing("funnel", title, _("The other clinics are too small to be shown."))
    sizes = _sizes(max(place.whole for place in places))
    inner, outer = ([(float(size), *funnel_limits(target, size, limit)) for size in sizes] for limit in LIMITS)
    drawn = figures.funnel(
        title, _("Each clinic by size and share, with the limits within which chance alone would leave it."),
        places, target=target, inner=inner, outer=outer,
        names=(_("all clinics: %(share).0f %%") % {"share": 100 * target}, _("95 % limits"), _("99.8 % limits")),
        below=_("patients of the clinic"), beside=_("followed up in time"),
    )  # fmt: skip
    rows = tuple((place.label, place.told, f"{100 * place.share:.0f} %") for place in places)
    left = len(standings) - sum(place.clinics for place in places)
    note = _("Exact binomial limits around the share of all clinics. Other clinics are not named; their counts are "
             "protected like those of a cohort: the thin line through a point is where it may truly be.")  # fmt: skip
    hidden = ngettext("%(n)s clinic is too small to be shown.", "%(n)s clinics are too small to be shown.", left)
    notes = (note, *((hidden % {"n": left},) if left else ()))
    sheet = Sheet((_("Clinic"), _("In time / patients"), _("Share")), rows)
    return Exhibit("funnel", title, sheet, drawn, says=_finding(own.in_time.number, whole, target), notes=notes)


def _finding(count: int, whole: int, target: float) -> str:
    limits = [funnel_limits(target, whole, one) for one in LIMITS]
    share = count / whole
    (low, high), (lowest, highest) = limits
    told = _("Here %(count)s of %(whole)s patients (%(share).0f %%), in all clinics %(all).0f %%.") % {
        "count": count, "whole": whole, "share": 100 * share, "all": 100 * target}  # fmt: skip
    if low <= share <= high:
        more = _("That is within what chance alone would leave (95 %%: %(low).0f to %(high).0f %%).")
    elif lowest <= share <= highest:
        more = _("That is outside the 95 %% limits (%(low).0f to %(high).0f %%), within those of 99.8 %%.")
    else:
        more = _("That is outside the 99.8 %% limits: chance alone does not explain it (95 %%: %(low).0f to "
                 "%(high).0f %%).")  # fmt: skip
    return f"{told} {more % {'low': 100 * low, 'high': 100 * high}}"


def beside_all(standings: Sequence[Standing]) -> Exhibit:
    """The clinic's figures beside those of all clinics together."""
    title = _("This clinic beside all clinics of the register")
    if why := _why_not(standings):
        return nothing("benchmark", title, why)
    own, people = _own(standings), _all(standings, "patients")
    title = _("This clinic's %(n)s patients beside all %(all)s of %(clinics)s clinics") % {
        "n": own.patients.number, "all": protected(people.number, people.cell).text, "clinics": len(standings),
    }  # fmt: skip
    answered = sum(one.answered * one.patients.number for one in standings) / people.number
    queries = 100 * sum(one.queries for one in standings) / people.number
    rows = (
        (_("Patients followed up in time"), _percent(own.in_time.number / own.patients.number),
         _percent(_share(_all(standings, "in_time"), people))),
        (_("Patients lost to follow-up"), _percent(own.lost.number / own.patients.number),
         _percent(_share(_all(standings, "lost"), people))),
        (_("Completeness of the answers, mean of the patients"), f"{own.answered:.0f} %", f"{answered:.0f} %"),
        (_("Open queries per 100 patients"), f"{100 * own.queries / own.patients.number:.0f}", f"{queries:.0f}"),
    )  # fmt: skip
    notes = (_("All clinics, this one among them; shares from protected counts, the others in whole numbers."),)
    return Exhibit("benchmark", title, Sheet((_("Measure"), _("This clinic"), _("All clinics")), rows), notes=notes)


def _why_not(standings: Sequence[Standing]) -> str:
    own = [one for one in standings if one.own]
    if not own or not own[0].patients.number:
        return _("The clinic has no patient yet: it has no place among the others.")
    if len(standings) < FEWEST:
        told = ngettext(
            "%(n)s clinic of the register has patients; from %(fewest)s on they are compared.",
            "%(n)s clinics of the register have patients; from %(fewest)s on they are compared.", len(standings),
        )  # fmt: skip
        return told % {"n": len(standings), "fewest": FEWEST}
    return ""


def _own(standings: Sequence[Standing]) -> Standing:
    return next(one for one in standings if one.own)


def _all(standings: Sequence[Standing], name: str) -> Some:
    return sum((getattr(one, name) for one in standings), Some())


def _share(part: Some, whole: Some) -> float | None:
    count, of = protected(part.number, part.cell).number, protected(whole.number, whole.cell).number
    return None if count is None or not of else min(count / of, 1.0)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _places(standings: Sequence[Standing]) -> list[figures.Place]:
    """A point a clinic that may be shown; several on one spot are one point that says so. The own one comes last."""
    own, several = _own(standings), Counter[tuple[Count, Count]]()
    for one in standings:
        size, count = (protected(some.number, some.cell) for some in (one.patients, one.in_time))
        if not one.own and size.number and count.number is not None:
            several[size, count] += 1
    found = [
        figures.Place(
            ngettext("another clinic", "%(n)s other clinics", n) % {"n": n}, float(size.number or 0),
            min((count.number or 0) / (size.number or 1), 1.0), f"{count.short} / {size.short}", clinics=n,
            low=max((count.number or 0) - OFF, 0) / (size.number or 1),
            high=((count.number or 0) + OFF) / (size.number or 1),
        )
        for (size, count), n in sorted(several.items(), key=lambda one: (one[0][0].number or 0, one[0][1].number or 0))
    ]  # fmt: skip
    here, all_here = own.in_time.number, own.patients.number
    return [*found, figures.Place(own.name, float(all_here), here / all_here, f"{here} / {all_here}", own=True)]


def _sizes(most: float) -> list[int]:
    """Enough sizes for a smooth line, and not more."""
    end = max(int(most * 1.15), 20)
    step = max(end // 60, 1)
    return [*range(max(step, 4), end, step), end]
