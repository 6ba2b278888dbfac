"""A valid request for every route that writes, with the account that may send it. A route that is not here says why in
NOT_HERE. Images, their measurements and readings: writes_of_images.py; research: writes_of_research.py.
"""

from __future__ import annotations

import datetime
from typing import Any

from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, TOTP, generate_totp_secret
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic, Invitation, Membership, new_public_id
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.quality.services import answer_query
from calcinosis_registry.records.drafts import Page, Place, keep
from calcinosis_registry.rights.models import Basis
from calcinosis_registry.sealing import FACTORS
from calcinosis_registry.transfers.doubles import merge, side_by_side
from lesions.moving import NEW, plan_move
from patients.models import Patient, Visit
from tests.accounts.test_sign_in import code_now
from tests.factories import (
    PASSWORD,
    DataQueryFactory,
    PatientFactory,
    TransferFactory,
    TreatmentCourseFactory,
    known_lesions,
)
from tests.house_rules.cast import Cast
from tests.lesions.signed_visits import complete_visit, sign, sign_page, unlock_page
from tests.operations.write import Write, own
from tests.operations.writes_of_images import IMAGES
from tests.operations.writes_of_research import RESEARCH
from tests.transfers.conftest import consented


def person(cast: Cast) -> dict[str, Any]:
    return {"person": cast.near[Membership].user_id}


def invitation(cast: Cast) -> dict[str, Any]:
    return {"invitation": cast.near[Invitation].public_id}


def a_course(cast: Cast) -> str:
    course = TreatmentCourseFactory(patient=cast.rows["patient"])
    return reverse("patients:record_delete", args=["treatmentcourse", course.public_id])


def to_sign(cast: Cast) -> str:
    return sign_page(complete_visit(cast.rows["clinic"]))


def to_sign_together(cast: Cast) -> str:
    return f"{reverse('lesions:visits_sign')}?visit={complete_visit(cast.rows['clinic']).public_id}"


def signed(cast: Cast) -> str:
    visit = complete_visit(cast.rows["clinic"])
    assert sign(cast.client, visit).status_code == 302
    return unlock_page(visit)


def of_another(cast: Cast) -> str:
    """A person nobody has asked to erase yet."""
    patient = PatientFactory(clinic=cast.rows["clinic"])
    return reverse("rights:ask_erasure", args=[patient.public_id])


def another_clinic() -> str:
    return Clinic.objects.get(code="SOU").public_id


def to_offer(cast: Cast) -> str:
    return reverse("transfers:offer", args=[PatientFactory(clinic=cast.rows["clinic"]).public_id])


def offered(cast: Cast, what: str) -> str:
    """A person of North with a name, a visit, lesions and a question, offered to South."""
    patient = complete_visit(cast.rows["clinic"]).patient
    consented(patient)
    DataQueryFactory(patient=patient.registry_number, clinic=patient.clinic, object_id=patient.pk)
    transfer = TransferFactory(patient=patient, to_clinic=Clinic.objects.get(code="SOU"))
    return reverse(f"transfers:{what}", args=[transfer.public_id])


def to_merge(cast: Cast) -> str:
    """The same person twice, each with a name, a visit and lesions; the newer one with a question, too."""
    clinic = cast.rows["clinic"]
    record, double = (complete_visit(clinic).patient for _again in range(2))
    for one in (record, double):
        consented(one)
    QuerySet(Visit).filter(patient=double).update(visit_type="FOLLOW_UP")
    DataQueryFactory(patient=double.registry_number, clinic=clinic, object_id=Visit.objects.get(patient=double).pk)
    return reverse("transfers:double_compare", args=[record.public_id, double.public_id])


def _the_two() -> dict[str, Patient]:
    record, double = Patient.objects.order_by("-pk")[:2][::-1]
    return {"record": record, "double": double}


def merged(cast: Cast) -> dict[str, str]:
    shown = side_by_side(**_the_two()).shown
    return {"shown": shown, "reason": "same number", "identity-given_name": "double"}


def merged_already(cast: Cast) -> str:
    to_merge(cast)
    done = merge(
        **_the_two(), choices=merged(cast), shown=merged(cast)["shown"], reason="same number", by=own(cast),
        now=timezone.now(),
    )  # fmt: skip
    return reverse("transfers:double_take_back", args=[done.public_id])


def to_move(cast: Cast) -> str:
    """A visit on the wrong patient, at which a lesion was found."""
    wrong = PatientFactory(clinic=cast.rows["clinic"])
    visit = known_lesions(wrong, timezone.localdate() - datetime.timedelta(days=9), [("HAND.D1.PULP", "R")])
    return reverse("lesions:visit_move", args=[visit.public_id])


def moved(cast: Cast) -> dict[str, Any]:
    plan = plan_move(visit=Visit.objects.latest("pk"), target=cast.rows["patient"])
    chosen = {f"lesion-{one.lesion.pk}": NEW for one in plan.lesions}
    target = plan.target.public_id
    return {"target": target, "shown": plan.shown, "confirm": "1", "reason": "another person's"} | chosen


