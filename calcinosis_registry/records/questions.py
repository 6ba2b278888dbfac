"""Open questions about a record, beside the fields they ask about."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from calcinosis_registry.quality.models import DataQuery


def place_questions(form: forms.BaseForm, queries: Iterable[DataQuery]) -> list[DataQuery]:
    """Hang each query on the field of the form it is about (``field.questions``); returns the rest."""
    others = []
    for query in queries:
        if query.field in form.fields and not form.fields[query.field].widget.is_hidden:
            field = form[query.field]
            field.questions = [*getattr(field, "questions", []), query]  # type: ignore[attr-defined]
        else:
            others.append(query)
    return others
