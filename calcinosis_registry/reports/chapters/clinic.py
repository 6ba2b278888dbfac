"""How a clinic keeps its register: enrolment, completeness, follow-up, queries, and where it lies among all clinics."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.scope import Count, protected
from calcinosis_registry.reports import figures
from calcinosis_registry.reports.clinic import MONTHS, ClinicNumbers, Standing
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, nothing
from calcinosis_registry.reports.statistics.rates import funnel_limits

AGES = ((0, 7), (8, 30), (31, 90), (91, 365), (366, None))
LIMITS = (0.95, 0.998)


def exhibits(numbers: ClinicNumbers, standings: Sequence[Standing]) -> list[Exhibit]:
    return [enrolment(numbers), completeness(numbers), follow_up(numbers), queries(numbers), funnel(standings)]


def enrolment(numbers: ClinicNumbers) -> Exhibit:
    total = sum(count for _month, count in numbers.enrolment)
    title = _("Patients registered by month, %(n)s of all %(all)s in the last %(months)s months") % {
        "n": total, "all": numbers.patients, "months": MONTHS,
    }  # fmt: skip
    if not numbers.patients:
        return nothing("enrolment", title, _("No patient is registered at this clinic yet."))
    rows = tuple((month, str(count)) for month, count in numbers.enrolment)
    drawn = figures.columns(title, _("Patients by month of registration."), numbers.enrolment)
    return Exhibit("enrolment", title, Sheet((_("Month"), _("Patients")), rows), drawn)


def completeness(numbers: ClinicNumbers) -> Exhibit:
    title = _("Required answers given, of those asked, over %(n)s visits that took place") % {"n": numbers.visits}
    if not numbers.visits:
        return nothing("completeness", title, _("No visit took place yet: nothing was asked."))
    asked = [one for one in numbers.completeness if one.asked]
    bars = [figures.Bar(one.label, one.share, f"{one.percent} % ({one.answered}/{one.asked})") for one in asked]
    rows = tuple((one.label, str(one.answered), str(one.asked), one.percent) for one in asked)
    sheet = Sheet((_("Item"), _("Answered"), _("Asked"), _("Per cent")), rows)
    note = _("A number and “not done” both answer. An item is asked where it applies to the visit.")
    drawn = figures.bars(title, _("Answered of asked, item by item."), bars)
    return Exhibit("completeness", title, sheet, drawn, notes=(note,))


def follow_up(numbers: ClinicNumbers) -> Exhibit:
    title = _("Follow-up of the clinic's %(n)s patients") % {"n": numbers.patients}
    if not numbers.patients:
        return nothing("follow-up", title, _("No patient is registered at this clinic yet."))
    parts = ((_("Due"), numbers.due), (_("Overdue"), numbers.overdue), (_("Lost to follow-up"), numbers.lost))
    whole = numbers.patients
    bars = [
        figures.Bar(label, count / whole, f"{100 * count / whole:.1f} % ({count}/{whole})") for label, count in parts
    ]
    rows = tuple((label, str(count), str(whole)) for label, count in parts)
    note = _(
        "Due: planned within 30 days either way; then overdue; lost: not seen for 18 months with no visit planned."
    )
    drawn = figures.bars(title, _("Share of all patients of the clinic."), bars)
    return Exhibit("follow-up", title, Sheet((_("State"), _("Patients"), _("Of")), rows), drawn, notes=(note,))


def queries(numbers: ClinicNumbers) -> Exhibit:
    ages = numbers.query_ages
    title = _("Open data queries by the days they have waited, %(n)s in all") % {"n": len(ages)}
    if not ages:
        return nothing("queries", title, _("No query is open."))
    groups = [
        (f"{low}–{high}" if high is not None else _("more than %(n)s") % {"n": low - 1},
         sum(1 for age in ages if age >= low and (high is None or age <= high)))
        for low, high in AGES
    ]  # fmt: skip
    drawn = figures.columns(title, _("Queries by days of waiting."), groups, every=1)
    notes = (_("Median: %(days)s days.") % {"days": f"{numbers.median_query_age:.0f}"},)
    rows = tuple((label, str(count)) for label, count in groups)
    return Exhibit("queries", title, Sheet((_("Days"), _("Queries")), rows), drawn, notes=notes)


# ---- among all clinics


def funnel(standings: Sequence[Standing]) -> Exhibit:
    """Patients lost to follow-up by clinic, against the share of all clinics; others' counts are protected."""
    title = _("Patients lost to follow-up by clinic, of all patients of each")
    own = next((one for one in standings if one.own), None)
    if own is None or not own.patients:
        return nothing("funnel", title, _("The clinic has no patient yet: it has no place among the others."))
    shown = [
        one for one in ((stand, *_counts(stand)) for stand in standings) if one[1].number and one[2].number is not None
    ]
    lost, whole = sum(one.lost for one in standings), sum(one.patients for one in standings)
    others = len(standings) - 1
    if others < 1 or not protected(whole - own.patients).number:
        return nothing("funnel", title, _("There is no other clinic large enough to compare with."))
    whole_count, lost_count = protected(whole), protected(lost)
    if lost_count.number is None or not whole_count.number:
        return nothing("funnel", title, _("Too few patients of the whole register are lost to draw limits from."))
    target = min(lost_count.number / whole_count.number, 1.0)
    places = [
        figures.Place(stand.name if stand.own else _("another clinic"), float(size.number or 0),
                      min((count.number or 0) / (size.number or 1), 1.0), f"{count.short} / {size.short}", stand.own)
        for stand, size, count in shown
    ]  # fmt: skip
    sizes = _sizes(max(place.whole for place in places))
    inner, outer = ([(float(size), *funnel_limits(target, size, limit)) for size in sizes] for limit in LIMITS)
    drawn = figures.funnel(
        title, _("Each clinic by size and share, with the limits within which chance alone would leave it."),
        places, target=target, inner=inner, outer=outer,
        names=(_("all clinics: %(share).1f %%") % {"share": 100 * target}, _("95 % limits"), _("99.8 % limits")),
        below=_("patients of the clinic"), beside=_("lost to follow-up"),
    )  # fmt: skip
    low, high = funnel_limits(target, own.patients, LIMITS[0])
    says = _("Here %(lost)s of %(n)s patients; by chance alone between %(low).0f and %(high).0f %% (95 %%).") % {
        "lost": own.lost, "n": own.patients, "low": 100 * low, "high": 100 * high,
    }  # fmt: skip
    rows = tuple((place.label, place.told, f"{100 * place.share:.0f} %") for place in places)
    notes = (_("Exact binomial limits around the share of all clinics. Other clinics are not named; their counts are "
               "rounded to 5, those below 8 left out (%(n)s clinics).") % {
        "n": len(standings) - len(shown)},)  # fmt: skip
    sheet = Sheet((_("Clinic"), _("Lost / patients"), _("Share")), rows)
    return Exhibit("funnel", title, sheet, drawn, says=says, notes=notes)


def _counts(stand: Standing) -> tuple[Count, Count]:
    if stand.own:
        return Count(stand.patients), Count(stand.lost)
    return protected(stand.patients), protected(stand.lost)


def _sizes(most: float) -> list[int]:
    """Enough sizes for a smooth line, and not more."""
    end = max(int(most * 1.15), 20)
    step = max(end // 60, 1)
    return [*range(max(step, 4), end, step), end]
