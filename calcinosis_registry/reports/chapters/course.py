"""Time to ulceration, resolution, recurrence, first new lesion: Kaplan–Meier by group, cumulative incidence.

Of lesions the several of one patient hang together: the bands and the test count the patient as the cluster.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.cohorts.scope import HIDDEN_BELOW
from calcinosis_registry.reports import figures, histories
from calcinosis_registry.reports.arrays import np
from calcinosis_registry.reports.chapters import coarse
from calcinosis_registry.reports.crowd import Crowd
from calcinosis_registry.reports.exhibits import Exhibit, OutOfScope, Sheet, nothing
from calcinosis_registry.reports.frame import Frame
from calcinosis_registry.reports.statistics import survival
from calcinosis_registry.reports.statistics.survival import Curve
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import NONE, Teller, interval, p_value

GONE = ("RESOLVED", "EXTRUDED_COMPLETE")


@dataclass(frozen=True)
class Question:
    """``of_lesions``: the subject is the lesion, its patient the cluster."""

    key: str
    title: str | Promise
    event: str | Promise
    times: Callable[[Frame], histories.Times]
    of_lesions: bool = False


QUESTIONS = (
    Question("time-to-ulcer", __("Free of a first ulcer over a lesion"), __("first ulcer"),
             lambda data: histories.first_in_patient(data, "ulcer")),
    Question("time-to-new-lesion", __("Free of a first new lesion"), __("first new lesion"),
             histories.first_new_lesion),
    Question("lesion-ulceration", __("Lesions free of ulceration"), __("ulceration"),
             lambda data: histories.of_lesions(data, (), feature="ulcer"), of_lesions=True),
    Question("lesion-resolution", __("Lesions still there"), __("resolution"),
             lambda data: histories.of_lesions(data, GONE), of_lesions=True),
    Question("recurrence", __("Excised lesions free of recurrence"), __("recurrence"), histories.recurrences,
             of_lesions=True),
)  # fmt: skip


def chapter(subject: Subject) -> list[Exhibit]:
    found = []
    for question in QUESTIONS:
        try:
            times = question.times(subject.data)
        except OutOfScope as item:
            why = _("The project does not have “%(item)s” in scope.") % {"item": item}
            found.append(nothing(question.key, str(question.title), why))
            continue
        found.append(kaplan_meier(subject, question, times))
        if len(times) and (times.causes > histories.EVENT).any():
            found.append(competing(subject, question, times))
    return found


# ---- Kaplan–Meier


@dataclass(frozen=True)
class Group:
    label: str
    times: histories.Times
    curve: Curve
    tell: Teller

    @property
    def subjects(self) -> Crowd:
        return Crowd(self.times.patient)

    @cached_property
    def readings(self) -> list[coarse.Reading]:
        """What is drawn where the curve itself may not be."""
        return coarse.readings(self.times, self.curve, self.tell)

    @property
    def may_be_drawn(self) -> bool:
        if not self.tell.enough(self.subjects):
            return False
        if self.tell.exact:
            return True
        enough = self.tell.shown(self.times.having()) is not None
        return enough and any(one.time and one.free is not None for one in self.readings)


def kaplan_meier(subject: Subject, question: Question, times: histories.Times) -> Exhibit:
    tell = subject.tell
    groups = _groups(subject, question, times)
    title = _title(question, times, tell)
    shown = [one for one in groups if one.may_be_drawn]
    if not shown:
        return nothing(question.key, title, _why_nothing(times, tell))
    longest = max(float(one.curve.time[-1]) for one in shown)
    ticks = figures.ticks_of(longest)
    steps = [_step(one, ticks, tell) for one in shown]
    test = _test(shown, question)
    drawn = figures.step_curves(
        title, _("Share without the event by years, with 95 %% bands. %(events)s events.") % {
            "events": tell.n(times.having())},
        steps, longest=longest, below=_("years since the lesion was excised") if question.key == "recurrence" else
        _("years since the lesion was first recorded") if question.of_lesions else _("years since registration"),
        beside=str(question.title), risk=_("Number at risk"), named=subject.by.grouped,
    )  # fmt: skip
    return Exhibit(
        question.key, title, _sheet(groups, tell), drawn, says=_says(test, subject, tell),
        notes=_notes(question, times, tell), data=_data(shown, tell),
    )  # fmt: skip


def _groups(subject: Subject, question: Question, times: histories.Times) -> list[Group]:
    found = []
    for place, name in enumerate(subject.by.names):
        some = times.of(subject.by.of[times.patient] == place) if len(times) else times
        cluster = some.patient if question.of_lesions else None
        if len(some):
            found.append(Group(name, some, survival.kaplan_meier(some.years, some.events, cluster), subject.tell))
    return found


def _title(question: Question, times: histories.Times, tell: Teller) -> str:
    if question.of_lesions:
        told = _("%(title)s: %(n)s lesions of %(patients)s patients, Kaplan–Meier")
    else:
        told = _("%(title)s: %(n)s patients, Kaplan–Meier")
    subjects = Crowd(times.patient)
    return told % {"title": question.title, "n": tell.n(subjects), "patients": tell.n(subjects.people)}


def _why_nothing(times: histories.Times, tell: Teller) -> str:
    if not len(times):
        told = _(
            "Nobody was followed without the event: %(before)s had it at the start, %(unseen)s were seen only once."
        )
        return told % {"before": tell.n(times.before), "unseen": tell.n(times.unseen)}
    return _("Too few to be shown outside an approved research project.")


def _step(one: Group, ticks: list[float], tell: Teller) -> figures.Step:
    curve = one.curve
    risk = [tell.n(one.times.at_risk(tick)) for tick in ticks]
    end = float(curve.time[-1])
    if not tell.exact:
        seen = one.readings  # no line beyond what is shown
        points, edges = [(at.time, at.free) for at in seen], [(at.time, at.low, at.high) for at in seen if at.time]
        return figures.Step(one.label, points, [(0.0, 1.0, 1.0), *edges], at_risk=risk)
    had = np.flatnonzero(curve.events)
    moved = [(0.0, 1.0), *((float(curve.time[at]), float(curve.estimate[at])) for at in had)]
    band = [(0.0, 1.0, 1.0), *((float(curve.time[at]), float(curve.low[at]), float(curve.high[at])) for at in had)]
    marks = [(float(t), float(s)) for t, s, c in zip(curve.time, curve.estimate, curve.censored, strict=True) if c]
    return figures.Step(one.label, moved, band, marks if len(marks) <= 150 else (), risk, end)


def _test(groups: list[Group], question: Question) -> survival.LogRank | None:
    if len(groups) < 2:
        return None
    names = [one.label for one in groups for _subject in range(len(one.times))]
    cluster = np.concatenate([one.times.patient for one in groups]) if question.of_lesions else None
    return survival.log_rank(
        np.concatenate([one.times.years for one in groups]), np.concatenate([one.times.events for one in groups]),
        names, cluster,
    )  # fmt: skip


def _says(test: survival.LogRank | None, subject: Subject, tell: Teller) -> str:
    if test is None:
        return ""
    if math.isnan(test.p):
        return _("No event in any group: there is nothing to compare.")
    if not tell.exact:
        told = _("Log-rank test of %(item)s, groups with a curve: %(p)s.")
        return told % {"item": subject.by.label, "p": p_value(test.p, exact=False)}
    told = _("Log-rank test of %(item)s: χ² = %(chi2).2f (df %(df)s), %(p)s.")
    return told % {"item": subject.by.label, "chi2": test.chi2, "df": test.df, "p": p_value(test.p)}


def _sheet(groups: list[Group], tell: Teller) -> Sheet:
    rows = []
    for one in groups:
        middle, low, high = survival.median(one.curve) if tell.exact else coarse.median(one.readings)
        years = [1.0, 2.0, 5.0]
        free = [_free_at(one, year, tell) for year in years]
        told = _median(middle, low, high) if one.may_be_drawn else NONE
        rows.append((one.label, tell.n(one.subjects), tell.n(one.times.having()), told, *free))
    return Sheet((_("Group"), _("At risk"), _("Events"), _("Median years (95 % interval)"), _("Free at 1 year"),
                  _("at 2 years"), _("at 5 years")), tuple(rows))  # fmt: skip


def _median(middle: float, low: float, high: float) -> str:
    if math.isnan(middle):
        return _("not reached")
    if math.isnan(high):
        return _("%(middle).1f (from %(low).1f)") % {"middle": middle, "low": low}
    return f"{middle:.1f} ({interval(low, high)})"


def _free_at(one: Group, year: float, tell: Teller) -> str:
    """Only as long as somebody is followed."""
    if not one.curve.n or year > one.curve.time[-1] or not tell.shown(one.times.at_risk(year)):
        return NONE
    if not tell.exact:
        read = next((at for at in one.readings if at.time == year), None)
        return NONE if read is None or read.free is None else _in_words(read.free, read.low, read.high)
    low, high = one.curve.band_at([year])
    return _in_words(float(one.curve.at([year])[0]), float(low[0]), float(high[0]))


def _in_words(share: float, low: float, high: float) -> str:
    # Before the first event the formulas give a band of no width: that nobody had it yet is not that nobody will.
    return f"{100 * share:.0f} %" + (f" ({100 * low:.0f}–{100 * high:.0f})" if high > low else "")


def _notes(question: Question, times: histories.Times, tell: Teller) -> tuple[str, ...]:
    known = ~np.isnan(times.interval)
    seen = Crowd(times.patient[known])
    notes = []
    if question.of_lesions:
        notes.append(_("Lesions of one patient are not independent: the patient is the cluster of bands and test."))
        notes.append(_("Left out: %(before)s with the event at the start, %(unseen)s seen only once.") % {
            "before": tell.n(times.before), "unseen": tell.n(times.unseen)})  # fmt: skip
    else:
        notes.append(_("Time runs from registration, not from the onset of the disease. Left out: %(before)s patients "
                       "with the event at the start, %(unseen)s seen only once.") % {
            "before": tell.n(times.before), "unseen": tell.n(times.unseen)})  # fmt: skip
    months = tell.middle(12 * float(np.median(times.interval[known])), seen) if seen else math.nan
    if not math.isnan(months):
        notes.append(_("The day of an event is known only to the time between two visits, here %(months).0f months "
                       "(median); its middle is used.") % {"months": months})  # fmt: skip
    if not tell.exact:
        told = _("Protected: read at half-years from protected counts, while %(n)s or more are followed; a half-year "
                 "by which fewer than %(n)s had the event is left out. The band is of these counts, each patient once; "
                 "the median is the first half-year with half or fewer free.")  # fmt: skip
        notes.append(told % {"n": HIDDEN_BELOW})
    return tuple(notes)


def _data(groups: list[Group], tell: Teller) -> Sheet:
    """Every step, where that may be told; else the points of the picture."""
    if not tell.exact:
        rows = [
            (one.label, f"{at.time:g}", f"{at.free:.3f}", *("" if math.isnan(end) else f"{end:.3f}"
                                                            for end in (at.low, at.high)))
            for one in groups
            for at in one.readings
            if at.free is not None
        ]  # fmt: skip
        return Sheet(("group", "years", "free", "low_95", "high_95"), tuple(rows))
    steps = [
        (one.label, f"{t:.4f}", f"{n:.0f}", f"{d:.0f}", f"{c:.0f}", f"{s:.6f}", f"{low:.6f}", f"{high:.6f}")
        for one in groups
        for t, n, d, c, s, low, high in zip(
            one.curve.time, one.curve.at_risk, one.curve.events, one.curve.censored, one.curve.estimate, one.curve.low,
            one.curve.high, strict=True,
        )
    ]  # fmt: skip
    return Sheet(("group", "years", "at_risk", "events", "censored", "free", "low_95", "high_95"), tuple(steps))


# ---- cumulative incidence


def competing(subject: Subject, question: Question, times: histories.Times) -> Exhibit:
    """Aalen–Johansen: the event, excision and death beside each other; all patients together."""
    tell, key = subject.tell, f"{question.key}-competing"
    title = _("Cumulative incidence of %(event)s and of what competes: %(n)s %(subjects)s, Aalen–Johansen") % {
        "event": question.event, "n": tell.n(Crowd(times.patient)),
        "subjects": _("lesions") if question.of_lesions else _("patients"),
    }  # fmt: skip
    names = {histories.EVENT: str(question.event), histories.EXCISED: _("excision"), histories.DEATH: _("death")}
    cluster = times.patient if question.of_lesions else None
    curves = {
        cause: survival.cumulative_incidence(times.years, times.causes, cause, cluster)
        for cause in names
        if (times.causes == cause).any() and tell.shown(times.having(cause)) is not None
    }
    if not curves or not tell.exact:
        return nothing(
            key, title, _("Competing events are shown inside an approved research project, or to the own clinic.")
        )
    longest = float(times.years.max())
    steps = [_incidence_step(names[cause], one, longest) for cause, one in curves.items()]
    top = max(max(float(np.nanmax(one.high)) for one in curves.values()) * 1.05, 0.1)
    drawn = figures.step_curves(
        title, _("Share with each event by years, with 95 % bands."), steps, longest=longest,
        below=_("years since the lesion was first recorded") if question.of_lesions else _("years since registration"),
        beside=_("Cumulative incidence"), risk="", named=True, upper=min(math.ceil(top * 10) / 10, 1.0),
    )  # fmt: skip
    rows = [
        (names[cause], tell.n(times.having(cause)), *(_incidence_at(one, year) for year in (1.0, 2.0, 5.0)))
        for cause, one in curves.items()
    ]
    sheet = Sheet((_("Event"), _("Events"), _("At 1 year"), _("at 2 years"), _("at 5 years")), tuple(rows))
    note = _("Whichever comes first ends the time; unlike one minus Kaplan–Meier, the shares add up to at most 100 %.")
    return Exhibit(key, title, sheet, drawn, notes=(note,))


def _incidence_step(label: str, one: Curve, end: float) -> figures.Step:
    moved = np.flatnonzero(one.events)
    points = [(float(one.time[at]), float(one.estimate[at])) for at in moved]
    band = [(float(one.time[at]), float(one.low[at]), float(one.high[at])) for at in moved]
    return figures.Step(label, [(0.0, 0.0), *points], [(0.0, 0.0, 0.0), *band], end=end)


def _incidence_at(one: Curve, year: float) -> str:
    if year > one.time[-1]:
        return NONE
    low, high = one.band_at([year])
    value = float(one.at([year])[0])
    band = f" ({100 * low[0]:.0f}–{100 * high[0]:.0f})" if not math.isnan(low[0]) and value > 0 else ""
    return f"{100 * value:.0f} %{band}"
