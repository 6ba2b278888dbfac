"""How a clinic keeps its register: enrolment, completeness, follow-up, queries, and where it lies among all clinics."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from calcinosis_registry.reports import figures
from calcinosis_registry.reports.chapters import benchmark
from calcinosis_registry.reports.clinic import MONTHS, ClinicNumbers, Standing
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, nothing

AGES = ((0, 7), (8, 30), (31, 90), (91, 365), (366, None))


def exhibits(numbers: ClinicNumbers, standings: Sequence[Standing]) -> list[Exhibit]:
    own = [enrolment(numbers), completeness(numbers), follow_up(numbers), queries(numbers)]
    return [*own, benchmark.funnel(standings), benchmark.beside_all(standings)]


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
