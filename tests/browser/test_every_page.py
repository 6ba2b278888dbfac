"""Every page, wide and light, narrow and dark: accessible, quiet, inside its window, and nothing from another host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic, Transfer
from calcinosis_registry.clinics.services import invite
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.demo import loader
from calcinosis_registry.exports.models import Export
from calcinosis_registry.exports.services import make_export
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.quality.services import raise_query
from calcinosis_registry.reports.outline import TITLES
from lesions.models import ImagingStudy, Lesion, SecondReading
from patients.kinds import kinds
from patients.models import Patient, Visit, VisitRecord, VisitState
from tests.factories import PatientFactory, TransferFactory, known_lesions

Address = Callable[["Register"], str]
SIZES = {"wide-light": (1440, "light"), "narrow-dark": (390, "dark"), "middle-light": (1024, "light")}
DOCTOR, ASSISTANT, MONITOR = "clinician.a@example.org", "assistant.a@example.org", "monitor.a@example.org"
RESEARCHER, ADMIN, NOBODY = "researcher@example.org", "admin@example.org", ""


@dataclass
class Register:
    """A small demo register."""

    patient: Patient
    visit: Visit
    signed: Visit
    complete: Visit
    query: DataQuery
    study: ImagingStudy
    pair: SecondReading
    cohort: Cohort
    project: ResearchProject
    export: Export
    clinic: Clinic
    invitation: str
    offered: Transfer


@pytest.fixture
def register(transactional_db: None, settings: Any, tmp_path: Path) -> Register:
    settings.EXPORTS_DIR, settings.FILES_DIR = tmp_path / "exports", tmp_path / "files"
    staff = loader.load(patients=8, clinics=2, seed=1, until=timezone.localdate())
    clinic, cohort = staff.clinics[0], Cohort.objects.select_related("project").get(name="everyone")
    study = ImagingStudy.objects.filter(patient__clinic=clinic, files__isnull=False, body_region="HAND").first()
    assert study is not None
    signed = Visit.objects.filter(patient=study.patient, state=VisitState.SIGNED).first()
    assert signed is not None and Lesion.objects.filter(patient=study.patient).exists()
    visit = Visit(patient=study.patient, visit_date=timezone.localdate(), visit_type="FOLLOW_UP")
    visit.save()
    export = make_export(
        cohort=cohort, project=cohort.project, format="csv", reason="Table 1", by=staff.researcher, now=timezone.now()
    )
    _invitation, token = invite(
        email="new@example.org", name="New Person", role="clinician", clinic=clinic, by=staff.admin, now=timezone.now()
    )
    complete = known_lesions(PatientFactory(clinic=clinic), timezone.localdate(), [("ELBOW", "R"), ("KNEE", "L")])
    query = raise_query(
        record=visit, clinic_id=clinic.pk, patient=study.patient.registry_number, field="pain_nrs",
        message="Is it right?", by=User.objects.get(email=MONITOR), now=timezone.now(),
    )  # fmt: skip
    pair = SecondReading.objects.read().filter(study__patient__clinic=clinic, adjudication=None).first()
    assert pair is not None
    offered = TransferFactory(patient=PatientFactory(clinic=staff.clinics[1]), to_clinic=clinic)
    return Register(
        pair=pair, offered=offered, patient=study.patient, visit=visit, signed=signed,
        complete=complete, query=query,
        study=study, cohort=cohort, project=cohort.project,
        export=export, clinic=clinic, invitation=token,
    )  # fmt: skip


def at(name: str, *of: str, query: str = "") -> Address:
    """The address of a route; ``of`` are attributes of the register, or words as they stand."""

    def address(register: Register) -> str:
        found = [getattr(register, one, one) for one in of]
        return reverse(name, args=[getattr(one, "public_id", one) for one in found]) + query

    return address


def _addable(kind: str) -> Address:
    def address(register: Register) -> str:
        tied = issubclass(kinds()[kind], VisitRecord)
        query = f"?visit={register.visit.public_id}" if tied else ""
        return reverse("patients:record_add", args=[register.patient.public_id, kind]) + query

    return address


def _record(kind: str, route: str = "patients:record") -> Address:
    def address(register: Register) -> str:
        found = register.patient if kind == "patient" else kinds()[kind]._default_manager.filter(  # type: ignore[attr-defined]
            patient=register.patient
        ).first()  # fmt: skip
        return reverse(route, args=[kind, found.public_id])

    return address


MAIN = {
    "work list": (DOCTOR, at("home")),
    "patient": (DOCTOR, at("lesions:patient", "patient")),
    "visit": (DOCTOR, at("lesions:visit", "visit")),
}
BEFORE_SIGN_IN = {
    "sign in": (NOBODY, at("account_login")),
    "password forgotten": (NOBODY, at("account_reset_password")),
    "invitation": (NOBODY, at("clinics:accept", "invitation")),
}
ADDED = [kind for kind, model in kinds().items() if model is not Patient and getattr(model, "begins_alone", True)]
PAGES: dict[str, tuple[str, Address]] = BEFORE_SIGN_IN | MAIN | {
    "patients": (DOCTOR, at("patients:list")),
    "register": (DOCTOR, at("patients:register")),
    "new visit": (DOCTOR, at("lesions:visit_new", "patient")),
    "visit to check": (DOCTOR, at("lesions:visit", "visit", query="?check=1")),
    "signed visit": (DOCTOR, at("lesions:visit", "signed")),
    "patient record": (DOCTOR, _record("patient")),
    "record": (DOCTOR, _record("diagnosis")),
    "lesion": (DOCTOR, _record("lesion")),
    "history": (DOCTOR, _record("diagnosis", "patients:record_history")),
    "sign": (DOCTOR, at("lesions:visit_sign", "complete")),
    "not to be signed yet": (DOCTOR, at("lesions:visit_sign", "visit")),
    "unlock": (DOCTOR, at("lesions:visit_unlock", "signed")),
    "sign several": (DOCTOR, lambda register: f"/visits/sign/?visit={register.complete.public_id}"
                                              f"&visit={register.visit.public_id}"),
    "move a visit": (DOCTOR, at("lesions:visit_move", "visit")),
    "move a record": (DOCTOR, lambda register: reverse("transfers:offer", args=[register.complete.patient.public_id])),
    "registered twice": (DOCTOR, at("transfers:double_find", "patient")),
    "two registrations": (DOCTOR, lambda register: reverse(
        "transfers:double_compare", args=[register.patient.public_id, register.complete.patient.public_id]
    )),
    "moves between clinics": (DOCTOR, at("transfers:list")),
    "record offered": (DOCTOR, at("transfers:transfer", "offered")),
    "queries": (DOCTOR, at("queries:list")),
    "query": (DOCTOR, at("queries:query", "query")),
    "query for a monitor": (MONITOR, at("queries:query", "query")),
    "ask a question": (MONITOR, lambda register: reverse("queries:ask", args=["visit", register.visit.public_id])),
    "history of a patient": (DOCTOR, at("lesions:patient_history", "patient")),
    "missed visit": (DOCTOR, at("patients:visit_missed", "patient")),
    "imaging upload": (DOCTOR, at("lesions:imaging_add", "patient")),
    "study": (DOCTOR, at("lesions:imaging_study", "study")),
    "hand score": (DOCTOR, at("lesions:hand_score", "study")),
    "hand readings": (DOCTOR, at("lesions:readings")),
    "two readings": (DOCTOR, at("lesions:reading_pair", "pair")),
    "agreement of readers": (DOCTOR, at("reports:agreement", "clinic")),
    "two pictures": (DOCTOR, at("lesions:imaging_compare", "patient")),
    "codebook": (DOCTOR, at("codebook:index")),
    "change password": (DOCTOR, at("account_change_password")),
    "sign out": (DOCTOR, at("account_logout")),
    "second factor": (DOCTOR, at("mfa_activate_totp")),
    "reports of a clinician": (DOCTOR, at("reports:index")),
    "clinic report": (DOCTOR, at("reports:clinic", "clinic")),
    **{f"{one} of a clinic": (DOCTOR, at("reports:clinic_chapter", "clinic", one)) for one in ("lesions", "outcomes")},
    "monthly e-mail": (DOCTOR, at("reports:schedule", "clinic")),
    "letter": (DOCTOR, at("letters:letter", "patient")),
    "leaflet": (DOCTOR, at("letters:leaflet")),
    "not found": (DOCTOR, lambda register: "/patients/nobodyatall/"),
    "not allowed": (DOCTOR, at("clinics:accounts")),
    "work list of an assistant": (ASSISTANT, at("home")),
    "work list of a monitor": (MONITOR, at("home")),
    "patient for a monitor": (MONITOR, at("lesions:patient", "patient")),
    "visit for a monitor": (MONITOR, at("lesions:visit", "signed")),
    "home of a researcher": (RESEARCHER, at("home")),
    "cohorts": (RESEARCHER, at("cohorts:list")),
    "builder": (RESEARCHER, at("cohorts:new")),
    "cohort": (RESEARCHER, at("cohorts:cohort", "cohort")),
    "change a cohort": (RESEARCHER, at("cohorts:edit", "cohort")),
    "projects": (RESEARCHER, at("cohorts:projects")),
    "ask for a project": (RESEARCHER, at("cohorts:new_project")),
    "project": (RESEARCHER, at("cohorts:project", "project")),
    "agreement over a project": (RESEARCHER, at("reports:project_agreement", "project")),
    "exports": (RESEARCHER, at("exports:list")),
    "new export": (RESEARCHER, at("exports:new", "cohort")),
    "export": (RESEARCHER, at("exports:export", "export")),
    "reports": (RESEARCHER, at("reports:index")),
    "table 1": (RESEARCHER, at("reports:table_one", "cohort")),
    **{
        f"{one} of a cohort": (RESEARCHER, at("reports:cohort_chapter", "cohort", one)) for one in TITLES
        if one != "characteristics"
    },
    "events by group": (RESEARCHER, at("reports:cohort_chapter", "cohort", "events", query="?by=patient.sex_at_birth")),
    "home of an admin": (ADMIN, at("home")),
    "accounts": (ADMIN, at("clinics:accounts")),
    "clinics": (ADMIN, at("clinics:clinics")),
    "clinic": (ADMIN, at("clinics:clinic", "clinic")),
    "new clinic": (ADMIN, at("clinics:new_clinic")),
    "trail": (ADMIN, at("clinics:trail")),
    "django admin": (ADMIN, at("admin:index")),
    "django admin, list": (ADMIN, at("admin:clinics_membership_changelist")),
    "django admin of a clinician, list": (DOCTOR, at("admin:lesions_lesion_changelist")),
} | {f"add {kind}": (DOCTOR, _addable(kind)) for kind in ADDED}  # fmt: skip
# axe looks at these in one size only: the record forms are of one make, and the codebook is long.
AXE_ONCE = {"codebook", *(f"add {kind}" for kind in ADDED)}
STATUS = {"not found": 404, "not allowed": 403}


class InOneSize:
    """A walk takes minutes: as a class of its own each size may be given to another process of the tests."""

    size = ""

    def test_every_page_is_accessible_quiet_and_inside_its_window(
        self, register: Register, page: Page, sign_in: Any, complaints: list[str], axe: Any, subtests: Any
    ) -> None:
        width, scheme = SIZES[self.size]
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        signed_in = NOBODY
        for name, (email, address) in (MAIN if self.size == "middle-light" else PAGES).items():
            if email != signed_in:
                sign_in(User.objects.get(email=email))
                signed_in = email
            with subtests.test(name):
                complaints.clear()
                found = [*_problems(page, name, address(register))]
                if self.size == "wide-light" or name not in AXE_ONCE:
                    found += axe(page)
                _keep_picture(page, f"{self.size} {name}")
                # Chromium complains about the answer itself where an error is what was asked for.
                found += [one for one in complaints if name not in STATUS or str(STATUS[name]) not in one]
                assert not found, "\n".join([page.url, *found])
        complaints.clear()
        with subtests.test("search result"):  # posted: what is searched for never stands in a URL
            sign_in(User.objects.get(email=DOCTOR))
            page.goto("/patients/")
            page.fill("[name=q]", register.patient.registry_number[:4])
            page.press("[name=q]", "Enter")
            page.wait_for_url("**/patients/search/")
            assert [*axe(page), *complaints] == []
            assert page.locator("h1").count() == 1


class TestWideAndLight(InOneSize):
    size = "wide-light"


class TestNarrowAndDark(InOneSize):
    size = "narrow-dark"


class TestOfMiddleSize(InOneSize):
    size = "middle-light"


def _problems(page: Page, name: str, address: str) -> Iterator[str]:
    answer = page.goto(address)
    assert answer is not None
    if answer.status != STATUS.get(name, 200):
        yield f"answers {answer.status}"
    # Of a kind a patient has once, adding leads to the one that is there.
    if "home" not in name and name != "add diagnosis" and not page.url.endswith(address):
        yield f"{address} sent elsewhere"
    if (headings := page.locator("h1").count()) != 1:
        yield f"{headings} main headings"
    if not page.title().partition("Calcinosis registry")[0].strip(" ·"):
        yield "no title"
    width, window = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
    if width > window + 1:
        yield f"{width} px of content in a window of {window} px"


def _keep_picture(page: Page, name: str) -> None:
    """A picture of each page, for people to look at, where REGISTRY_PICTURES names a directory."""
    if folder := os.environ.get("REGISTRY_PICTURES"):
        page.screenshot(
            path=Path(folder) / f"{name.replace(' ', '-').replace(',', '')}.png", full_page=name.count("codebook") == 0
        )
