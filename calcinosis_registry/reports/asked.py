"""A report as somebody asks for it: whom it is about, who reads it, how exactly; at once or made by the worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.builder import DefinitionError, describe, matching, parse
from calcinosis_registry.cohorts.dataset import population
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import Scope, scope_of
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.reports import building, kept
from calcinosis_registry.reports.building import PDF
from calcinosis_registry.reports.chapters import clinic as clinic_chapter
from calcinosis_registry.reports.clinic import ClinicNumbers, clinic_numbers, standings
from calcinosis_registry.reports.exhibits import Exhibit
from calcinosis_registry.reports.outline import Chapter
from patients.models import Patient, Visit

CLINIC, COUNT = Permission.CLINIC_REPORTS, Permission.COUNT_COHORTS
EVERYONE: dict[str, Any] = {"join": "all", "conditions": []}


@dataclass(frozen=True)
class Report:
    """Whom a report is about and for: ``name`` of its routes, ``scope`` of its numbers, what the page says of it."""

    name: str
    public_id: str
    title: str
    sentence: str
    definition: Any
    scope: Scope
    cohort: Cohort | None = None
    clinic: Clinic | None = None

    @cached_property
    def is_large(self) -> bool:
        """More patients than a page waits for."""
        found = matching(self.definition, population(self.scope), all_visits=False, items=self.scope.items)
        return found.order_by()[: settings.REPORT_AT_ONCE + 1].count() > settings.REPORT_AT_ONCE

    def chapters(self, *keys: str, by: str = "") -> list[Chapter]:
        """At once."""
        try:
            return building.chapters(definition=self.definition, scope=self.scope, keys=keys, by=by)
        except DefinitionError as error:
            raise Http404 from error

    def made_before(self, key: str, by: str = "") -> tuple[kept.Head, Any] | None:
        printed = self._printed if key == PDF else ()
        return building.made_before(definition=self.definition, scope=self.scope, key=key, by=by, printed=printed)

    @property
    def _printed(self) -> tuple[str, ...]:
        """A chapter is of a question; the PDF says whose report it is."""
        return self.name, self.public_id, self.title

    def make(self, by: str, tell: Any) -> Iterator[Chapter]:
        return building.make(definition=self.definition, scope=self.scope, by=by, tell=tell)

    def keep_pdf(self, pdf: bytes, head: kept.Head, by: str) -> None:
        building.keep_pdf(pdf, head, definition=self.definition, scope=self.scope, by=by, printed=self._printed)

    def pdf_before(self, by: str) -> bytes | None:
        found = self.made_before(PDF, by)
        return None if found is None else found[1]

    def url(self, route: str, *parts: str, by: str = "") -> str:
        """Where it is read, grouped ``by`` an item."""
        address = reverse(f"reports:{self.name}{route}", args=[self.public_id, *parts])
        return f"{address}?{urlencode({'by': by})}" if by else address


def of_cohort(user: User, public_id: str) -> Report:
    """Raises Http404 where the person sees no such cohort."""
    rows = Cohort.objects.visible_to(user, COUNT).select_related("project")
    cohort = rows.filter(public_id=public_id).first()
    if cohort is None:
        raise Http404
    scope = scope_of(user, cohort.project)
    try:
        parse(cohort.definition, items=scope.items)  # the project may let less be asked than when it was saved
        sentence = describe(cohort.definition)
    except DefinitionError as error:
        raise Http404 from error
    return Report("cohort", public_id, str(cohort), sentence, cohort.definition, scope, cohort=cohort)


def of_clinic(user: User, public_id: str) -> Report:
    """Raises Http404 where it is not the person's clinic."""
    clinic = Clinic.objects.visible_to(user, CLINIC).filter(public_id=public_id).first()
    if clinic is None:
        raise Http404
    sentence = _("Patients of the clinic who consented to research; what was recorded at signed visits.")
    scope = Scope(frozenset({clinic.pk}), exact=True)
    return Report("clinic", public_id, str(clinic), sentence, EVERYONE, scope, clinic=clinic)


OF = {"cohort": of_cohort, "clinic": of_clinic}


# ---- the clinic's own numbers: all its patients, whatever they consented to


def numbers_of(user: User, clinic: Clinic) -> ClinicNumbers:
    return clinic_numbers(
        patients=Patient.objects.visible_to(user, CLINIC).filter(clinic=clinic),
        visits=Visit.objects.visible_to(user, CLINIC).filter(patient__clinic=clinic),
        queries=DataQuery.objects.visible_to(user, CLINIC).filter(clinic=clinic),
        now=timezone.now(),
    )


def keeping(user: User, clinic: Clinic) -> tuple[ClinicNumbers, list[Exhibit]]:
    numbers = numbers_of(user, clinic)
    return numbers, clinic_chapter.exhibits(numbers, standings(clinic, timezone.localdate()))
