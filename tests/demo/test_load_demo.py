"""load_demo: an invented register that keeps every rule of a real one, and never touches a real one."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Clinic, Membership
from calcinosis_registry.clinics.roles import Permission, Role
from calcinosis_registry.codebook.items import item_fields
from calcinosis_registry.cohorts.models import Cohort, ResearchProject
from calcinosis_registry.demo import loader
from calcinosis_registry.demo.models import DemoRegister
from calcinosis_registry.demo.staff import PASSWORD
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.models import Record, record_kinds
from lesions import storage
from lesions.models import ImagingFile, ImagingStudy, Lesion, LesionObservation, SecondReading
from lesions.models.imaging import XRAY
from lesions.services import summarise
from patients.models import Diagnosis, Patient, Summary, Visit, VisitState, in_force

UNTIL = datetime.date(2026, 6, 30)
N = 60


@pytest.fixture(scope="class")
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="class")
def register(django_db_setup: None, django_db_blocker: Any, files: Any) -> Any:
    """Loaded once; every test of the class reads it inside one transaction that is rolled back at the end."""
    from django.db import transaction
    from django.test import override_settings

    with django_db_blocker.unblock(), override_settings(DEMO=True, FILES_DIR=files):
        rollback = transaction.atomic()
        rollback.__enter__()
        loader.load(patients=N, clinics=2, seed=1, until=UNTIL)
        yield
        transaction.set_rollback(True)
        rollback.__exit__(None, None, None)


def digest() -> Counter:
    """Every row of every table of the story, without keys."""
    found: Counter = Counter()
    for kind in loader.ORDER:
        model = apps.get_model(kind)
        names = [field.name for field in model._meta.concrete_fields if not field.is_relation and not field.primary_key]
        if names:
            found.update((kind, *map(str, row)) for row in model._default_manager.values_list(*names))
        else:  # a link holds keys alone, and PostgreSQL never gives a key twice
            found[(kind,)] = model._default_manager.count()
    return found


class TestARegister:
    # Marked django_db too: a run of this class alone would otherwise find the register of the machine itself.
    pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]

    def test_every_kind_of_record_is_there(self):
        empty = [model._meta.label for model in record_kinds(Record) if not model._default_manager.exists()]
        assert empty == []

    def test_every_question_of_the_codebook_has_an_answer_somewhere(self):
        unanswered = [
            f"{model.__name__}.{field.name}"
            for model in record_kinds(Record)
            for field in item_fields(model)
            if not any(_answered(value) for value in model._default_manager.values_list(field.name, flat=True))
        ]
        assert sorted(unanswered) == sorted(NEVER_ANSWERED)

    @pytest.mark.parametrize("kind", loader.ORDER)
    def test_every_row_keeps_the_rules_and_checking_it_changes_nothing(self, kind):
        model = apps.get_model(kind)
        wrong = []
        for row in model._default_manager.select_related(*_owners(model)):
            patient = getattr(row, "patient", None)
            if patient is not None:
                patient.registry_consent = True  # as it was when the row was entered
            row.verify() if isinstance(row, Record) else row.clean_fields()
            changed = set(row.changed_fields()) - {"registry_consent"}
            wrong += [(row.pk, name) for name in changed]
        assert wrong == []

    def test_the_maintained_columns_are_what_their_rules_make_of_the_rows(self):
        before = {row["patient_id"]: row for row in Summary.objects.values()}
        summarise(patients=list(Patient.objects.all()))
        after = {row["patient_id"]: row for row in Summary.objects.values()}
        assert all(row.pop("facts_stale") for row in after.values())
        assert not any(row.pop("facts_stale") for row in before.values())
        assert after == before
        for lesion in Lesion.objects.prefetch_related("observations__visit"):
            lesion.settle(sorted(lesion.observations.all(), key=lambda one: one.visit.visit_date))
            assert lesion.changed_fields() == {}

    def test_the_consents_in_force_stand_on_the_patient(self):
        for patient in Patient.objects.prefetch_related("consent_set"):
            consent = in_force(patient.consent_set.all())
            assert patient.registry_consent == bool(consent and consent.registry)
            assert patient.research_consent == bool(consent and consent.research)

    def test_signed_visits_lack_nothing_and_open_ones_do(self):
        closed = Visit.objects.filter(state__in=[VisitState.SIGNED, VisitState.COMPLETE])
        assert [visit.pk for visit in closed if visit.missing()] == []
        seen = LesionObservation.objects.filter(visit__in=closed).select_related("lesion")
        assert [one.pk for one in seen if one.missing()] == []
        assert all(visit.missing() for visit in Visit.objects.filter(state=VisitState.OPEN))
        assert not closed.filter(state=VisitState.SIGNED, signed_by=None).exists()

    def test_each_row_has_its_event_and_each_signature_too(self):
        told = Counter(Event.objects.filter(action=Action.CREATE).values_list("model", flat=True))
        for kind in loader.ORDER:
            assert told[kind] == apps.get_model(kind)._default_manager.count()
        assert set(Event.objects.values_list("actor_name", flat=True)) == {"demo"}
        signed = Event.objects.filter(action=Action.SIGN).count()
        assert signed == Visit.objects.filter(state=VisitState.SIGNED).count() > 0

    def test_registry_numbers_go_on_where_the_demo_stops(self):
        north = Clinic.objects.get(code="NOR")
        assert (
            Patient.objects.filter(clinic=north).order_by("-registry_number")[0].registry_number == f"NOR-{N // 2:05d}"
        )
        assert north.next_number == N // 2 + 1

    def test_names_are_found_without_their_accents(self):
        for one in Identity.objects.all():
            assert Identity.objects.called(one.family_name).filter(pk=one.pk).exists()

    def test_some_questions_are_open(self):
        assert DataQuery.objects.open().exists()
        assert DataQuery.objects.exclude(rule="").exists()

    def test_pictures_are_kept_only_with_consent_and_their_bytes_are_there(self, files):
        kept = ImagingFile.objects.select_related("study__patient")
        assert kept
        for file in kept:
            assert file.study.patient.images_consent
            assert storage.path_of(file.sha256, files).stat().st_size == file.size
            assert storage.path_of(file.sha256, files, "thumbnail").exists()

    def test_the_work_list_has_due_and_overdue_patients(self):
        assert Patient.objects.due(UNTIL).exists()
        assert Patient.objects.overdue(UNTIL).exists()

    def test_the_accounts_sign_in_to_their_clinics(self):
        for name, code in (("clinician.a", "NOR"), ("clinician.b", "SOU")):
            user = User.objects.get(email=f"{name}@example.org")
            assert user.check_password(PASSWORD)
            seen = Patient.objects.visible_to(user, Permission.EDIT_RECORDS)
            assert set(seen.values_list("clinic__code", flat=True)) == {code}
        assert Membership.objects.filter(user__email="researcher@example.org", role=Role.RESEARCHER).count() == 2
        admin = Membership.objects.get(user__email="admin@example.org")
        assert (admin.role, admin.clinic) == (Role.ADMIN, None)

    def test_the_researcher_has_a_project_and_the_cohort_of_everyone(self):
        cohort = Cohort.objects.get(name="everyone")
        project = ResearchProject.objects.get(title="Demonstration project")
        assert cohort.project == project
        assert project.lets(User.objects.get(email="researcher@example.org"), UNTIL)
        assert cohort.definition["conditions"] == []

    def test_most_have_systemic_sclerosis(self):
        assert Diagnosis.objects.filter(primary_ctd="SSC").count() > N / 2


def _owners(model: type[models.Model]) -> list[str]:
    wanted = {"patient", "visit", "lesion", "study", "score", "clinic"}
    return [field.name for field in model._meta.concrete_fields if field.is_relation and field.name in wanted]


def _answered(value: Any) -> bool:
    return value not in (None, "", (), [], {})


# CTCAE terms are licensed; a drawn film says itself that no name is in it, and needs nobody's word; the others come
# with a real DICOM file only.
NEVER_ANSWERED = [
    "AdverseEvent.ctcae_term",
    "ImagingFile.cleared_at",
    "ImagingFile.cleared_sha256",
    "ImagingFile.original_sha256",
]


@pytest.mark.django_db
class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _demo(self, settings, tmp_path):
        settings.DEMO, settings.FILES_DIR = True, tmp_path

    def load(self, **options: Any) -> None:
        call_command("load_demo", **{"patients": 4, "seed": 5, "until": UNTIL, **options})

    def test_the_same_seed_makes_the_same_register(self, django_db_blocker):
        from django.db import transaction

        def made(seed: int) -> Counter:
            with transaction.atomic():
                self.load(seed=seed)
                found = digest()
                transaction.set_rollback(True)
            return found

        first, again, other = made(5), made(5), made(6)
        assert first == again
        assert first != other

    def test_nobody_is_read_a_second_time_once_the_consent_is_withdrawn(self, monkeypatch):
        """Of the radiographs read once, and of those read by nobody yet, the first are of people who withdrew."""
        read_twice, withdrawn = loader.read_twice, []

        def after_withdrawals(*args: Any, **kwargs: Any) -> None:
            films = ImagingStudy.objects.filter(modality__in=XRAY, body_region="HAND").order_by("pk")
            once, never = films.filter(scores__complete=True), films.filter(scores__isnull=True)
            withdrawn.extend(one.first().patient_id for one in (once, never))
            models.QuerySet(Patient).filter(pk__in=withdrawn).update(registry_consent=False)
            read_twice(*args, **kwargs)

        monkeypatch.setattr(loader, "read_twice", after_withdrawals)
        loader.load(patients=20, clinics=2, seed=5, until=UNTIL)
        read = set(SecondReading.objects.values_list("study__patient", flat=True))
        assert read and not read & set(withdrawn)

    def test_patients_are_spread_over_the_clinics(self):
        self.load(patients=6, clinics=3)
        assert Counter(Patient.objects.values_list("clinic__code", flat=True)) == {"NOR": 2, "SOU": 2, "EAS": 2}

    def test_a_register_with_real_patients_is_refused_and_left_alone(self, north):
        patient = Patient(clinic=north, registry_number="NOR-00001", birth_date="1970", sex_at_birth="F")
        patient.save()
        with pytest.raises(CommandError, match="not invented"):
            self.load()
        assert list(Patient.objects.all()) == [patient]
        assert not DemoRegister.objects.exists()

    def test_a_loaded_register_says_so_and_with_if_empty_stays_as_it_is(self):
        self.load(patients=2)
        with pytest.raises(CommandError, match="already"):
            self.load(patients=2)
        self.load(patients=9, if_empty=True)
        assert Patient.objects.count() == 2

    def test_without_the_demo_switch_nothing_is_loaded(self, settings):
        settings.DEMO = False
        with pytest.raises(CommandError, match="REGISTRY_DEMO"):
            self.load()
        assert not User.objects.exists()

    @pytest.mark.parametrize("options", [{"patients": 0}, {"clinics": 1}])
    def test_too_few_is_refused(self, options):
        with pytest.raises(CommandError, match="At least"):
            self.load(**options)