def answered(cast: Cast) -> None:
    query = DataQuery.objects.get(pk=cast.rows["query"].pk)
    answer_query(query=query, answer="Measured again.", by=User.objects.get(name="Clin"), now=timezone.now())


def typing(cast: Cast) -> dict[str, str]:
    """A new visit as its page keeps it while somebody types."""
    patient = cast.rows["patient"]
    address = reverse("lesions:visit_new", args=[patient.public_id])
    place = Place("visit", address, cast.rows["clinic"].pk, patient.public_id)
    page = Page.new(owner=User.objects.get(name="Clin"), place=place)
    return {"draft": page.signed(), "typed_at": "1", "note": "half a sentence"}


def a_draft(cast: Cast) -> str:
    data = QueryDict(mutable=True)
    data.update(typing(cast))
    draft = keep(page=Page.read(data["draft"]), data=data, now=timezone.now())
    return reverse("records:draft_discard", args=[draft.public_id])


def a_patient(cast: Cast) -> dict[str, Any]:
    return {
        "public_id": new_public_id(), "consent-consented_on": "2026-03-02", "consent-form_version": "v3",
        "consent-given_by": "PERSON", "consent-registry": "on", "consent-research": "on",
        "identity-family_name": "Duarte", "identity-given_name": "Elena", "identity-hospital_number": "K-7701",
        "person-birth_date": "1968-04", "person-sex_at_birth": "F", "disease-primary_ctd": "SSC",
        "disease-ssc_subset": "LCSSC", "disease-aetiology_subtype": "DYSTROPHIC",
        "disease-diagnostic_basis": ["XRAY", "EXAM"], "disease-first_calcinosis": "2014",
        "disease-first_raynaud": "unknown", "disease-first_non_raynaud": "2008-11", "disease-diagnosed_on": "2009",
        "disease-sclerodactyly": "Y", "disease-raynaud": "Y", "antibodies-ACA": "POS", "antibodies-tested_on": "2010",
    }  # fmt: skip


def a_visit(cast: Cast) -> dict[str, Any]:
    return {
        "public_id": new_public_id(), "visit_date": "2026-07-01", "visit_type": "FOLLOW_UP",
        "calcinosis_present": "Y", "pain_nrs": "4", "l1-status_change": "STABLE", "l1-none_of_these": "on",
        "l1-length_mm": "9", "l1-width_mm": "7", "l1-size_method": "CALIPER",
    }  # fmt: skip


def with_an_app(cast: Cast) -> None:
    TOTP.activate(cast.near[Membership].user, generate_totp_secret())


def with_an_own_app(cast: Cast) -> None:
    """The session goes on, as the library has it go on after the person's own change."""
    ended = own(cast).sessions_ended
    TOTP.activate(own(cast), generate_totp_secret())
    QuerySet(User).filter(pk=own(cast).pk).update(sessions_ended=ended)


def opens_the_page(cast: Cast) -> None:
    cast.client.get(reverse("mfa_activate_totp"))


def code_of_a_new_app(cast: Cast) -> dict[str, str]:
    return {"code": code_now(FACTORS.open(cast.client.session[SECRET_SESSION_KEY]))}


def with_a_password(cast: Cast) -> None:
    """Set where it was, so that the session of the cast still fits."""
    person = own(cast)
    hashed = make_password(PASSWORD)
    QuerySet(User).filter(pk=person.pk).update(password=hashed)
    session, person.password = cast.client.session, hashed
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()


def new_password(cast: Cast) -> dict[str, str]:
    fresh = "another battery staple"
    return {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh}


