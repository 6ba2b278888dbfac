"""What was given, how it went: exposure, response, waterfall, swimmers, why it was stopped, adverse events by grade."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from django.utils.translation import gettext as _

from calcinosis_registry.codebook.catalogue import codes_of
from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.reports import figures, responses
from calcinosis_registry.reports.arrays import Array, np
from calcinosis_registry.reports.crowd import Crowd, Crowds, crowds
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, made, nothing
from calcinosis_registry.reports.frame import YEAR, Frame
from calcinosis_registry.reports.histories import deaths, entries, features, visit_days
from calcinosis_registry.reports.statistics.comparison import CHANGE_PCT
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import Teller

MOST_DRUGS, MOST_LANES, MOST_DROPS = 7, 40, 200
RESPONSES = ("COMPLETE", "PARTIAL", "NONE", "WORSE", "TOO_EARLY")
GRADES = ("1", "2", "3", "4", "5")
# Places in the palette: good green, bad red; grades from calm to grave.
RESPONSE_LOOKS, GRADE_LOOKS = (7, 2, 5, 6, 4), (0, 4, 1, 6, 5)


def chapter(subject: Subject) -> list[Exhibit]:
    found = [made("adverse-events", _("Adverse events by CTCAE grade"), lambda: adverse_events(subject))]
    if "treatments" in subject.data.tables and not len(subject.data["treatments"]):
        why = _("No treatment is recorded for the %(n)s patients of this report.") % {"n": subject.tell.n(subject.n)}
        return [nothing("exposure", _("Patients ever treated, by drug"), why), *found]
    parts = {
        "exposure": (_("Patients ever treated, by drug"), exposure),
        "response": (_("Response by drug"), response),
        "waterfall": (_("Change of each lesion's area during a course for calcinosis"), waterfall),
        "swimmer": (_("Courses for calcinosis over each patient's follow-up"), swimmer),
        "stopped": (_("Why courses were stopped"), stopped),
    }
    return [*(made(key, title, partial(make, subject)) for key, (title, make) in parts.items()), *found]


def names_of(item: str) -> dict[str, str]:
    return {code: str(label) for code, label in codes_of(askable()[item].field)}


def _two_ways(ones: Sequence[str], others: Sequence[str], places: Sequence[int]) -> dict[str, Crowds]:
    """{one: {other: who}}."""
    found: dict[str, Crowds] = defaultdict(Crowds)
    for (one, other), some in crowds(zip(ones, others, strict=True), places).items():
        found[one][other] = some
    return dict(found)


def _of_calcinosis(data: Frame) -> Array:
    return data["treatments"].isin("intent", "CALCINOSIS")


# ---- exposure and response


def exposure(subject: Subject) -> Exhibit:
    """Patients ever given each drug for calcinosis, courses and years of exposure."""
    data, tell, labels = subject.data, subject.tell, names_of("treatmentcourse.agent")
    courses, mine = data["treatments"], _of_calcinosis(subject.data)
    years = _years(data)
    length: dict[str, float] = defaultdict(float)
    for row in np.flatnonzero(mine).tolist():
        length[str(courses["agent"][row])] += float(years[row])
    count = crowds((str(courses["agent"][row]) for row in np.flatnonzero(mine)), courses.patient[mine].tolist())
    people = {agent: some.people for agent, some in count.items()}
    if not count:
        return nothing("exposure", _("Patients ever treated, by drug"), _("No course was given for calcinosis."))
    order = sorted(people, key=lambda agent: (-people[agent], labels[agent]))
    bars = [
        figures.Bar(labels[one], tell.share(people[one], subject.n), tell.percent(people[one], subject.n))
        for one in order[:15]
    ]
    rows = tuple(
        (labels[one], tell.percent(people[one], subject.n), tell.n(count[one]),
         tell.told_years(length[one], people[one]))
        for one in order
    )  # fmt: skip
    title = _("Patients ever given each drug for calcinosis, of %(n)s patients") % {"n": tell.n(subject.n)}
    sheet = Sheet((_("Drug"), _("Patients"), _("Courses"), _("Years of exposure")), rows)
    notes = (_("A course without an end counts to the patient's last visit; partial dates by their middle."),)
    return Exhibit(
        "exposure",
        title,
        sheet,
        figures.bars(title, _("Share of all patients of this report who ever had each drug."), bars),
        notes=notes,
    )


def _years(data: Frame) -> Array:
    """Years of each course; 0 where its start is not known."""
    courses = data["treatments"]
    start, stop = courses.middles("start"), courses.middles("stop")
    stop = np.where(np.isnan(stop), _last_visit(data)[courses.patient], stop)
    return np.maximum(np.nan_to_num(stop - start), 0) / YEAR


def _last_visit(data: Frame) -> Array:
    last = np.full(len(data.patients), -np.inf)
    np.maximum.at(last, data["visits"].patient, data["visits"].days("visit_date"))
    return np.where(np.isinf(last), np.nan, last)


def response(subject: Subject) -> Exhibit:
    """The clinician's judgement of each course, by drug."""
    courses, tell, labels = subject.data["treatments"], subject.tell, names_of("treatmentcourse.agent")
    words = names_of("treatmentcourse.response")
    mine = np.flatnonzero(_of_calcinosis(subject.data)).tolist()
    answers = [courses["response"][row] if courses["response"][row] in RESPONSES else "" for row in mine]
    agents = [str(courses["agent"][row]) for row in mine]
    found = _two_ways(agents, answers, courses.patient[mine].tolist())
    judged = {agent: sum((some[one] for one in RESPONSES), Crowd()) for agent, some in found.items()}
    total = sum(judged.values(), Crowd())
    title = _("Response of %(n)s courses for calcinosis that were judged, by drug") % {"n": tell.n(total)}
    if not total:
        return nothing("response", title, _("No course for calcinosis was judged yet."))
    order = sorted((one for one in judged if judged[one]), key=lambda agent: (-judged[agent], labels[agent]))
    rows = tuple(
        (
            labels[one],
            tell.n(judged[one]),
            *(tell.n(found[one][answer]) for answer in RESPONSES),
            tell.n(found[one][""]),
        )
        for one in order
    )
    bars = [
        (labels[one], [tell.shown(found[one][answer]) for answer in RESPONSES], f"n = {tell.n(judged[one])}")
        for one in order[:15]
    ]
    sheet = Sheet((_("Drug"), _("Judged"), *(words[one] for one in RESPONSES), _("Not judged")), rows)
    drawn = _stacked(
        title, _("Courses by response, a row for each drug."), [words[one] for one in RESPONSES], bars, RESPONSE_LOOKS
    )
    note = _(
        "As the clinic judged it (Mayo scale, worse, too early). No comparison of drugs: who gets which is not chance."
    )
    return Exhibit("response", title, sheet, drawn, notes=(note,), nothing="" if drawn else _too_few())


