"""Research projects, who is in them, and the cohorts people keep."""

from __future__ import annotations

import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.traced import Traced, TracedQuerySet
from calcinosis_registry.clinics.models import Clinic, new_public_id
from calcinosis_registry.clinics.policy import ScopedQuerySet, grants
from calcinosis_registry.clinics.roles import Permission


class ProjectQuerySet(ScopedQuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """Who approves sees the projects that ask for their clinics; anybody else the projects they are a member of."""
        held = grants(user).get(permission, set())
        if not held:
            return self.none()
        if permission is not Permission.APPROVE_PROJECTS:
            return self.of_member(user)
        if None in held:
            return self.all()
        asked = ProjectClinic.objects.filter(clinic__in=held).values("project")
        return self.filter(pk__in=asked)

    def of_member(self, user: User | AnonymousUser) -> Self:
        mine = ProjectMember.objects.of(user).values("project")
        return self.filter(Q(pk__in=mine) | Q(requested_by_id=user.pk))

    def in_force(self, today: datetime.date) -> Self:
        """Approved, and today lies within its time."""
        return self.filter(approved_at__isnull=False, valid_from__lte=today, valid_until__gte=today)


class ResearchProject(Traced):
    """Why coded rows may leave the register: purpose, ethics, clinics, people, time, and an admin's approval."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    title = models.CharField(_("title"), max_length=160, unique=True)
    purpose = models.TextField(_("purpose"), max_length=2000, help_text=_("What is asked, what the data are used for."))
    ethics_reference = models.CharField(_("ethics reference"), max_length=120)
    valid_from = models.DateField(_("from"), default=timezone.localdate)
    valid_until = models.DateField(_("until"))
    clinics = models.ManyToManyField(Clinic, through="cohorts.ProjectClinic", related_name="+")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="cohorts.ProjectMember", related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    approved_at = models.DateTimeField(_("approved"), null=True, editable=False)
    # Keys of cohorts/columns.py (scope_items); none at all means every item of the codebook, now and later.
    items: Any = models.JSONField(_("items"), null=True, blank=True)
    images = models.BooleanField(_("pictures too"), default=False)
    refused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    refused_at = models.DateTimeField(_("refused"), null=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)
    decided_because = models.CharField(_("reason of the refusal or ending"), max_length=400, blank=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        verbose_name = _("research project")
        constraints = [
            models.CheckConstraint(
                name="project_until_after_from",
                condition=Q(valid_until__gte=F("valid_from")),
                violation_error_message=_("“Until” is before “from”."),
            ),
            models.CheckConstraint(
                name="project_refused_or_approved",
                condition=Q(refused_at__isnull=True) | Q(approved_at__isnull=True),
                violation_error_message=_("A project is approved or refused, not both."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("cohorts:project", args=[self.public_id])

    @property
    def state(self) -> str:
        """requested, refused, planned, in force or over."""
        today = timezone.localdate()
        if self.refused_at is not None:
            return "refused"
        if today > self.valid_until:
            return "over"
        if self.approved_at is None:
            return "requested"
        return "planned" if today < self.valid_from else "in force"

    def lets(self, user: User | AnonymousUser, today: datetime.date) -> bool:
        """Is the project approved, within its time, and the person one of its members?"""
        standing = self.approved_at is not None and self.valid_from <= today <= self.valid_until
        return standing and ProjectMember.objects.of(user, today).filter(project=self).exists()

    @property
    def now_members(self) -> models.QuerySet[ProjectMember]:
        """Who is in it today, by name."""
        found = ProjectMember.objects.standing().filter(project=self)
        return found.select_related("user").order_by("user__name", "pk")


class ProjectClinic(Traced):
    project = models.ForeignKey(ResearchProject, on_delete=models.PROTECT)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("clinic of a project")
        constraints = [models.UniqueConstraint(fields=["project", "clinic"], name="project_clinic_once")]

    def __str__(self) -> str:
        return str(self.clinic)


class MemberQuerySet(TracedQuerySet):
    def standing(self, today: datetime.date | None = None) -> Self:
        """Whose time in the project is not over."""
        return self.filter(Q(until__isnull=True) | Q(until__gte=today or timezone.localdate()))

    def of(self, user: User | AnonymousUser, today: datetime.date | None = None) -> Self:
        return self.standing(today).filter(user_id=user.pk)


class ProjectMember(Traced):
    """Somebody in a project, to its end or ``until`` a day, that day too."""

    project = models.ForeignKey(ResearchProject, on_delete=models.PROTECT)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    until = models.DateField(_("until"), null=True, blank=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member of a project")
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="project_member_once")]

    def __str__(self) -> str:
        return str(self.user)


class CohortQuerySet(ScopedQuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """One's own, and of the projects one is a member of those open to all members or shared with oneself."""
        if not grants(user).get(permission):
            return self.none()
        mine = ProjectMember.objects.of(user).values("project")
        shared = CohortShare.objects.filter(user_id=user.pk).values("cohort")
        told = Q(open_to_members=True) | Q(pk__in=shared)
        return self.filter(Q(owner_id=user.pk) | (Q(project__in=mine) & told))


class Cohort(Traced):
    """A question about patients, kept under a name. ``definition`` is what ``cohorts/builder.py`` understands."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    project = models.ForeignKey(
        ResearchProject,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cohorts",
        verbose_name=_("project"),
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False)
    definition: Any = models.JSONField(_("definition"), default=dict)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    open_to_members = models.BooleanField(_("every member of the project sees it"), default=True, editable=False)

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("cohort")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "project", "name"], name="cohort_name_once_in_project",
                violation_error_message=_("You have a cohort of this name in this project."),
            ),
            models.UniqueConstraint(
                fields=["owner", "name"], condition=Q(project__isnull=True), name="cohort_name_once",
                violation_error_message=_("You have a cohort of this name."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cohorts:cohort", args=[self.public_id])


class CohortShare(Traced):
    """One person who sees a cohort that is not open to every member of its project."""

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("share of a cohort")
        constraints = [models.UniqueConstraint(fields=["cohort", "user"], name="cohort_share_once")]

    def __str__(self) -> str:
        return str(self.user)


class Facts(models.Model):
    """One narrow row per patient that common questions are counted from (facts.py); derived from signed visits.

    A mask has a bit for each code that any of the patient's records has, in the order of the code list; ``codes`` is
    the fingerprint of the lists it was made with. Derived, so not traced: ``manage.py refresh_counts`` makes it again.
    """

    patient = models.OneToOneField("patients.Patient", on_delete=models.CASCADE, primary_key=True, related_name="+")
    counted_in = models.BigIntegerField(null=True, help_text="the clinic; none where research is not consented to")
    codes = models.BigIntegerField(default=0, db_index=True)
    sex = models.BigIntegerField(default=0)
    smoking = models.BigIntegerField(default=0)
    disease = models.BigIntegerField(default=0)
    subset = models.BigIntegerField(default=0)
    basis = models.BigIntegerField(default=0)
    sites = models.BigIntegerField(default=0)
    sites_more = models.BigIntegerField(default=0)
    lesion_kinds = models.BigIntegerField(default=0)
    lesion_statuses = models.BigIntegerField(default=0)
    ulcerated = models.BigIntegerField(default=0)
    infection = models.BigIntegerField(default=0)
    drugs = models.BigIntegerField(default=0)
    drugs_more = models.BigIntegerField(default=0)
    modalities = models.BigIntegerField(default=0)
    complications = models.BigIntegerField(default=0)
    longest_mm = models.FloatField(null=True)
    most_pain = models.FloatField(null=True)
    least_pain = models.FloatField(null=True)
    visits = models.IntegerField(default=0)
    lesions = models.IntegerField(default=0)
    ulcerated_lesions = models.IntegerField(default=0)
    first_visit_on = models.DateField(null=True)
    last_visit_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("counted facts of a patient")
        verbose_name_plural = _("counted facts of patients")

    def __str__(self) -> str:
        return str(self.patient_id)


class Freeze(Traced):
    """A cohort's rows as they were, under a label: ``tables`` tells their columns, FrozenTable holds them."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="freezes")
    project = models.ForeignKey(ResearchProject, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(_("label"), max_length=120)
    definition: Any = models.JSONField(_("definition"))
    in_words = models.TextField(_("in words"))
    all_visits = models.BooleanField(_("with unsigned visits"), default=False)
    as_of = models.CharField(_("values as of"), max_length=40)
    patients = models.PositiveIntegerField(_("patients"))
    tables: Any = models.JSONField(default=list)
    sha256 = models.CharField(_("checksum of the values"), max_length=64)
    version = models.CharField(_("version"), max_length=40)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("frozen"))
    ended_at = models.DateTimeField(_("let go"), null=True, editable=False)

    # What the columns are called is long, and no history: it never changes.
    MAINTAINED = ("tables",)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("frozen cohort")
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "label"], name="freeze_label_once_in_cohort",
                violation_error_message=_("This cohort has a freeze of that label."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.label


class FrozenTable(models.Model):
    """One table of a frozen cohort, as Parquet."""

    freeze = models.ForeignKey(Freeze, on_delete=models.CASCADE, related_name="contents")
    name = models.CharField(max_length=80)
    content = models.BinaryField()

    class Meta:
        verbose_name = _("table of a frozen cohort")
        constraints = [models.UniqueConstraint(fields=["freeze", "name"], name="frozen_table_once")]

    def __str__(self) -> str:
        return self.name


class FrozenPatient(models.Model):
    """Who is in a frozen cohort: asked for consent each time."""

    freeze = models.ForeignKey(Freeze, on_delete=models.CASCADE, related_name="people")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("patient in a frozen cohort")
        constraints = [models.UniqueConstraint(fields=["freeze", "patient"], name="frozen_patient_once")]

    def __str__(self) -> str:
        return str(self.patient_id)
