"""A piece of work somebody waits for."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import new_public_id
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting for the worker")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Not done")
    CANCELLED = "cancelled", _("Cancelled")


OVER = frozenset({State.DONE, State.FAILED, State.CANCELLED})


class JobQuerySet(models.QuerySet):
    def visible_to(self, user: User | AnonymousUser, permission: Permission) -> Self:
        """One's own."""
        return self.filter(owner_id=user.pk) if grants(user).get(permission) else self.none()


class Job(models.Model):
    """``arguments`` are plain values for the handler of ``kind``; ``heartbeat_at``: the worker still lives."""

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(max_length=32)
    title = models.CharField(_("what"), max_length=200)
    arguments: Any = models.JSONField(default=dict)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.WAITING, db_index=True)
    doing = models.CharField(max_length=80, blank=True)
    done = models.PositiveIntegerField(default=0)
    of = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    problem = models.TextField(_("why not"), blank=True)
    result = models.CharField(max_length=200, blank=True)  # an address
    created_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("job")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("jobs:job", args=[self.public_id])

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def percent(self) -> int:
        return 100 * self.done // self.of if self.of else 0