def _stacked(
    title: str, told: str, names: list[str], bars: list[tuple[str, list[int | None], str]], looks: Sequence[int]
) -> str:
    """The rows of which a part may be shown; "" without any."""
    seen = [one for one in bars if any(one[1])]
    return figures.stacked(title, told, names, seen, looks=looks) if seen else ""


def _too_few() -> str:
    return _("No number is large enough to be drawn outside an approved research project.")


# ---- one mark a lesion, one lane a person


def waterfall(subject: Subject) -> Exhibit:
    title = _("Change of each lesion's area during a course for calcinosis")
    if not subject.persons:
        return nothing("waterfall", title, _single())
    today = float(np.nanmax(subject.data["visits"].days("visit_date"), initial=0.0))
    found = responses.changes(subject.data, today)
    if not found:
        why = _("No lesion was measured by the same method both before and during a course for calcinosis.")
        return nothing("waterfall", title, why)
    labels = names_of("treatmentcourse.agent")
    drugs, place = _ranked(one.agent for one in found)
    shown = sorted(found, key=lambda one: -one.percent)[:MOST_DROPS]
    drops = [
        figures.Drop(one.percent, place[one.agent],
                     f"{labels[one.agent]}: {one.percent:+.0f} %, {one.days} {_('days apart')}")
        for one in shown
    ]  # fmt: skip
    patients = len({one.patient for one in found})
    title = _("Change of area of %(n)s lesions of %(patients)s patients during a course for calcinosis") % {
        "n": len(found), "patients": patients,
    }  # fmt: skip
    drawn = figures.waterfall(
        title, _("One bar a lesion and course, sorted; dashed lines at ± 25 %%, %(n)s lesions.") % {"n": len(shown)},
        drops, [labels.get(one, _("Other drugs")) for one in drugs], limit=CHANGE_PCT, beside=_("change of area"),
        cut=_("▲ more than + 100 %"),
    )  # fmt: skip
    return Exhibit("waterfall", title, _by_drug(found, labels), drawn, notes=_waterfall_notes(len(found) - len(shown)),
                   data=_all_changes(subject, found))  # fmt: skip


def _waterfall_notes(left: int) -> tuple[str, ...]:
    notes = [
        _("Before: the last measurement within a year before the start, or 30 days after it. During: the last by the "
          "same method, up to 90 days after the end. A lesion resolved or emptied is −100 %. Of local drugs only the "
          "lesions treated."),
        _("Lesions of one patient hang together, and a lesion under two drugs stands twice: no test is made."),
    ]  # fmt: skip
    return (*notes, _("%(n)s more lesions are in the file.") % {"n": left}) if left > 0 else tuple(notes)


