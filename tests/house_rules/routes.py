"""Every route of the register, third parties' and the admin's too, as the URLconf has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from calcinosis_registry.records.admin import RecordAdmin, RowAdmin

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)")
ADMIN_OF_A_MODEL = re.compile(r"^admin/(\w+)/(\w+)/(.*)$")


@dataclass(frozen=True)
class Route:
    """``name`` with its namespaces; ``pattern`` the whole address with its parameters."""

    name: str
    pattern: str

    @property
    def line(self) -> str:
        """The name of its line in the access table: the admin pages of one kind of table share theirs."""
        found = ADMIN_OF_A_MODEL.match(self.pattern)
        if self.name.partition(":")[0] != "admin" or not found or (found[1], found[2]) not in _admin_models():
            return self.name
        return (
            f"admin of {_admin_models()[found[1], found[2]]}: {found[3].replace('<path:object_id>/', 'row/') or 'list'}"
        )

    @property
    def model(self) -> str:
        """``lesions.lesion`` for a page of the admin about that model, else ""."""
        found = ADMIN_OF_A_MODEL.match(self.pattern)
        return f"{found[1]}.{found[2]}" if found and (found[1], found[2]) in _admin_models() else ""

    @property
    def parameters(self) -> list[str]:
        return [path or regex for path, regex in PARAMETER.findall(self.pattern)]

    def address(self, values: Mapping[str, str]) -> str:
        """The path with the parameters filled in. KeyError for one that ``values`` lacks."""
        return "/" + PARAMETER.sub(lambda found: values[found[1] or found[2]], self.pattern)


def _admin_models() -> dict[tuple[str, str], str]:
    """{(app, model): what the admin shows}: records and their link rows are alike, other tables have their name."""
    found = {}
    for model, shown in admin.site._registry.items():
        kind = "a record" if isinstance(shown, RecordAdmin) else "a link" if isinstance(shown, RowAdmin) else ""
        found[model._meta.app_label, model._meta.model_name or ""] = kind or model._meta.label_lower
    return found


def routes(resolver: URLResolver | None = None, before: str = "", names: tuple[str, ...] = ()) -> Iterator[Route]:
    """Every leaf of the URLconf, in its order; a route without a name is called after its address."""
    for one in (resolver or get_resolver()).url_patterns:
        pattern = before + str(one.pattern).removeprefix("^").removesuffix("$")
        if isinstance(one, URLPattern):
            yield Route(":".join([*names, one.name or pattern]), pattern)
        else:
            yield from routes(one, pattern, (*names, one.namespace) if one.namespace else names)


def model_of(route: Route) -> type:
    return apps.get_model(route.model)
