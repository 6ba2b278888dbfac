"""Everybody who may come to an address, and a row behind each one."""

from __future__ import annotations

import datetime
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.services import reset_second_factor, set_active
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Clinic, Membership
from calcinosis_registry.clinics.roles import Role
from calcinosis_registry.clinics.services import invite, set_open
from calcinosis_registry.cohorts.models import ProjectClinic, ProjectMember
from calcinosis_registry.jobs.services import ask
from calcinosis_registry.rights.services import request_erasure
from lesions import storage
from patients.models import Patient
from tests.conftest import prove
from tests.factories import (
    ClinicFactory,
    CohortFactory,
    DataQueryFactory,
    ExportFactory,
    IdentityFactory,
    ImagingFileFactory,
    ImagingMeasureFactory,
    ImagingStudyFactory,
    LesionFactory,
    LesionObservationFactory,
    MembershipFactory,
    MergerFactory,
    PatientFactory,
    TransferFactory,
    TreatmentCourseFactory,
    UserFactory,
    VisitFactory,
    a_second_reading,
    project_of,
)
from tests.house_rules.access_table import OBJECTS
from tests.house_rules.routes import Route, model_of
from tests.house_rules.rows import a_row


class Cast:
    """Rows of the clinic North, and the sessions of the accounts of the access table. Lives in one transaction."""

    def __init__(self) -> None:
        self.client = Client()  # one for all: loading the middleware takes ten times as long as a request
        north = ClinicFactory(name="North", code="NOR")
        self.between_the_clinics()
        south = ClinicFactory(name="South", code="SOU")
        self.rows: dict[str, Any] = _rows(north)
        self.sessions = {"anon": None} | {
            name: _session(_person(name, role, clinic))
            for name, role, clinic in (
                ("clin", Role.CLINICIAN, north),
                ("asst", Role.ASSISTANT, north),
                ("mon", Role.MONITOR, north),
                ("rsch", Role.RESEARCHER, north),
                ("admin", Role.ADMIN, north),
                ("coord", Role.ADMIN, None),
                ("strng", Role.CLINICIAN, south),
                ("oadm", Role.ADMIN, south),
            )
        }
        self.rows |= _research(_person("owner", Role.RESEARCHER, north), north)
        self.sessions["member"] = _session(self.rows["cohort"].owner)
        self.near: dict[type[models.Model], models.Model] = {type(row): row for row in self.rows.values()}
        self.sessions["nobody"] = _session(UserFactory(name="Nobody"))
        self.sessions |= {name: _session(user) for name, user in _of_no_role(north).items()}
        self.sessions["disabled"] = _session(disabled := MembershipFactory(clinic=north).user)
        set_active(user=disabled, active=False)
        self.sessions["reset"] = _session(reset := MembershipFactory(clinic=north).user)
        reset_second_factor(user=reset)
        self.near[User] = disabled
        self.near[Event] = Event.objects.of_patient(self.rows["patient"].registry_number)[0]
        self.near[Membership] = Membership.objects.get(user=disabled)
        invitation, token = invite(
            email="new@example.org", name="New", clinic=north, role=Role.MONITOR, valid_until=None,
            by=MembershipFactory(role=Role.ADMIN, clinic=north).user, now=timezone.now(),
        )  # fmt: skip
        self.near[type(invitation)], self.rows["token"] = invitation, token
        for model in admin.site._registry:
            a_row(model, self.near)

    def between_the_clinics(self) -> None:
        """For a cast whose second clinic is told apart by its numbers."""

    def values(self, route: Route) -> dict[str, str]:
        """What stands in the route's address. KeyError teaches by the test."""
        if route.model:
            return {"object_id": str(self.near[model_of(route)].pk)}
        found = {name: OBJECTS.get(f"{route.name} {name}") or OBJECTS[name] for name in route.parameters}
        return {name: self._value(told) for name, told in found.items()}

    def _value(self, told: str) -> str:
        """``patient.public_id`` of the rows; a word in quotes is itself."""
        if told.startswith("'"):
            return told.strip("'")
        name, *steps = told.split(".")
        value = self.rows[name]
        for step in steps:
            value = getattr(value, step)
        return str(value)

    def answer(self, account: str, method: str, address: str, *, csrf: bool = False) -> HttpResponse:
        """One request in a transaction that is undone. ``csrf``: as from another site, without a token."""
        self.client.cookies = SimpleCookie()
        self.client.handler.enforce_csrf_checks = csrf
        if session := self.sessions[account]:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = session
        cache.clear()  # the library counts requests by address
        with transaction.atomic():
            response = self.client.generic(method, address, "", "application/x-www-form-urlencoded")
            if getattr(response, "streaming", False):
                b"".join(response.streaming_content)
            transaction.set_rollback(True)
        return response


