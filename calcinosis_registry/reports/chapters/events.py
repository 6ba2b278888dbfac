"""Ulceration, extrusion, infection, new lesions: how many have them, and how often they come per 100 patient-years."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Having:
    """Patients with an event at their first visit that answers, at their last, ever; ``whole``: who were asked.

    ``first`` is None of what the first visit cannot show.
    """

    first: Crowd | None
    last: Crowd
    ever: Crowd
    whole: Crowd

    def of(self, chosen: Array) -> Having:
        """Those of the patients chosen by a mask."""

        def some(crowd: Crowd) -> Crowd:
            return Crowd(crowd.places[chosen[crowd.places]])

        return Having(None if self.first is None else some(self.first), some(self.last), some(self.ever),
                      some(self.whole))  # fmt: skip


def prevalence(subject: Subject) -> Exhibit:
    """Patients with each event at the first visit, at the last, and ever, by group."""
    by, tell = subject.by, subject.tell
    bars, rows = [], []
    for name, label in NAMES.items():
        found = _having(subject.data, name)
        published = tuple(float(one.value) / 100 for one in chosen(*PUBLISHED.get(name, ())))
        if by.grouped:
            bars.append(figures.Bar(str(label), None, "", is_head=True))
        for place, group in enumerate(by.names):
            mine = found.of(by.of == place)
            told, limits = tell.percent(mine.ever, mine.whole), _share_limits(mine, tell)
            low, high = limits or (None, None)
            shown = group if by.grouped else str(label)
            bars.append(figures.Bar(shown, tell.share(mine.ever, mine.whole), told, low, high, published))
            between = interval(100 * limits[0], 100 * limits[1]) if limits else NONE
            first = NONE if mine.first is None else tell.percent(mine.first, mine.whole)
            called = f"{label}, {group}" if by.grouped else str(label)
            rows.append((called, first, tell.percent(mine.last, mine.whole), told, between))
    title = _("Patients with each event at any visit, of the patients asked")
    if by.grouped:
        title = _("Patients with each event at any visit, of the patients asked, by %(item)s") % {"item": by.label}
    sheet = Sheet((_("Event"), _("At the first visit"), _("At the last visit"), _("Ever"), _("95 % interval, ever")),
                  tuple(rows))  # fmt: skip
    notes = (
        _("Asked: patients with a lesion examined and the question answered at least once. Interval: exact binomial."),
        _("Extrusion: chalky or milky drainage, or a lesion emptied completely. New lesion: of the patients seen more "
          "than once; the first visit cannot show one."),
    )  # fmt: skip
    drawn = figures.bars(title, _("Share of the patients asked, with the exact 95 % interval."), bars)
    return Exhibit("prevalence", title, sheet, drawn, notes=notes, references=chosen("2k", "2l"))


def _share_limits(found: Having, tell: Teller) -> tuple[float, float] | None:
    """The exact interval of who ever had it; of protected counts, where they are protected."""
    ever, whole = tell.shown(found.ever), tell.shown(found.whole)
    if ever is None or not whole:
        return None
    share = rates.exact_share(min(ever, whole), whole)
    return share.low, share.high


def _having(data: Frame, name: str) -> Having:
    return _with_new_lesion(data) if name == "new" else _with_feature(data, name)


def _with_feature(data: Frame, feature: str) -> Having:
    seen, told = histories.features(data)[feature], histories.answered(data)[feature]
    place, days = data["observations"].patient, histories.visit_days(data)
    n = len(data.patients)
    earliest, latest = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(earliest, place[told], days[told])
    np.maximum.at(latest, place[told], days[told])
    first = np.unique(place[seen & (days == earliest[place])])
    last = np.unique(place[seen & (days == latest[place])])
    return Having(Crowd(first), Crowd(last), Crowd(place[seen]).people, Crowd(np.unique(place[told])))


def _with_new_lesion(data: Frame) -> Having:
    """Incident lesions (clinical-model 6.3) of the patients seen more than once."""
    lesions, visits = data["lesions"], data["visits"]
    latest = np.full(len(data.patients), -np.inf)
    np.maximum.at(latest, visits.patient, visits.days("visit_date"))
    followed = histories.followed_years(data) > 0
    new = np.array([one == 1 for one in lesions["incident"]], bool) & followed[lesions.patient]
    now = new & (lesions.days("first_recorded") == latest[lesions.patient])
    ever, last = (np.unique(lesions.patient[one]) for one in (new, now))
    return Having(None, Crowd(last), Crowd(ever), Crowd(np.flatnonzero(followed)))


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
          "Interval: robust, the episodes of one patient hang together.")
        if tell.exact else
        _("An episode: a lesion shows the event now and did not when last looked at; the first look begins none. "
          "The interval needs each patient's own number of episodes: it is given inside an approved project."),
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
    if rate is None:
        return NONE
    between = interval(rate.low, rate.high)
    return f"{rate.value:.1f}" if between == NONE else f"{rate.value:.1f} ({between})"


def _limits(rate: rates.Rate | None, top: float) -> tuple[float | None, float | None]:
    if rate is None or np.isnan(rate.low) or np.isnan(rate.high):
        return None, None
    return rate.low / top, rate.high / top
