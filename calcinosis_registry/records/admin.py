"""Every clinical record as a table in the admin: its form, its sections, its clinic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scoped_admin import ScopedAdmin, relation_names
from calcinosis_registry.codebook.items import Privacy, item_fields
from calcinosis_registry.records.forms import record_form_class
from calcinosis_registry.records.models import Record

COLUMNS = 5


class RowAdmin(ScopedAdmin):
    """Rows that belong to records, such as the lesions of a treatment: read here, written with their record."""

    view = Permission.VIEW_RECORDS


class RecordAdmin(ScopedAdmin):
    """Reads and corrects. A record begins on its own page, where its patient, visit and consent are known."""

    view = Permission.VIEW_RECORDS
    change = Permission.EDIT_RECORDS

    @property
    def _kind(self) -> type[Record]:
        return self.model

    def settle(self, record: Any) -> None:
        """What a save of this record brings with it (checks, copies on the patient); apps override it."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return record_form_class(self._kind)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Who, then the first items; what names a person stays out of lists."""
        items = [one.name for one in item_fields(self.model) if one.item.privacy is not Privacy.IDENTITY]  # type: ignore[attr-defined]
        return ["__str__", *_parents(self.model), *items[:COLUMNS]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [one.name for one in self.model._meta.concrete_fields if one.name in self._bookkeeping()]

    def _bookkeeping(self) -> list[str]:
        """What nobody types: where the record belongs, its state, its random name."""
        entered = {*record_form_class(self._kind).base_fields}
        return [one.name for one in self.model._meta.concrete_fields if one.name not in entered and not one.primary_key]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        writes = self.has_change_permission(request, obj)
        names = self.holds(request, Permission.SEE_IDENTITY, obj)
        entered = record_form_class(self._kind).base_fields
        sections: dict[str, list[str]] = {}
        for one in item_fields(self.model):
            item = one.item  # type: ignore[attr-defined]
            if one.name in entered and (names or item.privacy is not Privacy.IDENTITY):
                sections.setdefault(str(item.section), []).append(one.name)
        first = [*self._kind.form_relations, *(["version", "reason"] if writes else [])]
        kept = [name for name in self._bookkeeping() if not (writes and name == "version")]
        sets: list[Any] = [(None, {"fields": first})] if first else []
        sets += [(section, {"fields": fields}) for section, fields in sections.items()]
        return [*sets, (_("Bookkeeping"), {"fields": kept, "classes": ["collapse"]})]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Showing what names a person is a reading, and told."""
        record = kwargs.get("obj") or context.get("original")
        shown = [one.name for one in item_fields(self.model) if one.item.privacy is Privacy.IDENTITY]  # type: ignore[attr-defined]
        if record is not None and shown and self.holds(request, Permission.SEE_IDENTITY, record):
            trail.tell(Action.READ, about=record, changes={"shown": ", ".join(shown)})
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with trail.because(form.cleaned_data.get("reason", "")):
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self.settle(form.instance)


def _parents(model: type[models.Model]) -> list[str]:
    return [name for name in ("patient", "visit", "lesion") if name in relation_names(model)]


def register_records(kinds: Iterable[type[models.Model]], base: type[RecordAdmin] = RecordAdmin) -> None:
    """Put every concrete record of an app, and the scoped rows between them, into the admin."""
    for model in kinds:
        if admin.site.is_registered(model) or not hasattr(model, "clinic_path"):
            continue
        if not issubclass(model, Record):
            admin.site.register(model, RowAdmin)
        else:
            number = "registry_number" if model.clinic_path == "clinic_id" else _number_path(model)
            bound = {"search_fields": [f"={number}"], "list_select_related": relation_names(model) or False}
            admin.site.register(model, type(f"{model.__name__}Admin", (base,), bound))


def _number_path(model: type[Record]) -> str:
    """The registry number on the way to the clinic: ``patient__clinic_id`` → ``patient__registry_number``."""
    return model.clinic_path.rpartition("__")[0] + "__registry_number"
