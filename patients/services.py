"""Changes of state of a patient's records. Keyword-only verbs, atomic, the events in the same transaction."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.whereabouts import clinic_then
from calcinosis_registry.identity.models import Identity
from calcinosis_registry.quality.findings import Finding
from calcinosis_registry.quality.services import close_removed, recheck
from calcinosis_registry.records.models import Record
from patients.models import Antibody, Consent, Diagnosis, Patient, Visit, in_force
from patients.models.consent import RESTING

SCOPES = ("registry", *RESTING)


def next_registry_number(*, clinic: Clinic) -> str:
    """``NOR-00417``: never reused, taken under a lock on the clinic's row."""
    locked = Clinic.objects.select_for_update().get(pk=clinic.pk)
    number = f"{locked.code}-{locked.next_number:05d}"
    locked.next_number += 1
    locked.save()
    return number


def register_patient(
    *, clinic: Clinic, patient: Patient, identity: Identity, consent: Consent, diagnosis: Diagnosis | None, by: User,
    now: datetime.datetime, antibodies: Iterable[Antibody] = (),
) -> Patient:  # fmt: skip
    """Consent, identity, person, disease and antibodies in one transaction.

    Raises ValidationError when consent does not open entry.
    """
    if not consent.registry:
        raise ValidationError(_("Without consent to the registry nothing can be entered."))
    with trail.together():
        patient.clinic = identity.clinic = clinic
        patient.registry_number = identity.registry_number = next_registry_number(clinic=clinic)
        for scope in SCOPES:
            setattr(patient, f"{scope}_consent", getattr(consent, scope))
        patient.save()
        identity.save()
        consent.patient = patient
        consent.save()
        # Before the diagnosis: its criteria count the antibodies.
        for antibody in antibodies:
            antibody.patient = patient
            antibody.save()
        if diagnosis is not None:
            diagnosis.patient = patient
            diagnosis.save()
        after_save(patient=patient, records=[patient, consent, *([diagnosis] if diagnosis else [])], now=now)
    return patient


def given_elsewhere(*, patient: Patient, consent: Consent) -> bool:
    """Was it recorded by a clinic that gave the record away since? Then it opens entry here, and nothing more."""
    recorded = Event.objects.of_record(Consent, consent.pk).filter(action=Action.CREATE).order_by("pk").first()
    if recorded is None:  # it is being saved: its event is written at the end of this transaction
        return False
    return clinic_then(patient.registry_number, recorded.pk) not in (None, patient.clinic_id)


def apply_consents(*, patient: Patient) -> None:
    """Copy the consent in force onto the patient, where lists, entry and exports read it.

    The patient's other answers are not asked again: one needed only today must not stand in the way of a withdrawal.
    """
    consent = in_force(patient.consent_set.all())
    scopes = {f"{scope}_consent": bool(consent and getattr(consent, scope)) for scope in SCOPES}
    if consent is not None and given_elsewhere(patient=patient, consent=consent):
        scopes |= {f"{scope}_consent": False for scope in RESTING}
    if any(getattr(patient, name) != value for name, value in scopes.items()):
        for name, value in scopes.items():
            setattr(patient, name, value)
        patient.version += 1
        Patient.objects.bulk_update([patient], [*scopes, "version"])


# What else follows a saved record: each step is called with patient= and records=. The app above (lesions) adds its
# own in its AppConfig.ready(), because patients never imports lesions.
AFTER_SAVE: list[Callable[..., None]] = []
# What looks wrong only beside other records: each is called with patient= and records=, returns {record: findings}.
FINDERS: list[Callable[..., dict[Any, list[Finding]]]] = []


def after_save(*, patient: Patient, records: Iterable[Record], now: datetime.datetime) -> None:
    """Queries, consents, criteria and summary follow the saved records, in the same transaction."""
    records = list(records)
    with trail.together():
        for one in records:
            if (check_links := getattr(one, "check_links", None)) is not None:
                check_links(one.lesions.all())  # type: ignore[attr-defined]  # they are saved after the row
        if any(isinstance(one, Consent) for one in records):
            apply_consents(patient=patient)
            # What a visit, or an older consent, finds about consent is answered by this one.
            records = [one for one in records if not isinstance(one, Consent)]
            records += Consent.objects.filter(patient=patient).select_related("patient")
            records += Visit.objects.filter(patient=patient).select_related("patient")
        if any(isinstance(one, Antibody) for one in records):
            rescore(patient=patient)
        recheck_records(patient=patient, records=records, now=now)
        for step in AFTER_SAVE:
            step(patient=patient, records=records)


def rescore(*, patient: Patient) -> None:
    """The criteria of the diagnosis count the antibodies as they now are. Its answers are not asked again: one that is
    needed today and was not when they were given would refuse the antibody."""
    for diagnosis in Diagnosis.objects.filter(patient=patient):
        diagnosis.score()
        diagnosis.version += 1
        Diagnosis.objects.bulk_update([diagnosis], ["acr_eular_min", "acr_eular_max", "version"])


def recheck_records(
    *,
    patient: Patient,
    records: Iterable[Record],
    now: datetime.datetime,
    known: Mapping[Callable[..., Any], dict[Any, list[Finding]]] = MappingProxyType({}),
) -> list[Any]:
    """Run the records' own findings once; they become data queries. Returns the queries open for these records.

    ``known``: {finder: what it would find}, where the caller has that already.
    """
    records = list(records)
    findings: dict[Any, list[Finding]] = {record: list(record.findings()) for record in records}
    others = [
        known[finder] if finder in known else finder(patient=patient, records=records) for finder in FINDERS
    ]  # fmt: skip
    for found in others:
        for record, more in found.items():
            findings.setdefault(record, []).extend(more)
    return recheck(
        list(findings), findings=findings, clinic_id=patient.clinic_id, patient=patient.registry_number, now=now
    )


def removal_problem(record: Any) -> str:
    """Why a record cannot be removed, in words; "" when it can. Its parts (links to lesions, ratings) go with it."""
    if record.visit_id and record.visit.is_locked:
        return _("The visit is signed: unlock it first. Nothing was removed.")
    if reason := record.why_it_stays():
        return f"{reason} {_('Nothing was removed.')}"
    # Also relations without a name: SET_NULL would empty another record's field, signed or not, without an event.
    for relation in record._meta.get_fields(include_hidden=True):
        if not relation.one_to_many or relation.on_delete is models.CASCADE:
            continue
        if relation.related_model._base_manager.filter(**{relation.field.name: record}).exists():
            return _("Other entries refer to this one (%(what)s). Nothing was removed.") % {
                "what": relation.related_model._meta.verbose_name_plural
            }
    return ""


def remove_record(*, record: Any, by: User, now: datetime.datetime, reason: str) -> None:
    """Remove a record entered in error: its values stay in the trail, its questions close, what counted it follows.

    Raises ValidationError, in words, when it cannot be removed.
    """
    if problem := removal_problem(record):
        raise ValidationError(problem)
    patient, kind = record.patient, type(record)
    with trail.together(), trail.because(reason):
        close_removed(record, because=_("Record removed."), now=now)
        record.delete()
        if kind is Antibody:
            rescore(patient=patient)
        # Of two results of one day only one is left; the sizes after a removed one have another one before them.
        beside = kind._default_manager.filter(patient=patient).select_related("patient", "visit")
        recheck_records(patient=patient, records=beside, now=now)
        for step in AFTER_SAVE:
            step(patient=patient, records=[])
