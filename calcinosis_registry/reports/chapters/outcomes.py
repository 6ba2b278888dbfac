"""What patients and radiographs say: pain and globals over time, the hand score and how far its readers agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.cohorts.scope import HIDDEN_BELOW
from calcinosis_registry.reports import figures
from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.crowd import Crowd, crowds
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, made, nothing
from calcinosis_registry.reports.frame import YEAR, Frame, worked_once
from calcinosis_registry.reports.histories import entries
from calcinosis_registry.reports.references import chosen
from calcinosis_registry.reports.reliability import icc_1_1
from calcinosis_registry.reports.statistics import comparison
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import NONE, Teller, interval, number

SCALES = ("pain_nrs", "patient_global", "physician_global")
MOST_MONTHS, STEP = 60, 6
FEWEST = 5  # patients behind a mean that is drawn, or has an interval


def chapter(subject: Subject) -> list[Exhibit]:
    parts = {
        **(_by_group() if subject.by.grouped else _together()),
        "pain-change": (_("Pain from the first to the last answer"), by_group),
        "hand-score": (_("Change of the hand radiograph score"), hand_score),
        "agreement": (_("Agreement of readings of the same radiograph"), agreement),
    }
    return [made(key, title, partial(make, subject)) for key, (title, make) in parts.items()]


# ---- pain and globals

Make = Callable[[Subject], Exhibit]
Row = tuple[str, ...]


def _together() -> dict[str, tuple[str, Make]]:
    """The three scales beside each other, of everybody."""
    return {
        "pain-and-globals": (_("Pain and globals by time since registration"), partial(_scales, changed=False)),
        "change-since-first": (_("Change of pain and globals since the first answer"), partial(_scales, changed=True)),
    }


def _by_group() -> dict[str, tuple[str, Make]]:
    """Each scale by itself, the groups beside each other."""
    found: dict[str, tuple[str, Make]] = {}
    for name in SCALES:
        label = str(askable()[f"visit.{name}"].label)
        for changed in (False, True):
            title = _("%(scale)s: change since the first answer, by group") if changed else _(
                "%(scale)s by time since registration, by group")  # fmt: skip
            make = partial(_groups_of, name=name, changed=changed)
            found[_key_of(name, changed=changed)] = (title % {"scale": label}, make)
    return found


def _key_of(name: str, *, changed: bool) -> str:
    """Of the exhibit of one scale by group."""
    return f"{name.replace('_', '-')}-{'change' if changed else 'by-group'}"


def _scales(subject: Subject, *, changed: bool) -> Exhibit:
    """Means at half-yearly windows from registration, or of the change since each patient's own first answer."""
    key = "change-since-first" if changed else "pain-and-globals"
    windows = {str(askable()[f"visit.{name}"].label): _windows(subject.data, name, changed=changed) for name in SCALES}
    n = _who(windows.values())
    title = _("Change of pain and globals since the first answer, points of 0–10, means of %(n)s patients who answered")
    if not changed:
        title = _("Pain and globals by time since registration, points of 0–10, means of %(n)s patients who answered")
    return _over_time(subject, key, title % {"n": subject.tell.n(n)}, _("Scale"), windows, changed=changed)


def _groups_of(subject: Subject, *, name: str, changed: bool) -> Exhibit:
    label = askable()[f"visit.{name}"].label
    every = _windows(subject.data, name, changed=changed)
    windows = {
        group: {month: some.of(subject.by.of[some.patient] == place) for month, some in every.items()}
        for place, group in enumerate(subject.by.names)
    }
    n = _who(windows.values())
    title = _("%(scale)s: change since the first answer, points of 0–10, means of %(n)s patients by %(item)s")
    if not changed:
        title = _("%(scale)s by time since registration, points of 0–10, means of %(n)s patients by %(item)s")
    told = title % {"scale": label, "n": subject.tell.n(n), "item": subject.by.label}
    return _over_time(subject, _key_of(name, changed=changed), told, _("Group"), windows, changed=changed)


