"""Who may do what: the whole access table, on one screen."""

from __future__ import annotations

import enum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    CLINICIAN = "clinician", _("Clinician")
    ASSISTANT = "assistant", _("Assistant")
    MONITOR = "monitor", _("Monitor")
    RESEARCHER = "researcher", _("Researcher")
    ADMIN = "admin", _("Admin")


class Permission(enum.StrEnum):
    VIEW_RECORDS = "view_records"  # patients, visits, lesions, images of the clinic
    EDIT_RECORDS = "edit_records"
    SIGN = "sign"  # sign a visit; unlock one
    RAISE_QUERIES = "raise_queries"
    SEE_IDENTITY = "see_identity"  # names and hospital numbers; each reading is an event
    CLINIC_REPORTS = "clinic_reports"  # exact figures of the own clinic
    COUNT_COHORTS = "count_cohorts"  # protected counts and reports
    EXPORT_DATASETS = "export_datasets"  # coded rows, inside an approved research project
    APPROVE_PROJECTS = "approve_projects"
    MANAGE_ACCOUNTS = "manage_accounts"  # invitations, roles, clinics
    VIEW_TRAIL = "view_trail"  # which field changed, by whom; not its values
    ANSWER_PERSON = "answer_person"  # give a person everything about them; ask for their erasure
    CONFIRM_ERASURE = "confirm_erasure"  # as the second of two people
    MOVE_PATIENTS = "move_patients"  # offer a patient's record to another clinic; take one over


P = Permission

ROLES: dict[str, frozenset[Permission]] = {
    Role.CLINICIAN: frozenset(
        {P.VIEW_RECORDS, P.EDIT_RECORDS, P.SIGN, P.RAISE_QUERIES, P.SEE_IDENTITY, P.CLINIC_REPORTS, P.COUNT_COHORTS}
        | {P.ANSWER_PERSON, P.CONFIRM_ERASURE, P.MOVE_PATIENTS}
    ),
    Role.ASSISTANT: frozenset({P.VIEW_RECORDS, P.EDIT_RECORDS, P.SEE_IDENTITY, P.CLINIC_REPORTS}),
    Role.MONITOR: frozenset({P.VIEW_RECORDS, P.RAISE_QUERIES, P.CLINIC_REPORTS}),
    Role.RESEARCHER: frozenset({P.COUNT_COHORTS, P.EXPORT_DATASETS}),
    Role.ADMIN: frozenset({P.APPROVE_PROJECTS, P.MANAGE_ACCOUNTS, P.VIEW_TRAIL, P.CONFIRM_ERASURE}),
}
