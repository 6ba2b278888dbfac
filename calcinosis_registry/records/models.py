"""The base of every clinical record: scoped, traced, checked against its codebook items, versioned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.base import ModelBase
from django.utils.translation import gettext as _

from calcinosis_registry.audit.traced import Outdated, Traced
from calcinosis_registry.clinics.models import new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.codebook.items import Item, Need, item_fields, item_of, labels
from calcinosis_registry.quality.findings import Finding
from calcinosis_registry.records.kept import Draft, Submission
from calcinosis_registry.records.limits import Possible, limits_message

__all__ = ["Draft", "Outdated", "Record", "Submission", "record_kinds"]

R = TypeVar("R", bound="Record")


class RecordMeta(ModelBase):
    """Turns each item's ``possible`` into a named database constraint: no path can store an impossible value."""

    def __new__(mcs, name: str, bases: tuple, attrs: dict, **kwargs: Any) -> Any:
        model: Any = super().__new__(mcs, name, bases, attrs, **kwargs)
        if not model._meta.abstract:
            limits = [Possible(model, field, item) for field, item in _limited(model)]
            model._meta.constraints = [*model._meta.constraints, *limits]
            model._meta.original_attrs["constraints"] = model._meta.constraints
        return model


def _limited(model: type[models.Model]) -> Iterator[tuple[models.Field, Item]]:
    for field in model._meta.local_fields:
        item = item_of(field)
        if item is not None and item.possible is not None:
            yield field, item


class Record(Traced, metaclass=RecordMeta):
    """One clinical record. ``clinic_path`` leads to the owning clinic; ``version`` counts the saves.

    Subclasses put rules of one row in ``clean()`` (calling ``super().clean()`` first) and suspicious values in
    ``findings()``. ``icon``, ``kind`` and ``title`` are what the screens call it.
    """

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)

    objects = ScopedQuerySet.as_manager()
    clinic_path = "clinic"
    # Relations a person sets on the form, beside the codebook items.
    form_relations: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: models.Field) -> str:
        """Django's get_..._display reads a code list again for every value shown; this reads it once."""
        value = getattr(self, field.attname)
        return str(labels(field).get(value, value))

    @classmethod
    def kind(cls) -> str:
        """The record's name in URLs, cohorts and exports."""
        return cls._meta.model_name or ""

    @classmethod
    def title(cls) -> str:
        name = str(cls._meta.verbose_name)
        return name[:1].upper() + name[1:]

    def values(self) -> dict[str, Any]:
        """{item field name: value} of this row."""
        return {field.name: getattr(self, field.name) for field in item_fields(type(self))}

    def clean(self) -> None:
        """Blank what does not apply, refuse the impossible. Raises ValidationError by field."""
        super().clean()
        errors: dict[str, str] = {}
        values = self.values()
        for field in item_fields(type(self)):
            item: Item = field.item  # type: ignore[attr-defined]
            value = values[field.name]
            if item.only_if and not item.applies(values):
                values[field.name] = field.get_default()
                setattr(self, field.name, values[field.name])
            elif item.possible and value is not None and not item.possible[0] <= value <= item.possible[1]:
                errors[field.name] = limits_message(item)
            elif item.need is Need.ALWAYS and value in (None, "", ()):
                errors[field.name] = _("This is needed.")
        if errors:
            raise ValidationError(errors)

    def verify(self) -> None:
        """Everything one row must satisfy, without a query per relation. Raises ValidationError by field."""
        relations = {field.name for field in self._meta.concrete_fields if field.is_relation}
        errors: dict[str, Any] = {}
        try:
            self.clean_fields(exclude=relations)
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        try:
            self.clean()
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Check, count the save, write row and history in one transaction."""
        self.verify()
        self.version += 1
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "version"}
        super().save(*args, **kwargs)

    def _do_update(self, base_qs: models.QuerySet, *args: Any, **kwargs: Any) -> bool:
        """``UPDATE … WHERE version = the one that was read``: one row, or nothing is written."""
        read = getattr(self, "_stored", None) or {}
        if self._state.adding or "version" not in read:
            return super()._do_update(base_qs, *args, **kwargs)  # type: ignore[misc]
        if not super()._do_update(base_qs.filter(version=read["version"]), *args, **kwargs):  # type: ignore[misc]
            raise Outdated
        return True

    @classmethod
    def still_as_read(cls, objs: Sequence[Any], fields: Sequence[str]) -> Q | None:
        """The same for many rows, where their version is written."""
        if "version" not in fields:
            return None
        return reduce(or_, (Q(pk=one.pk, version=one._stored["version"]) for one in objs), Q())

    def findings(self) -> Iterator[Finding]:
        """Suspicious but possible values of this row."""
        for field in item_fields(type(self)):
            item: Item = field.item  # type: ignore[attr-defined]
            value = getattr(self, field.name)
            if item.plausible and value is not None and not item.plausible[0] <= value <= item.plausible[1]:
                low, high = item.plausible
                yield Finding(
                    rule="plausible",
                    field=field.name,
                    message=_("%(label)s is %(value)s %(unit)s; usual is %(low)s to %(high)s. Is it right?")
                    % {
                        "label": str(field.verbose_name).capitalize(),
                        "value": value,
                        "unit": item.unit,
                        "low": low,
                        "high": high,
                    },
                )

    def missing(self) -> list[models.Field]:
        """Items still to be answered before the record is complete."""
        values = self.values()
        return [
            field
            for field in item_fields(type(self))
            if field.item.need is not Need.OPTIONAL  # type: ignore[attr-defined]
            and field.item.applies(values)  # type: ignore[attr-defined]
            and values[field.name] in (None, "", ())
        ]


def record_kinds(base: type[R]) -> list[type[R]]:
    """The concrete models below an abstract base, in declaration order: what the pages walk."""
    found: list[type[R]] = []
    for model in base.__subclasses__():
        found.extend(record_kinds(model))
        if not model._meta.abstract:
            found.append(model)
    return found
