"""Take a removal back: the values the trail kept of a record entered in error become the record again."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, models
from django.utils.translation import gettext as _

from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from patients.kinds import kinds
from patients.models import Patient
from patients.services import after_save

FOR = datetime.timedelta(days=30)
# What nobody removes; lesions begin and end by the acts of the visit page.
UNDELETABLE = frozenset({"patient", "consent", "lesion"})


def removed_kind(event: Event) -> type[models.Model] | None:
    """The kind of record this event removed, where it can still be put back by its age and kind."""
    if event.action != Action.DELETE or event.is_blanked:
        return None
    for kind, model in kinds().items():
        if model._meta.label_lower == event.model and kind not in UNDELETABLE:
            return model
    return None


def may_be_put_back(event: Event, *, now: datetime.datetime) -> bool:
    return removed_kind(event) is not None and now - event.at <= FOR


def name_of(event: Event) -> str:
    """What the removed record called itself: the drug, the joint."""
    model = removed_kind(event)
    try:
        return str(_as_it_was(model, event)) if model else ""
    except ObjectDoesNotExist:  # what it belonged to is gone, too
        return ""


def removal(number: int) -> Event | None:
    """The event of this number, where it removed a record."""
    return Event.objects.filter(pk=number, action=Action.DELETE).first()


def put_back(*, event: Event, patient: Patient, now: datetime.datetime) -> Any:
    """The record as it was when it was removed, under its old key, with its links and parts. One transaction.

    Raises ValidationError, in words, where a rule or what happened since stands against it.
    """
    model = removed_kind(event)
    if model is None or now - event.at > FOR:
        raise ValidationError(_("It was removed more than %(n)s days ago. Nothing was put back.") % {"n": FOR.days})
    reason = _("Removal of %(day)s taken back") % {"day": f"{event.at:%Y-%m-%d %H:%M}"}
    try:
        with trail.together(), trail.because(reason):
            return _put_back(model, event, patient, now)
    except IntegrityError as error:
        message = _("It was recorded anew meanwhile, or what it belonged to is gone. Nothing was put back.")
        raise ValidationError(message) from error


def _put_back(model: type[models.Model], event: Event, patient: Patient, now: datetime.datetime) -> Any:
    # Two windows, or two people: the second one waits here and finds it back.
    Patient.objects.select_for_update().get(pk=patient.pk)
    if model._default_manager.filter(pk=event.object_id).exists():
        raise ValidationError(_("It is back already."))
    if Event.objects.of_record(model, event.object_id or 0).filter(pk__gt=event.pk).exists():
        raise ValidationError(_("It was put back and removed again since: put the later removal back."))
    record: Any = _as_it_was(model, event)
    record.save(force_insert=True)
    for part in _parts(model, event):
        part.full_clean(validate_unique=False)
        part.save(force_insert=True)
    after_save(patient=patient, records=[record], now=now)
    return record


def _as_it_was(model: type[models.Model], event: Event) -> models.Model:
    """Unsaved, from what the trail tells: {field: [value, None]}. Bookkeeping and counted columns are made anew."""
    one = model(pk=event.object_id)
    for name, (value, _nothing) in event.changes.items():
        field = model._meta.get_field(name)
        target = getattr(field, "target_field", field)
        setattr(one, field.attname, target.to_python(value))  # type: ignore[union-attr]
    return one


def _parts(model: type[models.Model], event: Event) -> Iterator[models.Model]:
    """The rows that went with the record, in the same request: links to lesions, ratings of a score."""
    for relation in model._meta.get_fields():
        if not relation.one_to_many or relation.on_delete is not models.CASCADE:  # type: ignore[union-attr]
            continue
        part, key = relation.related_model, relation.field.name  # type: ignore[union-attr]
        same_request = Event.objects.of_patient(event.patient).filter(
            model=part._meta.label_lower, action=Action.DELETE, request_id=event.request_id  # type: ignore[union-attr]
        )  # fmt: skip
        for told in same_request.order_by("pk"):
            if told.request_id and told.changes.get(key, [None])[0] == event.object_id:
                yield _as_it_was(part, told)  # type: ignore[arg-type]
