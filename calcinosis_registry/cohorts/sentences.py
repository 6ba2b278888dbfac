"""A checked question as one sentence. Whatever holds several parts stands in brackets, so it reads one way only."""

from __future__ import annotations

from django.utils.translation import gettext as _

from calcinosis_registry.cohorts.items import WITHOUT_VALUE, Operator, askable
from calcinosis_registry.cohorts.language import Group, HowOften, Join, Node, Question, Records, Relation, Test, Which
from calcinosis_registry.cohorts.structure import Level


def sentence(question: Question) -> str:
    group = question.group
    if not group.parts:
        return _("Every patient.")
    glue = _("; or ") if group.join is Join.ANY else _("; and ")
    parts = glue.join(phrase(part, None) for part in group.parts)
    if group.join is Join.NONE:
        return _("Patients with none of these: %(conditions)s.") % {"conditions": parts}
    return _("Patients with %(conditions)s.") % {"conditions": parts}


def phrase(node: Node, level: Level | None) -> str:
    """One part, without what stands beside it; ``level``: of the record it stands in."""
    if isinstance(node, Group):
        return _group(node, level)
    return _records(node) if isinstance(node, Records) else _test(node, level)


def _group(group: Group, level: Level | None) -> str:
    parts = [phrase(part, level) for part in group.parts]
    if group.join is Join.NONE:
        return _("none of (%(parts)s)") % {"parts": _("; or ").join(parts)}
    return "(" + (_("; or ") if group.join is Join.ANY else _("; and ")).join(parts) + ")"


def _test(test: Test, level: Level | None) -> str:
    """``Site is any of “Thumb” or “Elbow”``; of a row above with its kind: ``Lesion: Site is …``."""
    item, words = test.item, str(test.operator.label)
    subject = item.label if test.item.level is level else f"{item.level.title}: {item.label}"
    if test.operator in WITHOUT_VALUE:
        return f"{subject} {words}"
    if test.operator is Operator.IS_NOT:
        return f"{subject} {_('is not')} {item.words(test.value)}"
    if test.operator is Operator.BETWEEN:
        between = {"low": item.words(test.value[0]), "high": item.words(test.value[1])}
        return f"{subject} {words} {_('%(low)s and %(high)s') % between}"
    return f"{subject} {words} {item.words(test.value)}"


WHICH = {
    Which.FIRST: lambda: _("first %(kind)s"),
    Which.LAST: lambda: _("last %(kind)s"),
    Which.FIRST_SUCH: lambda: _("first such %(kind)s"),
    Which.LAST_SUCH: lambda: _("last such %(kind)s"),
    Which.BASELINE: lambda: _("%(kind)s at baseline"),
}


def _records(node: Records) -> str:
    meta = node.level.model._meta
    kind = str(meta.verbose_name)
    subject = WHICH[node.which]() % {"kind": kind} if node.which in WHICH else kind
    if node.times is not None:
        told = {"n": node.times.number, "kinds": meta.verbose_name_plural}
        subject = _TIMES[node.times.operator]() % told if node.times.number else _("no %(kind)s") % {"kind": kind}
        if node.which is Which.BASELINE:
            subject = WHICH[Which.BASELINE]() % {"kind": subject}
    parts = [phrase(part, node.level) for part in node.of.parts]
    if node.dated and node.when is None and node.which in WHICH:
        subject += " " + _("by %(item)s") % {"item": askable()[node.dated].label}
    told_of = _tests(parts, node.of.join) if parts else ""
    return (f"{subject}: {told_of}" if told_of else subject) + _time(node)


_TIMES = {
    HowOften.AT_LEAST: lambda: _("at least %(n)s %(kinds)s"),
    HowOften.AT_MOST: lambda: _("at most %(n)s %(kinds)s"),
    HowOften.EXACTLY: lambda: _("exactly %(n)s %(kinds)s"),
}


def _tests(parts: list[str], join: Join) -> str:
    if join is Join.NONE:
        return _("none of [%(parts)s]") % {"parts": _("; or ").join(parts)}
    if len(parts) == 1:
        return parts[0]
    return "[" + (_("; or ") if join is Join.ANY else _("; and ")).join(parts) + "]"


def _time(node: Records) -> str:
    when = node.when
    if when is None:
        return ""
    other = when.day.isoformat() if when.day else "[" + (_records(when.event) if when.event else "") + "]"
    told = {"n": when.months, "days": when.days, "other": other}
    dated = f" ({askable()[node.dated].label})" if node.dated else ""
    if when.months is None:
        words = _("on a day after %(other)s") if when.relation is Relation.AFTER else _("on a day before %(other)s")
    elif when.relation is Relation.AFTER:
        words = _("within %(n)s months (%(days)s days) after %(other)s, its day included")
    elif when.relation is Relation.BEFORE:
        words = _("within %(n)s months (%(days)s days) before %(other)s, its day included")
    else:
        words = _("within %(n)s months (%(days)s days) before or after %(other)s")
    return f"{dated}, {words % told}"