@dataclass(frozen=True)
class Answers:
    """``patient``: the place of whom each of the ``values`` is."""

    patient: Array
    values: Array

    def of(self, chosen: Array) -> Answers:
        return Answers(self.patient[chosen], self.values[chosen])


Windows = dict[int, Answers]  # {month: one answer a patient}


def _who(windows: Iterable[Windows]) -> Crowd:
    """Everybody who answered at any time."""
    return sum((Crowd(some.patient) for months in windows for some in months.values()), Crowd()).people


def _fewest(tell: Teller) -> int:
    """Patients behind a mean that is shown."""
    return FEWEST if tell.exact else HIDDEN_BELOW


def _means(label: str, months: Windows, tell: Teller, *, changed: bool) -> tuple[list[figures.Point], list[Row]]:
    """What is drawn of one scale or group, and the rows that say the same."""
    points: list[figures.Point] = []
    rows: list[Row] = []
    for month, some in sorted(months.items()):
        who, found = Crowd(some.patient), comparison.mean(some.values)
        if who < FEWEST or not tell.enough(who):
            continue
        mean = tell.middle(found.value, who)
        low, high = (found.low, found.high) if changed else (max(found.low, 0.0), min(found.high, 10.0))
        limits = interval(low, high) if tell.exact else NONE
        rows.append((label, str(month), tell.n(who), number(mean), limits))
        band = (low, high) if tell.exact else (float("nan"), float("nan"))
        told = _("month %(month)s: %(mean)s (%(limits)s), n = %(n)s") % {
            "month": month, "mean": number(mean), "limits": limits, "n": tell.n(who)}  # fmt: skip
        points.append((float(month), mean, *band, told))
    return points, rows


def _over_time(
    subject: Subject, key: str, title: str, head: str, windows: dict[str, Windows], *, changed: bool
) -> Exhibit:
    tell, series, rows = subject.tell, [], list[Row]()
    for label, months in windows.items():
        points, lines = _means(label, months, tell, changed=changed)
        rows += lines
        if points:
            series.append(figures.Line(label, points))
    if not series:
        why = _("At no time are there answers of %(n)s or more patients.")
        return nothing(key, title, why % {"n": _fewest(tell)})
    sheet = Sheet((head, _("Month"), _("Patients"), _("Mean"), _("95 % interval")), tuple(rows))
    least, most = (-4.0, 4.0) if changed else (0.0, 10.0)
    longest = max(point[0] for one in series for point in one.points)
    beside = _("change") if changed else _("0 none to 10 worst")
    drawn = figures.lines(title, _("Means with 95 % intervals (Student's t)."), series, low=least, high=most,
                          longest=longest, below=_("months since registration"), beside=beside, step=12,
                          zero=changed)  # fmt: skip
    told = _(
        "Each patient once in a window of 6 months, with the answer nearest to its middle. Windows with fewer "
        "than %(n)s patients are left out; who still comes late may differ from who came at first."
    )
    notes = [told % {"n": _fewest(tell)}]
    if left := [label for label in windows if label not in {one.label for one in series}]:
        notes.append(_("Too few at every time: %(groups)s.") % {"groups": ", ".join(left)})
    return Exhibit(key, title, sheet, drawn, notes=tuple(notes))


@worked_once
def _windows(data: Frame, name: str, *, changed: bool) -> Windows:
    """One value a patient: the answer nearest to each half-year since registration, the lower of two as near."""
    visits = data["visits"]
    values, months = visits.numbers(name), (visits.days("visit_date") - entries(data)[visits.patient]) / YEAR * 12
    known = ~np.isnan(values) & ~np.isnan(months)
    patient, months, values = visits.patient[known], months[known], values[known]
    if changed:
        values = values - _first_of(patient, months, values, len(data.patients))[patient]
    window = STEP * np.round(months / STEP).astype(np.int64)
    inside = np.flatnonzero((window > 0 if changed else window >= 0) & (window <= MOST_MONTHS))
    order = inside[np.lexsort((values[inside], np.abs(months - window)[inside], patient[inside], window[inside]))]
    slots = window[order] * len(data.patients) + patient[order]
    nearest = order[np.flatnonzero(np.diff(slots, prepend=-1))]
    return {
        int(month): Answers(patient[some], values[some])
        for month in np.unique(window[nearest])
        for some in (nearest[window[nearest] == month],)
    }


