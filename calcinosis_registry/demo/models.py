"""The mark of an invented register: where it stands, no patient is real."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DemoRegister(models.Model):
    """One row, written by load_demo. Without it a register with patients counts as real."""

    seed = models.BigIntegerField(_("seed"))
    patients = models.PositiveIntegerField(_("patients"))
    clinics = models.PositiveIntegerField(_("clinics"))
    until = models.DateField(_("told until"))
    made_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("demo register")
        verbose_name_plural = _("demo registers")

    def __str__(self) -> str:
        return f"{self.patients} patients, {self.clinics} clinics, seed {self.seed}"
