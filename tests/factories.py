"""People and clinics for the tests. Passwords are cheap to hash only where a test signs in by password."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic, Membership, Transfer
from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.models import Cohort, ProjectClinic, ProjectMember, ResearchProject
from calcinosis_registry.exports.models import Export
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from lesions.hand_reading import save_reading
from lesions.hand_score import SiteRating, instrument
from lesions.models import (
    HandScore,
    ImagingFile,
    ImagingMeasure,
    ImagingStudy,
    Lesion,
    LesionObservation,
    SecondReading,
    TreatmentCourse,
)
from lesions.second_reading import ask
from lesions.services import NewLesion, VisitEntry, save_visit
from patients.models import Diagnosis, Merger, Patient, Summary, Visit

PASSWORD = "a sentence is easy to remember"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    name = factory.Sequence("Person {}".format)
    email = factory.LazyAttribute(lambda one: f"{one.name.lower().replace(' ', '.')}@example.org")
    # No hash: Argon2 takes its time, and most tests sign in by force_login.
    password = "!"


class ClinicFactory(DjangoModelFactory):
    class Meta:
        model = Clinic

    name = factory.Sequence("Clinic {}".format)
    code = factory.Sequence(lambda n: f"C{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}")


class TransferFactory(DjangoModelFactory):
    """``patient`` offered to another clinic, by nobody in particular."""

    class Meta:
        model = Transfer
        exclude = ["patient"]

    patient = factory.SubFactory("tests.factories.PatientFactory")
    registry_number = factory.SelfAttribute("patient.registry_number")
    from_clinic = factory.SelfAttribute("patient.clinic")
    to_clinic = factory.SubFactory(ClinicFactory)
    reason = "moved house"
    offered_by = factory.SubFactory(UserFactory)


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    clinic = factory.SubFactory(ClinicFactory)
    role = "clinician"


class PatientFactory(DjangoModelFactory):
    """A consented patient without a name, a diagnosis or a visit."""

    class Meta:
        model = Patient

    clinic = factory.SubFactory(ClinicFactory)
    registry_number = factory.LazyAttributeSequence(lambda one, n: f"{one.clinic.code}-{90_000 + n:05d}")
    birth_date = PartialDate(1968, 4)
    sex_at_birth = "F"
    registry_consent = True
    research_consent = True


class MergerFactory(DjangoModelFactory):
    """The line of a merger, without its having been made."""

    class Meta:
        model = Merger

    reason = "same national number"
    by = factory.SubFactory(UserFactory)


class IdentityFactory(DjangoModelFactory):
    """The name of ``patient``."""

    class Meta:
        model = Identity
        exclude = ["patient"]

    patient = factory.SubFactory(PatientFactory)
    registry_number = factory.SelfAttribute("patient.registry_number")
    clinic = factory.SelfAttribute("patient.clinic")
    family_name = factory.Sequence("Family{}".format)
    given_name = factory.Sequence("Given{}".format)


class DiagnosisFactory(DjangoModelFactory):
    class Meta:
        model = Diagnosis

    patient = factory.SubFactory(PatientFactory)
    primary_ctd = "SSC"
    ssc_subset = "LCSSC"
    aetiology_subtype = "DYSTROPHIC"
    diagnostic_basis = ("XRAY",)
    first_calcinosis = PartialDate(2014)
    first_raynaud = PartialDate(2005)
    first_non_raynaud = PartialDate(2008)
    diagnosed_on = PartialDate(2009)


class VisitFactory(DjangoModelFactory):
    class Meta:
        model = Visit

    patient = factory.SubFactory(PatientFactory)
    visit_date = datetime.date(2026, 5, 12)
    visit_type = "FOLLOW_UP"


class SummaryFactory(DjangoModelFactory):
    class Meta:
        model = Summary

    patient = factory.SubFactory(PatientFactory)


def known_lesions(patient: Patient, day: datetime.date, places: list[tuple[str, str]], *, targets: int = 0) -> Visit:
    """A complete baseline visit of ``day`` at which these lesions were found, saved as the visit page saves it."""
    visit = Visit(
        patient=patient, visit_date=day, visit_type="BASELINE", calcinosis_present="Y", pain_nrs=4, patient_global=5,
        physician_global=3, treatments_changed="NONE", complications="NONE", state="COMPLETE",
    )  # fmt: skip
    found = []
    for index, (site, side) in enumerate(places):
        lesion = Lesion(patient=patient, site=site, laterality=side, diagnostic_basis=("EXAM",), target=index < targets)
        seen = LesionObservation(
            patient=patient, lesion=lesion, visit=visit, status_change="NEW", ulcerated="N", drainage="NONE",
            infection="NONE", flare="N", length_mm=Decimal(9), width_mm=Decimal(7), size_method="CALIPER",
        )  # fmt: skip
        found.append(NewLesion(lesion, seen))
    save_visit(entry=VisitEntry(visit=visit, new_lesions=found), by=UserFactory(), now=timezone.now())
    return visit


class LesionFactory(DjangoModelFactory):
    """A single deposit in the pulp of the right thumb, recorded at no visit."""

    class Meta:
        model = Lesion

    patient = factory.SubFactory(PatientFactory)
    number = factory.LazyAttribute(lambda one: Lesion.objects.next_number(one.patient))
    site = "HAND.D1.PULP"
    laterality = "R"
    diagnostic_basis = ("EXAM",)
    first_recorded = datetime.date(2026, 1, 12)


class LesionObservationFactory(DjangoModelFactory):
    """``lesion`` unchanged at a visit of its patient."""

    class Meta:
        model = LesionObservation

    lesion = factory.SubFactory(LesionFactory)
    patient = factory.SelfAttribute("lesion.patient")
    visit = factory.SubFactory(VisitFactory, patient=factory.SelfAttribute("..patient"))
    status_change = "STABLE"


class DataQueryFactory(DjangoModelFactory):
    """A question a person asked about a visit."""

    class Meta:
        model = DataQuery

    clinic = factory.SubFactory(ClinicFactory)
    model = "patients.visit"
    message = "Is it right?"


class TreatmentCourseFactory(DjangoModelFactory):
    class Meta:
        model = TreatmentCourse

    patient = factory.SubFactory(PatientFactory)
    agent = "DILTIAZEM"
    route = "ORAL"
    start = PartialDate(2025, 3)
    ongoing = "Y"


class ImagingStudyFactory(DjangoModelFactory):
    class Meta:
        model = ImagingStudy

    patient = factory.SubFactory(PatientFactory)
    modality = "DX"
    study_date = PartialDate(2026, 5, 12)
    body_region = "HAND"


def a_reading(study: ImagingStudy, rater: User | None = None, sites: dict[str, Any] | None = None) -> HandScore:
    """A whole reading: every site 0 but those of ``sites``: {"R-D1.DIST": (coverage, density)}, None: not scorable."""
    sites = sites or {}
    ratings = []
    for hand, site in sorted(instrument().keys):
        told = sites.get(f"{hand}-{site}", (0, 0))
        ratings.append(SiteRating(hand, site, scorable=False) if told is None else SiteRating(hand, site, *told))
    reading = HandScore(patient=study.patient, study=study, rater=rater or UserFactory(), rater_role="RHEUMATOLOGIST")
    return save_reading(reading=reading, ratings=ratings, now=timezone.now())


def a_second_reading(study: ImagingStudy) -> SecondReading:
    """Asked of any clinician, beside a first reading by somebody else; nobody took it yet."""
    return ask(study=study, reader=None, by=a_reading(study).rater, now=timezone.now())


class ImagingFileFactory(DjangoModelFactory):
    """The row of a file; its bytes are not stored."""

    class Meta:
        model = ImagingFile

    study = factory.SubFactory(ImagingStudyFactory)
    name = "hand.png"
    kind_of_file = "PHOTO"
    media_type = "image/png"
    sha256 = factory.Sequence("{:064x}".format)
    size = 1000
    width = 40
    height = 30


class ImagingMeasureFactory(DjangoModelFactory):
    """A length on a study, typed and not drawn."""

    class Meta:
        model = ImagingMeasure

    study = factory.SubFactory(ImagingStudyFactory)
    patient = factory.SelfAttribute("study.patient")
    measured = "LENGTH"
    value = Decimal("12.5")


class ResearchProjectFactory(DjangoModelFactory):
    """Approved and in force; its clinics and members are added with ``project_of``."""

    class Meta:
        model = ResearchProject

    title = factory.Sequence("Project {}".format)
    purpose = "How often calcinosis ulcerates."
    ethics_reference = "EC 2026/1"
    valid_from = factory.LazyFunction(lambda: timezone.localdate() - datetime.timedelta(days=30))
    valid_until = factory.LazyFunction(lambda: timezone.localdate() + datetime.timedelta(days=300))
    requested_by = factory.SubFactory(UserFactory)
    approved_by = factory.SubFactory(UserFactory)
    approved_at = factory.LazyFunction(timezone.now)


def project_of(member: User, clinic: Clinic) -> ResearchProject:
    """A project in force of one member on the patients of one clinic."""
    project = ResearchProjectFactory(requested_by=member)
    ProjectMember.objects.create(project=project, user=member)
    ProjectClinic.objects.create(project=project, clinic=clinic)
    return project


class CohortFactory(DjangoModelFactory):
    class Meta:
        model = Cohort

    name = factory.Sequence("Cohort {}".format)
    owner = factory.SubFactory(UserFactory)


class ExportFactory(DjangoModelFactory):
    """The row of an export of a cohort by its owner; the file itself is not there."""

    class Meta:
        model = Export

    cohort = factory.SubFactory(CohortFactory)
    project = factory.SelfAttribute("cohort.project")
    created_by = factory.SelfAttribute("cohort.owner")
    format = "csv"
    profile = "coded"
    reason = "Table 1"
    sha256 = factory.Sequence("{:064x}".format)
    size = 1000