def _first_of(patient: Array, months: Array, values: Array, n: int) -> Array:
    """The first answer of each patient, the lower of two of one day."""
    order = np.lexsort((values, months, patient))
    found = np.full(n, np.nan)
    found[patient[order][::-1]] = values[order][::-1]  # the first is written last
    return found


def by_group(subject: Subject) -> Exhibit:
    """Pain at the last visit against the first, of patients with both, by group."""
    data, tell = subject.data, subject.tell
    title = _("Pain, points of 0–10, from the first to the last answer, of patients with two answers")
    firsts, lasts = _ends(data, "pain_nrs")
    both = ~np.isnan(firsts) & ~np.isnan(lasts)
    rows = []
    for place, name in enumerate(subject.by.names):
        mine = both & (subject.by.of == place)
        n = Crowd(np.flatnonzero(mine))
        if not tell.enough(n):
            rows.append((name, tell.n(n), NONE, NONE, NONE))
            continue
        change = comparison.mean(lasts[mine] - firsts[mine])
        first, last, moved = (
            number(tell.middle(value, n)) for value in (firsts[mine].mean(), lasts[mine].mean(), change.value)
        )
        told = f"{moved} ({interval(change.low, change.high)})" if tell.exact and n >= FEWEST else moved
        rows.append((name, tell.n(n), first, last, told))
    if not both.any():
        return nothing("pain-change", title, _("No patient has two answers about pain."))
    sheet = Sheet(
        (_("Group"), _("Patients"), _("First, mean"), _("Last, mean"), _("Change (95 % interval)")), tuple(rows)
    )
    return Exhibit("pain-change", title, sheet)


def _ends(data: Frame, name: str) -> tuple[Array, Array]:
    """First and last answer of each patient, NaN without two."""
    visits, n = data["visits"], len(data.patients)
    values, days = visits.numbers(name), visits.days("visit_date")
    order = np.lexsort((days, visits.patient))
    order = order[~np.isnan(values[order])]
    patient, first, last = visits.patient[order], np.full(n, np.nan), np.full(n, np.nan)
    first[patient[::-1]] = values[order][::-1]  # of each patient what is written last stays
    last[patient] = values[order]
    last[np.bincount(patient, minlength=n) < 2] = np.nan
    return first, last


# ---- hand score


