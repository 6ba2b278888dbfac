"""The picture beside Table 1: where the calcinosis is and what it does, shares of the patients asked."""

from __future__ import annotations

from django.utils.translation import gettext as _

from calcinosis_registry.reports import figures
from calcinosis_registry.reports.exhibits import Exhibit, Sheet, nothing
from calcinosis_registry.reports.references import Reference, chosen
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.summaries import Compared, Line, lines, table_one

FEATURES = ("hands", "elbow", "arm", "ulcer", "tender", "extrusion", "infection")


def table(subject: Subject) -> tuple[list[Compared], list[Line]]:
    """Table 1: the numbers, and as this reader may see them."""
    found = table_one(subject.data, subject.by)
    return found, lines(found, subject.tell)


def features(subject: Subject, found: list[Compared]) -> Exhibit:
    """Sites and features as bars, with what was published of people with calcinosis."""
    tell, bars, rows = subject.tell, [], []
    used: list[Reference] = []
    for one in found:
        whole = one.whole
        if whole.variable.name not in FEATURES or not whole.answered:
            continue
        published = [ref for ref in chosen(*whole.variable.references) if ref.unit == "%" and ref.certainty != "DP"]
        used += published
        count = whole.counts["Y"]
        told = tell.percent(count, whole.answered)
        label = str(whole.variable.label).partition(" (")[0]
        lines_at = tuple(float(ref.value) / 100 for ref in published)
        bars.append(figures.Bar(label, tell.share(count, whole.answered), told, lines=lines_at))
        rows.append((label, told, "; ".join(f"{ref.value} % [{ref.source}]" for ref in published)))
    title = _("Sites and features of the calcinosis, of the patients asked")
    if not bars:
        return nothing("features", title, _("Nobody in this report has a lesion recorded."))
    sheet = Sheet((_("Feature"), _("Patients"), _("Published")), tuple(rows))
    told = _("Share of the patients who were asked, with numerator and denominator.")
    return Exhibit("features", title, sheet, figures.bars(title, told, bars), references=tuple(used))


def chapter(subject: Subject) -> list[Exhibit]:
    return [features(subject, table_one(subject.data))]