WRITES: dict[str, Write] = {
    "clinics:clinic": Write("coord", lambda cast: {"name": "Changed"}, form=True),
    "clinics:new_clinic": Write("coord", lambda cast: {"name": "New", "code": "NEW"}),
    "clinics:set_open": Write("coord", lambda cast: {"open": "no"}),
    "clinics:invite": Write(
        "admin",
        lambda cast: {"email": "n@example.org", "name": "N", "clinic": cast.rows["clinic"].pk, "role": "monitor"},
    ),
    "clinics:invite_again": Write("admin", invitation),
    "clinics:withdraw": Write("admin", invitation),
    "clinics:end_role": Write("admin", lambda cast: {"membership": cast.near[Membership].pk}),
    "clinics:reset_second_factor": Write("admin", person, before=with_an_app),
    "clinics:end_sessions": Write("admin", person),
    "clinics:set_active": Write("admin", person),
    "clinics:accept": Write("anon", lambda cast: {"name": "New", "password": PASSWORD, "again": PASSWORD}),
    "lesions:visit": Write("clin", lambda cast: a_visit(cast) | {"reason": "read again"}, form=True),
    "lesions:visit_new": Write("clin", a_visit, form=True),
    "lesions:visit_sign": Write("clin", lambda cast: {"meaning": "REVIEWED"}, form=True, before=to_sign),
    "lesions:visits_sign": Write("clin", lambda cast: {"meaning": "REVIEWED"}, form=True, before=to_sign_together),
    "lesions:visit_unlock": Write("clin", lambda cast: {"reason": "The width was read wrong."}, before=signed),
    "lesions:visit_move": Write("clin", moved, before=to_move),
    **IMAGES,
    **RESEARCH,
    "queries:ask": Write("mon", lambda cast: {"message": "Is it right?"}, form=True),
    "queries:answer": Write("clin", lambda cast: {"answer": "Measured again."}),
    "queries:close": Write("mon", lambda cast: {"because": "confirmed by the letter"}),
    "queries:reopen": Write("mon", lambda cast: {"because": "the letter says otherwise"}, before=answered),
    "records:draft_keep": Write("clin", typing),
    "records:draft_discard": Write("clin", lambda cast: {}, before=a_draft),
    "rights:ask_erasure": Write(
        "clin", lambda cast: {"basis": Basis.values[0], "reason": "asked for in writing"}, before=of_another
    ),
    "transfers:offer": Write(
        "clin", lambda cast: {"to": another_clinic(), "reason": "moved house", "agreed": "on"}, before=to_offer
    ),
    "transfers:accept": Write(
        "strng", lambda cast: {"hospital_number": "S-12", "ours": "on"}, before=lambda cast: offered(cast, "accept")
    ),
    "transfers:decline": Write(
        "strng", lambda cast: {"why": "not our patient"}, before=lambda cast: offered(cast, "decline")
    ),
    "transfers:double_compare": Write("clin", merged, before=to_merge),
    "transfers:double_take_back": Write("clin", lambda cast: {"reason": "two sisters"}, before=merged_already),
    "transfers:take_back": Write("clin", lambda cast: {}),
    "rights:confirm": Write("admin", lambda cast: {"number": cast.rows["patient"].registry_number}),
    "rights:withdraw": Write("admin", lambda cast: {}),
    "rights:file": Write("clin", lambda cast: {"reason": "in person"}),
    "patients:register": Write("clin", a_patient),
    "patients:key_list": Write(
        "clin", lambda cast: {"clinic": cast.rows["clinic"].pk, "reason": "to pull the paper records"}
    ),
    "patients:visit_missed": Write(
        "clin", lambda cast: {"visit_date": "2026-07-02", "missed_reason": "ill at home", "version": "0"}
    ),
    "patients:record": Write("clin", lambda cast: {"route": "TOPICAL", "reason": "read again"}, form=True),
    "patients:record_add": Write(
        "clin", lambda cast: {"agent": "COLCHICINE", "route": "ORAL", "start": "2025-04", "ongoing": "Y"}, form=True
    ),
    "admin:lesions_treatmentcourse_change": Write(
        "clin", lambda cast: {"agent": "COLCHICINE", "reason": "misread"}, form=True
    ),
    "account_change_password": Write("clin", new_password, before=with_a_password),
    "mfa_activate_totp": Write("clin", code_of_a_new_app, before=opens_the_page),
    "mfa_deactivate_totp": Write("clin", lambda cast: {}, before=with_an_own_app),
    "mfa_generate_recovery_codes": Write("clin", lambda cast: {}, before=with_an_own_app),
    "patients:record_delete": Write("clin", lambda cast: {"reason": "entered for another person"}, before=a_course),
    "patients:record_put_back": Write("clin", lambda cast: {}),
}

# {route or pattern: why it is not failed here}
NOT_HERE = {
    "clinics:trail_verify": "reads the chain and says whether it holds",
    "account_login": "tried under kill -9; what it writes are the session and one event",
    "account_logout": "the session, and one event",
    "account_inactive": "shows a page",
    "account_reauthenticate": "writes into the session",
    "account_reset_password*": "a link by mail; the new password is written as by account_change_password",
    "mfa_authenticate": "the second step of signing in",
    "mfa_reauthenticate*": "writes into the session",
    "mfa_*_webauthn": "needs an authenticator's answer; the row and its event are those of mfa_activate_totp",
    "mfa_index": "shows a page",
    "mfa_*_recovery_codes": "the same as mfa_generate_recovery_codes, or read only",
    "admin*": "one save() of a record behind one page, which admin:lesions_treatmentcourse_change stands for",
    "lesions:imaging_raster": "makes pictures of a stored file, which can be made again; no row",
    "reports:*_make": "one row of work, asked for of a report of many patients; jobs have tests of their own",
    "cohorts:count": "counts, and writes nothing",
    "letters:letter": "makes a PDF of what is there; that a name was shown is one event of reading",
    "transfers:double_find": "reads; the form is posted so that no name stands in an address",
    "patients:search": "reads; the form is posted so that no name stands in an address",
}