def _rows(north: Clinic) -> dict[str, Any]:
    patient: Patient = PatientFactory(clinic=north)
    lesion = LesionFactory(patient=patient)
    visit = VisitFactory(patient=patient)
    study = ImagingStudyFactory(patient=patient, visit=visit)
    file = ImagingFileFactory(study=study)
    for kind in storage.KINDS:
        storage.store_preview(file.sha256, settings.FILES_DIR, b"picture", kind)
    return {
        "clinic": north,
        "double": (double := PatientFactory(clinic=north)),  # before the patient, who stands for all
        "patient": patient,
        "identity": IdentityFactory(patient=patient),
        "visit": visit,
        "lesion": lesion,
        "observation": LesionObservationFactory(lesion=lesion, visit=visit),
        "course": TreatmentCourseFactory(patient=patient),
        "erasure": request_erasure(
            patient=patient, basis="CONSENT", reason="by letter", by=UserFactory(), now=timezone.now()
        ),
        "query": DataQueryFactory(patient=patient.registry_number, clinic=north, object_id=visit.pk),
        "study": study,
        "second_reading": a_second_reading(study),
        "file": file,
        "measure": ImagingMeasureFactory(study=study),
        "removed": _removed(TreatmentCourseFactory(patient=patient)),
        "transfer": TransferFactory(patient=patient),
        "merger": MergerFactory(record=patient, double=double),
    }


def _removed(record: Any) -> Event:
    """The event that a record entered in error was removed by."""
    with trail.because("entered in error"):
        record.delete()
    return Event.objects.latest("pk")


def _research(owner: User, clinic: Clinic) -> dict[str, Any]:
    project = project_of(owner, clinic)
    cohort = CohortFactory(owner=owner, project=project)
    return {
        "project": project,
        "project_clinic": ProjectClinic.objects.get(project=project),
        "project_member": ProjectMember.objects.get(project=project),
        "cohort": cohort,
        "export": ExportFactory(cohort=cohort),
        "job": ask(kind="export", title="Export", arguments={}, by=owner),
    }


def _person(name: str, role: str, clinic: Clinic | None) -> User:
    return MembershipFactory(user=UserFactory(name=name.replace("_", " ").title()), role=role, clinic=clinic).user


def _of_no_role(clinic: Clinic) -> dict[str, User]:
    """Whose role ended, begins tomorrow, is offered only, or rests because the clinic is closed."""
    today, day = timezone.localdate(), datetime.timedelta(days=1)
    closed, invited = ClinicFactory(name="Closed", code="CLO"), UserFactory(name="Invited")
    found = {
        "ended": MembershipFactory(clinic=clinic, valid_from=today - 9 * day, valid_until=today - day).user,
        "future": MembershipFactory(clinic=clinic, valid_from=today + day).user,
        "closed": MembershipFactory(clinic=closed).user,
        "invited": invited,
    }
    invite(email=invited.email, name="I", clinic=clinic, role=Role.CLINICIAN, by=None, now=timezone.now())
    set_open(clinic=closed, is_open=False, now=timezone.now())
    for user in found.values():
        user.refresh_from_db()
    return found


def _session(user: User) -> str:
    # Some hash: the library offers an account without a password to set one.
    user.password = "unknown$"
    user.save()
    client = Client()
    client.force_login(user)
    prove(client, user, lasting=3600)  # the cast serves a whole module, on a busy machine for minutes
    return client.session.session_key or ""
