"""Ulceration, extrusion, infection, new lesions: how many have them, and how often they come per 100 patient-years."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.reports import figures, histories
from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.crowd import Crowd
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, made, nothing
from calcinosis_registry.reports.frame import Frame
from calcinosis_registry.reports.references import chosen
from calcinosis_registry.reports.statistics import rates
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import NONE, Teller, interval, number

NAMES: dict[str, str | Promise] = {
    "ulcer": __("Ulcer over a lesion"),
    "extrusion": __("Extrusion or chalky drainage"),
    "infection": __("Infected lesion"),
    "new": __("New lesion"),
}
FEWEST_YEARS = 1.0  # of person-time behind a rate of 0: of a few days its interval goes to the thousands
PUBLISHED = {"extrusion": ("2k",), "infection": ("2l",)}


def chapter(subject: Subject) -> list[Exhibit]:
    if "observations" in subject.data.tables and not len(subject.data["observations"]):
        why = _("No lesion was observed at a signed visit: nothing can be counted.")
        return [nothing("prevalence", _("Patients with an ulcer, extrusion or infection"), why)]
    return [
        made("prevalence", _("Patients with each event at any visit"), lambda: prevalence(subject)),
        made("incidence", _("First events per 100 patient-years"), lambda: first_events(subject)),
        made("episodes", _("Episodes per 100 patient-years"), lambda: repeated_events(subject)),
    ]


# ---- prevalence


def prevalence(subject: Subject) -> Exhibit:
    """Patients with a feature at the first visit that answers, at the last, and ever."""
    data, tell = subject.data, subject.tell
    bars, rows = [], []
    for feature in histories.FEATURES:
        first, last, ever, whole = _present(data, feature)
        told = tell.percent(ever, whole)
        share = rates.exact_share(ever, whole) if tell.exact else None
        lines = tuple(float(one.value) / 100 for one in chosen(*PUBLISHED.get(feature, ())))
        low, high = (share.low, share.high) if share and whole else (None, None)
        bars.append(figures.Bar(str(NAMES[feature]), tell.share(ever, whole), told, low, high, lines))
        between = interval(100 * share.low, 100 * share.high) if share else NONE
        rows.append((str(NAMES[feature]), tell.percent(first, whole), tell.percent(last, whole), told, between))
    title = _("Patients with each event at any visit, of the patients asked")
    sheet = Sheet((_("Event"), _("At the first visit"), _("At the last visit"), _("Ever"), _("95 % interval, ever")),
                  tuple(rows))  # fmt: skip
    notes = (
        _("Asked: patients with a lesion examined and the question answered at least once. Interval: exact binomial."),
        _("Extrusion: chalky or milky drainage, or a lesion emptied completely."),
    )
    drawn = figures.bars(title, _("Share of the patients asked, with the exact 95 % interval."), bars)
    return Exhibit("prevalence", title, sheet, drawn, notes=notes, references=chosen("2j", "2k", "2l"))


def _present(data: Frame, feature: str) -> tuple[Crowd, Crowd, Crowd, Crowd]:
    """Patients with the feature at their first visit that answers, at their last, ever; patients asked."""
    seen, told = histories.features(data)[feature], histories.answered(data)[feature]
    place, days = data["observations"].patient, histories.visit_days(data)
    asked = np.unique(place[told])
    n = len(data.patients)
    earliest, latest = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(earliest, place[told], days[told])
    np.maximum.at(latest, place[told], days[told])
    first = np.unique(place[seen & (days == earliest[place])])
    last = np.unique(place[seen & (days == latest[place])])
    return Crowd(first), Crowd(last), Crowd(place[seen]).people, Crowd(asked)


# ---- incidence


def first_events(subject: Subject) -> Exhibit:
    """First events by group: events, years at risk, rate with the exact Poisson interval."""
    rows, bars, left = [], [], []
    for name, label in NAMES.items():
        times = _first(subject.data, name)
        left.append(f"{label}: {subject.tell.n(times.before)}")
        for place, group in enumerate(subject.by.names):
            some = times.of(subject.by.of[times.patient] == place)
            rate = _first_rate(some, subject.tell)
            called = f"{label}, {group}" if subject.by.grouped else str(label)
            rows.append(_row(called, subject.tell, Crowd(some.patient), rate, some.having(), float(some.years.sum())))
            bars.append((str(label), group if subject.by.grouped else "", rate))
    title = _("First events per 100 patient-years at risk, from registration")
    notes = (
        _("Interval: exact Poisson. Years run from registration to the event, the last visit or death; what was there "
          "at the first visit is not a first event and its patient not at risk. Left out for that: %(left)s patients.")
        % {"left": "; ".join(left)},
        _("An event seen at a visit is put in the middle of the time since the visit before."),
    )  # fmt: skip
    return _rates_exhibit("incidence", title, rows, bars, notes)


def repeated_events(subject: Subject) -> Exhibit:
    """All episodes: a patient may have several, so that the interval is the robust one."""
    data, tell = subject.data, subject.tell
    years = histories.followed_years(data)
    rows, bars = [], []
    for name, label in NAMES.items():
        counts = histories.new_lesions(data) if name == "new" else histories.episodes(data, name)
        for place, group in enumerate(subject.by.names):
            mine = (subject.by.of == place) & (years > 0)
            people = Crowd(np.flatnonzero(mine))
            events = Crowd(np.repeat(people.places, counts[mine]))
            rate = _robust(counts[mine], years[mine], events, people, tell)
            called = f"{label}, {group}" if subject.by.grouped else str(label)
            rows.append(_row(called, tell, people, rate, events, float(years[mine].sum())))
            bars.append((str(label), group if subject.by.grouped else "", rate))
    title = _("Episodes per 100 patient-years of follow-up, repeated ones counted")
    notes = (
        _("An episode: a lesion shows the event now and did not when last looked at; the first look begins none. "
          "Interval: robust, the episodes of one patient hang together."),
        _("Years run from the first to the last visit of each patient."),
    )  # fmt: skip
    return _rates_exhibit("episodes", title, rows, bars, notes)


def _first(data: Frame, name: str) -> histories.Times:
    return histories.first_new_lesion(data) if name == "new" else histories.first_in_patient(data, name)


def _first_rate(times: histories.Times, tell: Teller) -> rates.Rate | None:
    events, years = tell.shown(times.having()), tell.years(float(times.years.sum()), Crowd(times.patient))
    if events is None or years <= 0 or (not events and years < FEWEST_YEARS):
        return None
    return rates.exact_rate(events, years)


def _robust(counts: Array, years: Array, having: Crowd, people: Crowd, tell: Teller) -> rates.Rate | None:
    if tell.exact:
        return rates.robust_rate(counts, years) if years.sum() > 0 else None
    events, length = tell.shown(having), tell.years(float(years.sum()), people)
    if events is None or length <= 0:
        return None
    return rates.Rate(events, length, 100 * events / length, float("nan"), float("nan"), "protected")


def _row(
    label: str, tell: Teller, people: Crowd, rate: rates.Rate | None, events: Crowd, years: float
) -> tuple[str, ...]:
    told = (number(rate.value), interval(rate.low, rate.high)) if rate else (NONE, NONE)
    return (label, tell.n(people), tell.n(events), tell.told_years(years, people), *told)


def _rates_exhibit(
    key: str,
    title: str,
    rows: list[tuple[str, ...]],
    bars: list[tuple[str, str, rates.Rate | None]],
    notes: tuple[str, ...],
) -> Exhibit:
    sheet = Sheet(
        (_("Event"), _("Patients"), _("Events"), _("Years"), _("Per 100 years"), _("95 % interval")), tuple(rows)
    )
    known = [rate for _event, _group, rate in bars if rate is not None]
    most = max((max(rate.value, np.nan_to_num(rate.high)) for rate in known), default=0)
    if not known or not most:
        return Exhibit(key, title, sheet, nothing=_("No event was seen, or too few to be shown."), notes=notes)
    top = min(most, 3 * max(rate.value for rate in known)) or most  # a very wide interval does not flatten all others
    drawn: list[figures.Bar] = []
    for event, group, rate in bars:
        if group and group == bars[0][1]:  # a heading, or the names of event and group would not fit
            drawn.append(figures.Bar(event, None, "", is_head=True))
        drawn.append(figures.Bar(group or event, rate.value / top if rate else None, _told(rate), *_limits(rate, top)))
    told = _("Events per 100 patient-years with their 95 %% intervals; the full width is %(top).1f.") % {"top": top}
    return Exhibit(key, title, sheet, figures.bars(title, told, drawn, track=False), notes=notes)


def _told(rate: rates.Rate | None) -> str:
    return f"{rate.value:.1f} ({interval(rate.low, rate.high)})" if rate else NONE


def _limits(rate: rates.Rate | None, top: float) -> tuple[float | None, float | None]:
    if rate is None or np.isnan(rate.low) or np.isnan(rate.high):
        return None, None
    return rate.low / top, rate.high / top