def _by_drug(found: list[responses.Change], labels: dict[str, str]) -> Sheet:
    rows = []
    for agent in dict(Counter(one.agent for one in found).most_common()):
        values = np.array([one.percent for one in found if one.agent == agent])
        people = len({one.patient for one in found if one.agent == agent})
        smaller, larger = int((values < -CHANGE_PCT).sum()), int((values > CHANGE_PCT).sum())
        rows.append((labels[agent], str(people), str(len(values)), f"{float(np.median(values)):+.0f} %", str(smaller),
                     str(len(values) - smaller - larger), str(larger)))  # fmt: skip
    return Sheet((_("Drug"), _("Patients"), _("Lesions"), _("Median change"), _("Smaller by over 25 %"), _("Between"),
                  _("Larger by over 25 %")), tuple(rows))  # fmt: skip


def _all_changes(subject: Subject, found: list[responses.Change]) -> Sheet:
    rows = [
        (subject.data.patients[one.patient], str(one.lesion), one.agent, f"{one.percent:.1f}", str(one.days))
        for one in found
    ]
    return Sheet(("patient", "lesion_no", "agent", "percent", "days"), tuple(rows))


def _single() -> str:
    return _(
        "A mark for each person or lesion is shown only inside an approved research project, or to the own clinic."
    )


