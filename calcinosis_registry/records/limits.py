"""What an item's ``possible`` means for its column: a named constraint of the database, and the words for a person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q
from django.utils.translation import gettext as _

from calcinosis_registry.codebook.items import Item


class Possible(models.CheckConstraint):
    """``low ≤ column ≤ high``, kept by the database like every check. Before that Django has a check proved by a
    statement (and a savepoint) of its own for every form; two numbers are compared here at a hundredth of that."""

    def __init__(self, model: type[models.Model], field: models.Field, item: Item) -> None:
        self.low, self.high = item.possible  # type: ignore[misc]
        self.column = field.name
        within = Q(**{f"{field.name}__gte": self.low, f"{field.name}__lte": self.high})
        super().__init__(
            name=f"{model._meta.model_name}_{field.name}_possible",
            condition=within | Q(**{f"{field.name}__isnull": True}) if field.null else within,
            violation_error_message=limits_message(item),
        )

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = DEFAULT_DB_ALIAS
    ) -> None:
        if self.column in (exclude or ()):
            return
        value = getattr(instance, self.column)
        if value is not None and not self.low <= value <= self.high:
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def get_violation_error_message(self) -> str:
        """As it is: Django would fill names in, and stumble over the unit “%”."""
        return str(self.violation_error_message)

    def deconstruct(self) -> Any:
        """For migrations it is a check like any other."""
        _path, args, told = super().deconstruct()
        return "django.db.models.CheckConstraint", args, told

    def clone(self) -> models.CheckConstraint:
        _path, args, told = self.deconstruct()
        return models.CheckConstraint(*args, **told)


def limits_message(item: Item) -> str:
    low, high = item.possible  # type: ignore[misc]
    if not item.unit:
        return _("Must be between %(low)s and %(high)s.") % {"low": low, "high": high}
    return _("Must be between %(low)s and %(high)s %(unit)s.") % {"low": low, "high": high, "unit": item.unit}
