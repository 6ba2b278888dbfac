"""Complete → signed: who may sign is the view's matter, what can be signed is decided here.

A signature covers the visit and everything entered at it (signed_content.py). From then on the visit is locked in the
models; the way back is unlocking.py.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import roles_in
from calcinosis_registry.quality.models import DataQuery, QueryStatus
from lesions.missing import Missing, missing_at
from lesions.models import LesionObservation
from lesions.patient_file import kinds_at
from lesions.services import summarise
from lesions.signed_content import SERIALISATION, Content, Difference, canonical, contents_of, differences
from lesions.visit_rows import patient_rows
from patients.models import Meaning, Signature, Visit, VisitState


@dataclass
class Candidate:
    """A visit somebody wants to sign: what the signature would cover, and why it cannot be given yet."""

    visit: Visit
    content: Content
    missing: dict[str, list[Missing]] = field(default_factory=dict)
    queries: list[DataQuery] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """Names the content a person was shown, so that nothing else is signed."""
        return hashlib.sha256(canonical(self.content)).hexdigest()


def candidates(visits: Sequence[Visit]) -> list[Candidate]:
    """These visits (their patients loaded), each with what stands in the way of signing it."""
    contents = contents_of([visit.pk for visit in visits])
    numbers = {visit.patient.registry_number for visit in visits}
    asked = DataQuery.objects.filter(patient__in=numbers, status=QueryStatus.OPEN).order_by("opened_at")
    at = {key: pk for pk, content in contents.items() for key in content}
    questions: dict[int, list[DataQuery]] = {visit.pk: [] for visit in visits}
    for query in asked:
        if (pk := at.get(f"{query.model}:{query.object_id}")) is not None:
            questions[pk].append(query)
    return [_candidate(visit, contents[visit.pk], questions[visit.pk]) for visit in visits]


def _candidate(visit: Visit, content: Content, queries: list[DataQuery]) -> Candidate:
    rows = [
        (lesion, current or LesionObservation(lesion=lesion, visit=visit, patient=visit.patient))
        for lesion, current, _previous, _measured in patient_rows(visit.patient, visit)
    ]
    found = Candidate(visit, content, missing_at(visit, rows), queries)
    if visit.state == VisitState.SIGNED:
        found.reasons.append(_("It is signed already."))
    elif visit.state != VisitState.COMPLETE:
        found.reasons.append(_("It is not complete."))
    if found.missing:
        found.reasons.append(_("Required answers are missing."))
    if queries:
        message = ngettext("%(n)s question is not answered.", "%(n)s questions are not answered.", len(queries))
        found.reasons.append(message % {"n": len(queries)})
    if not visit.patient.registry_consent:
        found.reasons.append(_("No consent to the registry is in force."))
    return found


def sign_visits(
    *, visits: Sequence[Visit], shown: Mapping[str, str], meaning: str, by: User, now: datetime.datetime
) -> list[Signature]:
    """Each visit gets its own signature, or none does. The caller has locked the rows.

    ``shown``: {public id: :attr:`Candidate.shown` of the page}. Raises ValidationError naming each visit that cannot
    be signed.
    """
    if meaning not in Meaning.values:
        raise ValidationError(_("Say what your signature means."))
    with trail.together():
        found = candidates(visits)
        problems = []
        for one in found:
            if not one.reasons and shown.get(one.visit.public_id) != one.shown:
                one.reasons.append(_("It was changed after you opened this page: look at it again."))
            problems += [f"{_named(one.visit)}: {reason}" for reason in one.reasons]
        if problems:
            raise ValidationError(problems)
        given = [_sign(one, meaning, by, now) for one in found]
        summarise(patients=list({visit.patient_id: visit.patient for visit in visits}.values()))
    return given


def _named(visit: Visit) -> str:
    return f"{visit.patient.registry_number}, {visit.visit_date}"


def _sign(one: Candidate, meaning: str, by: User, now: datetime.datetime) -> Signature:
    signature = signature_of(one.visit, one.content, meaning=meaning, by=by, now=now)
    signature.save()
    move(one.visit, VisitState.SIGNED, by, now)
    return signature


def signature_of(visit: Visit, content: Content, *, meaning: str, by: User, now: datetime.datetime) -> Signature:
    """An unsaved signature, sealed."""
    clinic = visit.patient.clinic
    signature = Signature(
        visit=visit, signer=by, signer_name=str(by)[:200], signer_role=roles_in(by, clinic.pk)[:200],
        clinic_name=str(clinic.name)[:200], meaning=meaning, signed_at=now, serialisation=SERIALISATION,
    )  # fmt: skip
    signature.write(canonical(content))
    return signature


def move(visit: Visit, state: str, by: User | None, at: datetime.datetime | None) -> None:
    """Past clean(), which refuses every change of a signed visit; with its event."""
    visit.state, visit.signed_by, visit.signed_at = state, by, at
    visit.version += 1
    Visit.objects.bulk_update([visit], ["state", "signed_by", "signed_at", "version"])


@dataclass(frozen=True)
class Checked:
    """What became of a signed visit since it was signed."""

    visit: Visit
    signature: Signature | None
    problem: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.problem and not self.differences


def check_visit(visit: Visit) -> Checked:
    """One signed visit, in the few queries its page can afford."""
    signature = Signature.objects.standing().filter(visit=visit).first()
    return _checked(visit, signature, contents_of([visit.pk], kinds_at(visit))[visit.pk])


def check_visits(visits: Sequence[Visit]) -> list[Checked]:
    """Those of these visits that are signed, or carry a standing signature."""
    standing = Signature.objects.standing().filter(visit__in=visits)
    by_visit = {one.visit_id: one for one in standing}
    chosen = [one for one in visits if one.state == VisitState.SIGNED or one.pk in by_visit]
    contents = contents_of([one.pk for one in chosen])
    return [_checked(one, by_visit.get(one.pk), contents[one.pk]) for one in chosen]


def _checked(visit: Visit, signature: Signature | None, now: Content) -> Checked:
    if signature is None:
        return Checked(visit, None, _("The visit says it is signed, and there is no signature."))
    signature.visit = visit
    if not signature.is_genuine:
        return Checked(visit, signature, _("The signature itself was altered."))
    if visit.state != VisitState.SIGNED:
        return Checked(visit, signature, _("The signature stands, and the visit does not say that it is signed."))
    if (visit.signed_by_id, visit.signed_at) != (signature.signer_id, signature.signed_at):
        return Checked(visit, signature, _("The visit names another signer or time than the signature."))
    if not signature.digest:  # from before content was sealed
        return Checked(visit, signature)
    return Checked(visit, signature, differences=tuple(differences(signature, now)))