def _readings(data: Frame) -> dict[tuple[int, str], dict[int, list[float]]]:
    """{(patient, version): {image: complete readings, oldest first}}; an adjudication is no reading of its own."""
    scores = data["hand_scores"]
    found: dict[tuple[int, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    totals = scores.numbers("total")
    for row, patient in enumerate(scores.patient.tolist()):
        image = scores["imaging_no"][row]
        reading = scores["reading_kind"][row] != "ADJUDICATION"
        if reading and scores["complete"][row] and image is not None and not np.isnan(totals[row]):
            found[patient, str(scores["instrument_version"][row])][image].append(float(totals[row]))
    return found


def _score_changes(data: Frame) -> tuple[list[float], list[float], Crowd, Crowd]:
    """(change in %, years between) of each patient with two dated radiographs, and who; who began at 0."""
    images = data["imaging"]
    numbers, days = images["imaging_no"], images.middles("study_date")
    taken = {(patient, image): day for patient, image, day in zip(images.patient.tolist(), numbers, days, strict=True)}
    changes, years, who, zero = [], [], [], []
    for (patient, _version), readings in _readings(data).items():
        found = [(taken.get((patient, image), np.nan), float(np.mean(totals))) for image, totals in readings.items()]
        dated = sorted(one for one in found if not np.isnan(one[0]))
        if len(dated) < 2:
            continue
        if not dated[0][1]:
            zero.append(patient)
            continue
        changes.append(comparison.percent_change(dated[0][1], dated[-1][1]))
        years.append((dated[-1][0] - dated[0][0]) / YEAR)
        who.append(patient)
    return changes, years, Crowd(who), Crowd(zero)


def hand_score(subject: Subject) -> Exhibit:
    """Each patient's last radiograph against the first, by the rule of ± 25 %."""
    tell, title = subject.tell, _("Change of the hand radiograph score, first to last radiograph")
    changes, years, n, zero = _score_changes(subject.data)
    if not changes:
        return nothing("hand-score", title, _("No patient has two complete readings of dated radiographs."))
    if not tell.enough(n):
        return nothing("hand-score", title, _("Too few patients have two to be shown outside an approved project."))
    found = crowds((comparison.class_of_change(one) for one in changes), n.places.tolist())
    words = {"PROGRESSED": _("Progressed: more than + 25 %"), "STABLE": _("Stable: within ± 25 %"),
             "IMPROVED": _("Improved: more than − 25 %")}  # fmt: skip
    title = _("Hand radiograph score, first to last radiograph, of %(n)s patients with two") % {"n": tell.n(n)}
    published = {"PROGRESSED": (0.41,)}
    bars = [figures.Bar(label, tell.share(found[code], n), tell.percent(found[code], n), lines=published.get(code, ()))
            for code, label in words.items()]  # fmt: skip
    rows = tuple((label, tell.percent(found[code], n)) for code, label in words.items())
    drawn = figures.bars(
        title, _("Share of the patients with two radiographs; published: 41 % progressed in a year."), bars
    )
    told = _(
        "The register's own score, not the published SCTC score. Median change %(change)s %%, median time "
        "%(years)s years; the published figure is for one year."
    )
    spread = {"change": tell.value(float(np.median(changes)), of=n), "years": tell.value(float(np.median(years)), of=n)}
    notes = [told % spread]
    if zero:
        notes.append(_("%(n)s patients began at 0: no percentage can be given.") % {"n": tell.n(zero)})
    return Exhibit("hand-score", title, Sheet((_("Change"), _("Patients")), rows), drawn, notes=tuple(notes),
                   references=chosen("10a", "10b"))  # fmt: skip


def agreement(subject: Subject) -> Exhibit:
    """ICC(1,1) of radiographs read more than once."""
    tell, title = subject.tell, _("Agreement of readings of the same radiograph, hand score")
    several = [
        (patient, totals)
        for (patient, _version), readings in _readings(subject.data).items()
        for totals in readings.values()
        if len(totals) > 1
    ]
    n = Crowd([patient for patient, _totals in several])
    icc = icc_1_1([totals for _patient, totals in several]) if n > 1 else None
    if icc is None or not tell.enough(n):
        why = _("Fewer than two radiographs were read completely more than once, or too few to be shown.")
        return nothing("agreement", title, why)
    title = _("Agreement of readings, hand score, of %(n)s radiographs read more than once") % {"n": tell.n(n)}
    rows = (
        (_("Radiographs read more than once"), tell.n(n)),
        (_("Patients they are of"), tell.n(n.people)),
        (_("ICC(1,1), one-way, single reading"), f"{icc.value:.{2 if tell.exact else 1}f}"),
        (_("95 % interval, where all were read equally often"), interval(icc.low, icc.high, 2) if tell.exact else NONE),
    )
    notes = (
        _("ICC: 1 is perfect agreement, 0 none beyond chance. ICC(1,1) takes the readings of a radiograph as those of "
          "any readers: the data of a report do not say who read what. A reader who always scores higher lowers it."),
        _("All complete readings count, blind or not. The page “Agreement of hand readings” of a clinic or a project "
          "knows the readers: it keeps to blind second readings, gives the limits of agreement, and ICC(2,1) where the "
          "same two read everything."),
    )  # fmt: skip
    return Exhibit("agreement", title, Sheet((_("Measure"), _("Value")), rows), notes=notes)
