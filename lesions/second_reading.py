"""Asking for a second reading, taking it, finishing it or giving it up, and deciding where the two readings differ."""

from __future__ import annotations

import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import ROLES, Permission
from lesions.hand_reading import save_reading, settle
from lesions.hand_score import SiteRating
from lesions.models import Adjudicated, HandScore, ImagingStudy, ReadingKind, SecondReading
from lesions.models.second_reading import SecondReadingQuerySet
from patients.worklist import More, first_of


def may_read(user: Any, study: ImagingStudy) -> bool:
    """A clinician of the clinic reads a second time."""
    return may(user, Permission.EDIT_RECORDS, study.patient.clinic_id) and may(
        user, Permission.SIGN, study.patient.clinic_id
    )


def first_reading(study: ImagingStudy) -> HandScore | None:
    """The earliest complete reading: what a second one stands beside."""
    own = HandScore.objects.filter(study=study, complete=True).exclude(reading_kind=ReadingKind.ADJUDICATION)
    return own.order_by("read_at", "pk").first()


def readers(study: ImagingStudy) -> QuerySet[User]:
    """The clinicians of the clinic who have not read the study yet."""
    roles = [role for role, may_do in ROLES.items() if {Permission.EDIT_RECORDS, Permission.SIGN} <= may_do]
    here = Q(clinic=study.patient.clinic_id) | Q(clinic=None)
    members = Membership.objects.in_force().filter(here, role__in=roles).values("user")
    read = HandScore.objects.filter(study=study, rater__isnull=False).values("rater")
    return User.objects.filter(is_active=True, pk__in=members).exclude(pk__in=read).order_by("name", "pk")


def ask(*, study: ImagingStudy, reader: User | None, by: User, now: datetime.datetime) -> SecondReading:
    """Ask a colleague, or whoever takes it. Raises ValidationError in words."""
    with trail.together():
        ImagingStudy.objects.select_for_update().get(pk=study.pk)
        first = first_reading(study)
        if first is None:
            raise ValidationError(_("A second reading is asked for once the first is complete."))
        asked = SecondReading(study=study, first=first, asked_by=by, asked_at=now)
        if reader is None:
            if SecondReading.objects.to_do().filter(study=study, reader=None).exists():
                raise ValidationError(_("A second reading is asked for already, and nobody took it yet."))
        else:
            _give(asked, reader, now)
        asked.save()
    return asked


def take(*, asked: SecondReading, by: User, now: datetime.datetime) -> SecondReading:
    """From now on the reader sees nobody else's reading of the study. Raises ValidationError in words."""
    with trail.together():
        asked = SecondReading.objects.select_for_update().select_related("study__patient", "first").get(pk=asked.pk)
        if asked.ended_at is not None or asked.reader_id not in (None, by.pk):
            raise ValidationError(_("Somebody else has it by now."))
        if asked.reader_id is None:
            _give(asked, by, now)
            asked.save()
    return asked


def _give(asked: SecondReading, reader: User, now: datetime.datetime) -> None:
    if not may_read(reader, asked.study):
        raise ValidationError(_("The second reader is a clinician of the patient's clinic."))
    if HandScore.objects.filter(study=asked.study_id, rater=reader).exists():
        raise ValidationError(_("Who has read this radiograph already is not its second reader."))
    if SecondReading.objects.to_do().filter(study=asked.study_id, reader=reader).exists():
        raise ValidationError(_("This reader has a second reading of the study already."))
    asked.reader, asked.taken_at = reader, now
    asked.shown_before = last_shown(reader, asked.first)


def last_shown(reader: User, first: HandScore) -> datetime.datetime | None:
    """When this account last opened something of the patient, or took an export with the patient in it, after the first
    reading was saved: its score stood there. Taken from the trail."""
    number = first.patient.registry_number
    exported = Q(action=Action.EXPORT, shown__contains=f'"{number}"')
    events = Event.objects.filter(actor_id=reader.pk, at__gte=first.read_at)
    events = events.annotate(shown=Cast("changes", TextField()))
    newest = events.filter(Q(patient=number) | exported).order_by("-pk").first()
    return newest.at if newest is not None else None


def give_up(*, asked: SecondReading, why: str, by: User, now: datetime.datetime) -> None:
    """The reader sees the other readings again. What was rated so far stays, as a further reading."""
    with trail.together(), trail.because(why):
        asked = SecondReading.objects.select_for_update().get(pk=asked.pk)
        if asked.ended_at is not None:
            raise ValidationError(_("This second reading is over already."))
        asked.ended_at, asked.given_up_why = now, why
        asked.save()
        settle(asked.study)


def finish(*, asked: SecondReading, reading: HandScore, by: User, now: datetime.datetime) -> None:
    """Both readings open to everybody, and neither changes any more. Raises ValidationError while a site is missing."""
    if not reading.complete:
        raise ValidationError(_("Every site is rated, or called not scorable, before the second reading is finished."))
    with trail.together():
        asked.reading, asked.ended_at = reading, now
        asked.save()
        settle(asked.study)


class AdjudicatedMeanwhile(ValidationError):
    """Two decided at the same time: the first one's word stands."""

    def __init__(self) -> None:
        super().__init__(_("It was adjudicated meanwhile."))


def adjudicate(
    *, pair: SecondReading, ratings: list[SiteRating], how: str, why: str, by: User, now: datetime.datetime
) -> HandScore:  # fmt: skip
    """The third act: what is decided for each site becomes the study's score of record. Raises ValidationError."""
    if pair.reading is None:
        raise ValidationError(_("The second reading is not finished."))
    if how not in Adjudicated.values:
        raise ValidationError({"how": _("Say how it was decided.")})
    if not why.strip():
        raise ValidationError({"why": _("Say why it was decided so.")})
    if how == Adjudicated.THIRD_READER and by.pk in (pair.first.rater_id, pair.reading.rater_id):
        raise ValidationError({"how": _("A third reader is neither of the two; both together can agree.")})
    decided = HandScore(
        patient=pair.patient, study=pair.study, rater=by, instrument_version=pair.first.instrument_version,
        reading_kind=ReadingKind.ADJUDICATION, adjudicated_by=how, adjudication_reason=why.strip(),
    )  # fmt: skip
    if {(one.hand, one.site) for one in ratings} != decided.tool.keys:
        raise ValidationError(_("Every site is decided, or called not scorable."))
    with trail.together(), trail.because(why.strip()):
        pair = SecondReading.objects.select_for_update().get(pk=pair.pk)
        if pair.adjudication is not None:
            raise AdjudicatedMeanwhile
        save_reading(reading=decided, ratings=ratings, now=now)
        pair.adjudication = decided
        pair.save()
    return decided


def to_read(user: Any) -> More:
    """For the work list: what this account is to read, and what nobody took yet where it may."""
    rows = to_do_of(user)
    return More(
        *(first_of(rows) if rows.exists() else ([], 0)), id="to-read", title=_("Radiographs to read"),
        hint=_("Second readings: you score without seeing the first."), template="lesions/_work_reading.html",
        url=reverse("lesions:readings"),
    )  # fmt: skip


def to_do_of(user: Any) -> SecondReadingQuerySet:
    rows = SecondReading.objects.visible_to(user, Permission.SIGN).to_do()
    scored = HandScore.objects.filter(study=OuterRef("study"), rater=user.pk)
    mine = Q(reader=user.pk) | (Q(reader=None) & ~Exists(scored))
    return rows.filter(mine).select_related("study__patient", "asked_by").order_by("asked_at", "pk")
