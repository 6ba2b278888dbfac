"""Two people on one record: what stood there when it was opened, what is saved now, and what was typed, field by field.

The hidden ``version`` of a record form carries what the person was shown, signed. So the second to save is asked only
where both changed the same field, and nothing of either is lost.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _

from calcinosis_registry.audit.models import Event
from calcinosis_registry.records.widgets import Hidden

SALT = "records.shown"
KEEP, THEIRS, ASK, SEEN, PARTS = "keep:", "theirs:", "ask:", "seen:", "parts:"
CARRIED = frozenset({"csrfmiddlewaretoken", "draft", "draft_from", "submission", "typed_at"})  # the page has its own
NOT_ANSWERS = frozenset({"version", "reason"})


class Shown:
    """The version of a record and the values a page shows of it; worked out only where the page is drawn."""

    def __init__(self, form: forms.ModelForm) -> None:
        self.form, self.version = form, form.instance.version

    def __str__(self) -> str:
        standing = _standing(self.form) | self.form.beside()  # type: ignore[attr-defined]
        values = {name: posted for name, posted in standing.items() if posted}
        told = [type(self.form).__name__, values]
        return f"{self.version}:{signing.dumps(told, salt=SALT, compress=True)}"


class ShownField(forms.CharField):
    """The version a person was shown, as a number; a bare number is understood, too."""

    widget = Hidden

    def to_python(self, value: Any) -> Any:
        number = str(value or "").partition(":")[0]
        return int(number) if number.isdecimal() and len(number) < 10 else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False  # somebody else's save is no change of this person's


def _standing(form: forms.BaseForm) -> dict[str, list[str]]:
    """{field: what an untouched form would send}."""
    return {bound.name: as_posted(bound) for bound in form if bound.name not in NOT_ANSWERS}


def as_posted(bound: BoundField) -> list[str]:
    """What a browser sends for the stored value of a field."""
    value = bound.field.prepare_value(bound.initial)
    if isinstance(bound.field.widget, forms.CheckboxInput):
        return ["on"] if bound.field.widget.check_test(value) else []
    shown = bound.field.widget.format_value(value)
    many = shown if isinstance(shown, list | tuple) else [shown]
    return [str(one) for one in many if one not in (None, "")]


def _shown_to(form: Any) -> dict[str, list[str] | None]:
    """{field: what the person saw when the page was opened}; None for a field of which the page does not say it."""
    _version, _colon, signed = str(form["version"].data or "").partition(":")
    try:
        kind, values = signing.loads(signed, salt=SALT)
    except signing.BadSignature:
        kind, values = "", {}
    # A part unfolded later is not in what the page first showed.
    unsaid: list[str] | None = [] if kind == type(form).__name__ else None
    return {name: values.get(name, unsaid) for name in [*form.fields, *form.beside()]}


@dataclass(frozen=True)
class Choice:
    """One field two people see differently. ``picked``: "mine" or "theirs"; "" where the person must say.

    ``theirs_posted``: what the other's answer would send; several names where one answer is made of several inputs.
    """

    name: str
    label: str
    before: str
    theirs: str
    mine: str
    theirs_posted: dict[str, list[str]]
    picked: str


@dataclass
class Clash:
    """One record that was saved meanwhile."""

    title: str
    version_name: str
    version: str
    by: str
    by_id: int | None
    at: datetime.datetime | None
    choices: list[Choice] = field(default_factory=list)


def differing(form: forms.BaseForm) -> Iterator[BoundField]:
    """The fields in which what was typed is not what is saved now."""
    for bound in form:
        if bound.name not in NOT_ANSWERS and not _same(bound, as_posted(bound), _typed(form, bound)):
            yield bound


def _typed(form: forms.BaseForm, bound: BoundField) -> list[str]:
    data: Any = form.data
    if hasattr(data, "getlist"):
        return [one for one in data.getlist(bound.html_name) if one != ""]
    value = data.get(bound.html_name)
    return [str(one) for one in (value if isinstance(value, list | tuple) else [value]) if one not in (None, "", False)]


def _same(bound: BoundField, one: list[str], other: list[str]) -> bool:
    """12,5 and 12.50 are the same number; chips are the same in any order."""
    if sorted(one) == sorted(other):
        return True
    if len(one) != 1 or len(other) != 1 or isinstance(bound.field, forms.ModelChoiceField):
        return _plain(one) == _plain(other)
    try:
        return bool(bound.field.to_python(one[0]) == bound.field.to_python(other[0]))
    except (ValidationError, ValueError, TypeError):
        return False


def _plain(values: list[str]) -> list[str]:
    return sorted(value.replace("\r\n", "\n") for value in values)


def beside(form: Any, seen: Mapping[str, list[str] | None]) -> list[Choice]:
    """What differs in inputs that are no fields of the form; only a form of a record may have any."""
    return form.choices_beside(seen) if hasattr(form, "choices_beside") else []


class Compared:
    """A draft beside what is saved, one form of it."""

    def __init__(self, title: str, form: Any) -> None:
        self.title = title
        self.choices = [_choice(form, bound, None) for bound in differing(form)] + beside(form, {})


def last_told(record: Any) -> Event | None:
    """Who wrote this record last, and when."""
    found: Event | None = Event.objects.of_record(type(record), record.pk).first()
    return found


def clash_of(form: Any, title: str) -> Clash:
    """What differs in one form whose record was saved by somebody else."""
    last = last_told(form.instance)
    clash = Clash(
        title,
        form.add_prefix("version"),
        str(Shown(form)),
        last.actor_name if last else "",
        last.actor_id if last else None,
        last.at if last else None,
    )
    seen = _shown_to(form)
    for bound in differing(form):
        clash.choices.append(_choice(form, bound, seen[bound.name]))
    clash.choices += beside(form, seen)
    return clash


def _choice(form: forms.BaseForm, bound: BoundField, before: list[str] | None) -> Choice:
    theirs, mine = as_posted(bound), _typed(form, bound)
    picked = ""
    if before is not None:
        picked = only_one(_same(bound, before, theirs), _same(bound, before, mine))
    label = str(bound.label or bound.name)
    return Choice(
        bound.html_name,
        label[:1].upper() + label[1:],
        in_words(bound, before) if before is not None else "",
        in_words(bound, theirs),
        in_words(bound, mine),
        {bound.html_name: theirs},
        picked,
    )


def only_one(theirs_as_before: bool, mine_as_before: bool) -> str:
    """Whose answer stands where only one of the two changed it."""
    if theirs_as_before:
        return "mine"
    return "theirs" if mine_as_before else ""


def in_words(bound: BoundField, posted: list[str]) -> str:
    """What was sent, as a person reads it: labels for codes; "" for nothing."""
    if isinstance(bound.field.widget, forms.CheckboxInput):
        return _("Yes") if posted else _("No")
    labels = dict(_flat(getattr(bound.field, "choices", ())))
    return ", ".join(str(labels.get(one, one)) for one in posted)


def _flat(choices: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from _flat(label)
        else:
            yield str(value), label


def merged(data: QueryDict) -> QueryDict:
    """What was typed, after the choices of a conflict page. Where one is missing the page is shown again."""
    if not any(name.startswith(SEEN) for name in data):
        return data
    result = data.copy()
    missing = [name for name in data if name.startswith(ASK) and f"{KEEP}{name[len(ASK) :]}" not in data]
    for name in list(data):
        if name.startswith(KEEP) and data[name] == "theirs":
            for part in _parts(data, name):
                result.setlist(part, data.getlist(f"{THEIRS}{part}"))
        elif name.startswith(SEEN) and missing:
            result[name[len(SEEN) :]] = str(data[name])  # as if the page had not been answered at all
    if missing:
        result = _as_first_sent(result, data)
    for name in list(result):
        if name.startswith((KEEP, THEIRS, ASK, SEEN, PARTS)):
            del result[name]
    return result


def _as_first_sent(result: QueryDict, data: QueryDict) -> QueryDict:
    for name in list(data):
        if name.startswith(KEEP):
            for part in _parts(data, name):
                result.setlist(part, data.getlist(part))
    return result


def _parts(data: QueryDict, keep: str) -> list[str]:
    """The inputs an answer of a conflict page is made of: mostly one of its own name."""
    name = keep[len(KEEP) :]
    return data.getlist(f"{PARTS}{name}") or [name]


def hidden_pairs(data: QueryDict, clashes: list[Clash]) -> list[tuple[str, str]]:
    """Everything that was typed, to be sent again with the choices, and the versions that stand now."""
    versions = {clash.version_name: clash.version for clash in clashes}
    pairs = [
        (name, value)
        for name, values in data.lists()
        if name not in versions and name not in CARRIED
        for value in values
    ]
    for name, version in versions.items():
        pairs += [(name, version), (f"{SEEN}{name}", data.get(name, ""))]
    pairs.append((f"{THEIRS}by", ", ".join(dict.fromkeys(clash.by for clash in clashes))))
    for clash in clashes:
        for choice in clash.choices:
            parts = choice.theirs_posted
            pairs += [(f"{THEIRS}{name}", value) for name, values in parts.items() for value in values]
            if list(parts) != [choice.name]:
                pairs += [(f"{PARTS}{choice.name}", name) for name in parts]
            if not choice.picked:
                pairs.append((f"{ASK}{choice.name}", "1"))
    return pairs


def because_of(clashes_seen: QueryDict) -> str:
    """The reason kept with a save that two people made."""
    reason = clashes_seen.get("reason", "").strip()
    if not any(name.startswith(SEEN) for name in clashes_seen):
        return reason[:400]
    both = _("Put together with what %(who)s had saved") % {"who": clashes_seen.get(f"{THEIRS}by", "")[:100]}
    return f"{reason[:200]}; {both}" if reason else both
