"""Where the lesions are, what they look like, how they stand: each with its denominator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from calcinosis_registry.codebook.catalogue import codes_of
from calcinosis_registry.cohorts.items import askable
from calcinosis_registry.reports import figures
from calcinosis_registry.reports.arrays import np
from calcinosis_registry.reports.crowd import Crowd, Crowds, crowds
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, made, nothing
from calcinosis_registry.reports.references import chosen
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import Teller
from lesions import body_map, sites

PATTERNS = ("ssc_xray_morphology", "ssc_clinical_morphology", "mdi_types", "lesion_kind", "visibility")
REFERENCES = {
    "ssc_xray_morphology": {"STONE": "7b", "NET": "7c", "PLATE": "7d"},
    "ssc_clinical_morphology": {"MOUSSE": "7e"},
}


def chapter(subject: Subject) -> list[Exhibit]:
    if "lesions" not in subject.data.tables:
        return [made("sites", _("Patients with a lesion, by site"), lambda: sites_of(subject))]
    if not len(subject.data["lesions"]):
        why = _("No lesion is recorded for the %(n)s patients of this report.") % {"n": subject.tell.n(subject.n)}
        return [nothing("sites", _("Patients with a lesion, by site"), why)]
    return [
        made("sites", _("Patients with a lesion, by site"), lambda: sites_of(subject)),
        *(made(name, askable()[f"lesion.{name}"].label, partial(_pattern, subject, name)) for name in PATTERNS),
        made("status", _("Status of the lesions"), lambda: status(subject)),
    ]


# ---- sites


def sites_of(subject: Subject) -> Exhibit:
    """Patients with at least one lesion at each place, of all patients with a lesion; the map and the equal table."""
    data, tell = subject.data, subject.tell
    lesions = data["lesions"]
    count: dict[tuple[str, str], list[int]] = defaultdict(list)
    for patient, site, side in zip(lesions.patient.tolist(), lesions["site"], lesions["laterality"], strict=True):
        if site in sites.SITES:
            place = (site, side if side in ("R", "L") else "")
            count[place].append(patient)
    people = {place: Crowd(some).people for place, some in count.items()}
    whole = Crowd(lesions.patient).people
    shown = {place: number for place, ones in people.items() if (number := tell.shown(ones))}
    order = sorted(people, key=lambda place: (-people[place], sites.SITES[place[0]].label, place[1]))
    rows = tuple(
        (sites.describe(*place), tell.percent(people[place], whole), tell.n(Crowd(count[place])))
        for place in order
        if place in shown or tell.exact
    )
    title = _("Patients with a lesion at each site, of %(n)s patients with a lesion") % {"n": tell.n(whole)}
    if not rows:
        return nothing("sites", title, _("No site has enough patients to be shown."))
    values: dict[str | tuple[str, str], float] = {place: float(number) for place, number in shown.items()}
    maps = body_map.heat(values, shown="{:g}".format, uid="sites") if values else {}
    legend = tuple(
        (step.symbol, f"{step.to:.0f}" if step.over + 1 == step.to else f"{step.over + 1:.0f}–{step.to:.0f}")
        for step in body_map.heat_scale(max(values.values()))
        if step.to >= min(values.values())  # no shade for numbers that are hidden
    ) if values else ()  # fmt: skip
    left = [sites.describe(*place) for place in body_map.left_over(values)]
    notes = [_("A patient counts once at each site. The patient's right is on the left of a front view.")]
    if left:
        notes.append(_("Without a spot on the map, in the table only: %(sites)s.") % {"sites": "; ".join(left)})
    hidden = len(people) - len(shown)
    if hidden:
        notes.append(_("%(n)s sites with fewer patients than may be shown are left out.") % {"n": hidden})
    sheet = Sheet((_("Site"), _("Patients"), _("Lesions")), rows)
    return Exhibit("sites", title, sheet, maps=maps, legend=legend, notes=tuple(notes),
                   references=chosen("2g", "3d", "3e", "3f"))  # fmt: skip


# ---- patterns


def _pattern(subject: Subject, name: str) -> Exhibit:
    item = askable()[f"lesion.{name}"]
    labels = dict(codes_of(item.field))
    lesions = subject.data["lesions"]
    rows_of = list(zip(lesions[name], lesions.patient.tolist(), strict=True))
    whole = Crowd([patient for one, patient in rows_of if one is not None])
    title = _("%(item)s, of %(n)s lesions where it is answered") % {
        "item": item.label, "n": subject.tell.n(whole),
    }  # fmt: skip
    if not whole:
        told = _("“%(item)s” is not answered for any of the %(n)s lesions.")
        return nothing(name, item.label, told % {"item": item.label, "n": subject.tell.n(Crowd(lesions.patient))})
    found = crowds(*_each_code(rows_of))
    published = REFERENCES.get(name, {})
    bars, rows = _shares([(code, str(labels[code])) for code in labels if found[code]], found, whole, published,
                         subject.tell)  # fmt: skip
    sheet = Sheet((item.label, _("Lesions")), rows)
    drawn = figures.bars(title, _("Share of the lesions with an answer."), bars)
    unanswered = Crowd([patient for one, patient in rows_of if one is None])
    notes = (_("Not answered for %(n)s lesions; one lesion may have several types.") if name == "mdi_types"
             else _("Not answered for %(n)s lesions.")) % {"n": subject.tell.n(unanswered)}  # fmt: skip
    return Exhibit(name, title, sheet, drawn, notes=(notes,), references=chosen(*published.values()))


def _each_code(rows: Sequence[tuple[Any, int]]) -> tuple[list[str], list[int]]:
    """The codes of all answers and whose each is; an answer may have several."""
    told = [(code, patient) for one, patient in rows if one is not None for code in str(one).split(";")]
    return [code for code, _patient in told], [patient for _code, patient in told]


def _shares(
    codes: Sequence[tuple[str, str]], found: Crowds, whole: Crowd, published: dict[str, str], tell: Teller
) -> tuple[list[figures.Bar], tuple[tuple[str, str], ...]]:
    bars, rows = [], []
    for code, label in codes:
        told = tell.percent(found[code], whole)
        lines = tuple(float(one.value) / 100 for one in chosen(published.get(code, "")))
        bars.append(figures.Bar(label, tell.share(found[code], whole), told, lines=lines))
        rows.append((label, told))
    return bars, tuple(rows)


# ---- status


def status(subject: Subject) -> Exhibit:
    """How each lesion stood when last assessed, and how many are ulcerated now."""
    lesions, tell = subject.data["lesions"], subject.tell
    labels = dict(codes_of(askable()["lesion.current_status"].field))
    found = crowds((str(one or "") for one in lesions["current_status"]), lesions.patient.tolist())
    never = found.pop("", Crowd())
    whole = found.whole
    if not whole:
        return nothing("status", _("Status of the lesions"), _("No lesion was assessed at a signed visit."))
    title = _("Status when last assessed, of %(n)s lesions") % {"n": tell.n(whole)}
    bars, rows = _shares([(code, str(labels[code])) for code in labels if found[code]], found, whole, {}, tell)
    ulcer = Crowd(lesions.patient[np.array([bool(one) for one in lesions["ulcerated_now"]], bool)])
    notes = [_("Ulcerated now: %(share)s of these lesions.") % {"share": tell.percent(ulcer, whole)}]
    if never:
        notes.append(_("%(n)s more lesions were never assessed at a signed visit.") % {"n": tell.n(never)})
    drawn = figures.bars(title, _("Share of the assessed lesions."), bars)
    return Exhibit("status", title, Sheet((_("Status"), _("Lesions")), rows), drawn, notes=tuple(notes),
                   references=chosen("7a"))  # fmt: skip