def _ranked(agents: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """The most frequent drugs and, where there are more, "" for the rest; the place of each drug's colour."""
    order = [agent for agent, _count in Counter(agents).most_common()]
    drugs = order[:MOST_DRUGS] + ([""] if len(order) > MOST_DRUGS else [])
    return drugs, {agent: min(index, MOST_DRUGS) for index, agent in enumerate(order)}


def swimmer(subject: Subject) -> Exhibit:
    data, title = subject.data, _("Courses for calcinosis over each patient's follow-up")
    if not subject.persons:
        return nothing("swimmer", title, _single())
    courses, labels = data["treatments"], names_of("treatmentcourse.agent")
    mine = np.flatnonzero(_of_calcinosis(data) & ~np.isnan(courses.middles("start"))).tolist()
    if not mine:
        return nothing("swimmer", title, _("No course for calcinosis with a known start is recorded."))
    drugs, place = _ranked(str(courses["agent"][row]) for row in mine)
    start, last = entries(data), np.fmax(_last_visit(data), entries(data))
    by_patient: dict[int, list[int]] = defaultdict(list)
    for row in mine:
        by_patient[int(courses.patient[row])].append(row)
    followed = (last - start) / YEAR
    people = sorted(by_patient, key=lambda patient: -followed[patient])
    marks = _marks(data, start, people[:MOST_LANES])
    lanes = [
        figures.Swimmer(data.patients[patient][:7], float(followed[patient]),
                        [_lane(data, row, place, labels, start[patient], last[patient]) for row in by_patient[patient]],
                        marks.get(patient, []))
        for patient in people[:MOST_LANES]
    ]  # fmt: skip
    title = _("Courses for calcinosis of %(shown)s of %(n)s treated patients, the longest followed first") % {
        "shown": len(lanes), "n": len(people),
    }  # fmt: skip
    told = _("One lane a patient, from registration to the last visit; bars are courses.")
    words = {"ulcer": _("ulcer seen"), "new": _("new lesion"), "death": _("death")}
    drawn = figures.swimmers(title, told, lanes, [labels.get(one, _("Other drugs")) for one in drugs], words,
                             below=_("years since registration"))  # fmt: skip
    rows = tuple((data.patients[patient][:7], f"{followed[patient]:.1f}", str(len(by_patient[patient])),
                  ", ".join(dict.fromkeys(labels[str(courses["agent"][row])] for row in by_patient[patient])))
                 for patient in people[:MOST_LANES])  # fmt: skip
    return Exhibit("swimmer", title, Sheet((_("Patient"), _("Years followed"), _("Courses"), _("Drugs")), rows), drawn)


def _lane(
    data: Frame, row: int, place: dict[str, int], labels: dict[str, str], start: float, last: float
) -> figures.Course:
    courses, agent = data["treatments"], str(data["treatments"]["agent"][row])
    begin, end = courses.middles("start")[row], courses.middles("stop")[row]
    ongoing = courses["ongoing"][row] == "Y"
    until = last if np.isnan(end) else end
    told = f"{labels[agent]}, {(begin - start) / YEAR:.1f}–{(until - start) / YEAR:.1f} {_('years')}"
    return figures.Course((begin - start) / YEAR, max((until - start) / YEAR, (begin - start) / YEAR), place[agent],
                          ongoing, told)  # fmt: skip


def _marks(data: Frame, start: Array, people: Sequence[int]) -> dict[int, list[tuple[float, str, str]]]:
    """Ulcers seen, incident lesions and death of these patients, in years from registration."""
    rows, lesions, days, died = data["observations"], data["lesions"], visit_days(data), deaths(data)
    recorded = lesions.days("first_recorded")
    ulcer, new = features(data)["ulcer"] & ~np.isnan(days), lesions.isin("incident", 1)
    kinds = (
        ("ulcer", _("ulcer seen"), rows.patient[ulcer], days[ulcer]),
        ("new", _("new lesion"), lesions.patient[new], recorded[new]),
        ("death", _("death"), np.flatnonzero(~np.isnan(died)), died[~np.isnan(died)]),
    )
    found: dict[int, set[tuple[float, str, str]]] = defaultdict(set)
    for kind, words, whose, when in kinds:
        shown = np.isin(whose, people)
        for patient, day in zip(whose[shown].tolist(), when[shown].tolist(), strict=True):
            found[patient].add(((day - start[patient]) / YEAR, kind, words))
    return {patient: sorted(marks) for patient, marks in found.items()}


# ---- why stopped, and harm


def stopped(subject: Subject) -> Exhibit:
    courses, tell, words = subject.data["treatments"], subject.tell, names_of("treatmentcourse.reason_stopped")
    ended = _of_calcinosis(subject.data) & courses.isin("ongoing", "N")
    rows = np.flatnonzero(ended).tolist()
    found = crowds((str(courses["reason_stopped"][row] or "") for row in rows), courses.patient[rows].tolist())
    missing = found.pop("", Crowd())
    whole = found.whole
    title = _("Why %(n)s courses for calcinosis were stopped") % {"n": tell.n(whole)}
    if not whole:
        return nothing("stopped", title, _("No course for calcinosis was stopped with a reason."))
    return _share_exhibit("stopped", title, words, found, whole, tell,
                          _("Not answered for %(n)s more stopped courses.") % {"n": tell.n(missing)})  # fmt: skip


def _share_exhibit(
    key: str, title: str, words: dict[str, str], found: Crowds, whole: Crowd, tell: Teller, note: str
) -> Exhibit:
    present = [code for code in words if found[code]]
    bars = [figures.Bar(words[one], tell.share(found[one], whole), tell.percent(found[one], whole)) for one in present]
    rows = tuple((words[one], tell.percent(found[one], whole)) for one in present)
    drawn = figures.bars(title, _("Share of the whole in the title."), bars)
    return Exhibit(key, title, Sheet((_("Answer"), _("Number")), rows), drawn, notes=(note,))


def adverse_events(subject: Subject) -> Exhibit:
    """By CTCAE grade, all and by the drug they are put down to."""
    events, tell = subject.data["adverse_events"], subject.tell
    if not len(events):
        return nothing("adverse-events", _("Adverse events by CTCAE grade"), _("No adverse event is recorded."))
    agent = _agents(subject.data)
    labels, words = names_of("treatmentcourse.agent"), names_of("adverseevent.grade")
    patients = events.patient.tolist()
    drugs = [
        labels.get(agent.get((patient, course), ""), _("Without a drug"))
        for patient, course in zip(patients, events["treatment_no"], strict=True)
    ]
    found = _two_ways(drugs, [str(grade or "") for grade in events["grade"]], patients)
    everyone = Crowd(events.patient)
    order = sorted(found, key=lambda one: (-found[one].whole, one))
    title = _("%(n)s adverse events of %(patients)s patients by CTCAE grade") % {
        "n": tell.n(everyone), "patients": tell.n(everyone.people),
    }  # fmt: skip
    rows = tuple((one, *(tell.n(found[one][grade]) for grade in GRADES), tell.n(found[one][""])) for one in order)
    bars = [(one, [tell.shown(found[one][grade]) for grade in GRADES], f"n = {tell.n(found[one].whole)}")
            for one in order[:15]]  # fmt: skip
    sheet = Sheet((_("Drug"), *(_("Grade %(n)s") % {"n": one} for one in GRADES), _("No grade")), rows)
    drawn = _stacked(
        title, _("Events by grade, a row for each drug."), [words.get(one, one) for one in GRADES], bars, GRADE_LOOKS
    )
    serious = Crowd(events.patient[events.isin("serious", "Y")])
    notes = (_("Serious: %(share)s.") % {"share": tell.percent(serious, everyone)},
             _("Recorded by the clinics as they come: rates cannot be read from the numbers."))  # fmt: skip
    return Exhibit("adverse-events", title, sheet, drawn, notes=notes, nothing="" if drawn else _no_grade(tell))


def _no_grade(tell: Teller) -> str:
    return _("No adverse event has a grade.") if tell.exact else _too_few()


def _agents(data: Frame) -> dict[tuple[int, int], str]:
    courses = data["treatments"]
    return {
        (patient, number): str(agent)
        for patient, number, agent in zip(
            courses.patient.tolist(), courses["treatment_no"], courses["agent"], strict=True
        )
    }
