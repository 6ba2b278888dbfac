"""Complete → sign → unlock, as a person does it; and what nobody gets past the signature."""

from __future__ import annotations

from decimal import Decimal

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.models import Membership
from calcinosis_registry.quality.models import DataQuery
from lesions.models import ImagingFile, ImagingLesion, Lesion, LesionObservation, TreatmentCourse, TreatmentLesion
from patients.models import Signature, Visit, VisitState
from tests.accounts.test_sign_in import code_now
from tests.conftest import prove
from tests.factories import (
    PASSWORD,
    ImagingFileFactory,
    ImagingStudyFactory,
    MembershipFactory,
    PatientFactory,
    TreatmentCourseFactory,
    VisitFactory,
)
from tests.lesions.signed_visits import complete_visit, sign, sign_page, unlock, unlock_page


@pytest.fixture
def visit(north) -> Visit:
    return complete_visit(north)


@pytest.fixture
def clara(proven, clinician) -> Client:
    """The clinician's browser, just proven."""
    return proven(clinician)


@pytest.fixture
def signed(clara, visit) -> Visit:
    assert sign(clara, visit).status_code == 302
    return Visit.objects.get()


def test_a_signature_says_who_in_which_role_where_when_and_what_it_means(clara, clinician, visit):
    before = timezone.now()
    assert sign(clara, visit).url == visit.get_absolute_url()
    signature = Signature.objects.get()
    assert (signature.signer, signature.signer_name, signature.signer_role) == (clinician, str(clinician), "Clinician")
    assert (signature.clinic_name, signature.meaning) == ("North", "REVIEWED")
    assert before <= signature.signed_at <= timezone.now()
    visit = Visit.objects.get()
    assert (visit.state, visit.signed_by, visit.signed_at) == (VisitState.SIGNED, clinician, signature.signed_at)
    page = clara.get(visit.get_absolute_url()).content.decode()
    for shown in ("Clara Clinician, North", "I have reviewed these entries and approve them", "UTC", "locked"):
        assert shown in page
    assert "no longer matches" not in page


def test_signing_leaves_one_event_of_its_own(clara, visit):
    before = Event.objects.count()
    sign(clara, visit)
    told = [one for one in Event.objects.all()[: Event.objects.count() - before] if one.action != Action.READ]
    assert sorted((one.action, one.model) for one in told) == [("change", "patients.visit"), ("sign", "patients.visit")]
    assert told[0].patient == told[1].patient == visit.patient.registry_number


def test_everything_the_signature_covers_stands_on_the_page(clara, visit):
    TreatmentCourseFactory(patient=visit.patient, visit=visit, dose=Decimal(120), dose_unit="mg")
    page = clara.get(sign_page(visit)).content.decode()
    for shown in ("L1 Right thumb, pulp", "L2 Left elbow", "Longest diameter", "9 mm", "120", "Diltiazem"):
        assert shown.lower() in page.lower(), shown


def test_without_a_proof_the_password_is_asked_and_a_wrong_one_signs_nothing(client_of, clinician, visit):
    clinician.set_password(PASSWORD)
    clinician.save()
    client = client_of(clinician)
    assert 'name="password"' in client.get(sign_page(visit)).content.decode()
    page = sign(client, visit, password="guess")
    assert page.status_code == 422 and page.context["errors"].keys() == {"password"}
    assert Visit.objects.get().state == VisitState.COMPLETE and not Signature.objects.exists()
    assert sign(client, visit, password=PASSWORD).status_code == 302
    assert Visit.objects.get().state == VisitState.SIGNED


@pytest.mark.parametrize("page", ["sign", "unlock"])
def test_the_app_or_a_passkey_proves_as_plainly_as_the_password_and_what_was_typed_is_kept(
    client_of, proven, clinician, visit, page
):
    cache.clear()
    if page == "unlock":
        sign(proven(clinician), visit)
    TOTP.activate(clinician, secret := generate_totp_secret())
    Authenticator.objects.create(user=clinician, type="webauthn", data={"name": "Thumb", "credential": {}})
    clinician.refresh_from_db()
    client, address = client_of(clinician), {"sign": sign_page, "unlock": unlock_page}[page](visit)
    seen = client.get(address)
    text = seen.content.decode()
    assert 'name="prove" value="mfa_reauthenticate"' in text and 'value="mfa_reauthenticate:webauthn"' in text
    typed = {"reason": "The width was read wrong.", "meaning": "REVIEWED", "password": "half typed"}
    typed |= {f"shown-{one.visit.public_id}": one.shown for one, _lines in seen.context.get("ready", [])}
    way = client.post(address, typed | {"prove": "mfa_reauthenticate"})
    assert way["Location"].startswith("/account/second-factor/reauthenticate/?next=")
    assert "half typed" not in str(dict(client.session))
    answer = client.post("/account/second-factor/reauthenticate/", {"code": code_now(secret), "next": address})
    assert answer["Location"] == visit.get_absolute_url()
    visit.refresh_from_db()
    assert visit.state == (VisitState.SIGNED if page == "sign" else VisitState.COMPLETE)
    passkey = client_of(clinician).post(address, typed | {"prove": "mfa_reauthenticate:webauthn"})
    assert passkey["Location"].startswith("/account/second-factor/passkeys/reauthenticate/?next=")


def test_who_has_only_a_password_is_offered_nothing_else(client_of, clinician, visit):
    client = client_of(clinician)
    assert 'name="prove"' not in client.get(sign_page(visit)).content.decode()
    assert client.post(sign_page(visit), {"prove": "mfa_reauthenticate"}).status_code == 422


def test_who_signed_is_told_when_somebody_else_unlocks_it_until_it_is_signed_again(client_of, proven, signed, north):
    other = proven(MembershipFactory(clinic=north, role="clinician", user__name="Otto Other").user)
    signer = client_of(signed.signed_by)
    assert "somebody unlocked them" not in signer.get("/").content.decode()
    third = proven(MembershipFactory(clinic=north, role="clinician", user__name="Tina Third").user)
    assert unlock(other, signed).status_code == unlock(third, signed, reason="").status_code == 302
    page = signer.get("/").content.decode()
    assert (
        "somebody unlocked them" in page
        and "Otto Other, with Tina Third" in page
        and "“The width was read wrong.”" in page
    )
    assert signed.get_absolute_url() in page
    assert "somebody unlocked them" not in other.get("/").content.decode(), "only who signed it is told"
    assert sign(other, signed).status_code == 302
    assert "somebody unlocked them" not in signer.get("/").content.decode()


def test_who_unlocks_the_own_signature_is_not_told(clara, signed):
    unlock(clara, signed)
    assert "somebody unlocked them" not in clara.get("/").content.decode()


def test_a_proof_of_six_minutes_ago_is_none(client_of, clinician, visit):
    client = client_of(clinician)
    prove(client, clinician, lasting=-360)
    assert sign(client, visit).status_code == 422
    assert not Signature.objects.exists()


@pytest.mark.parametrize("meaning", ("", "WITNESS", "author"))
def test_a_meaning_must_be_chosen_out_of_the_list(clara, visit, meaning):
    page = sign(clara, visit, meaning=meaning)
    assert page.status_code == 422 and "meaning" in page.context["errors"]
    assert not Signature.objects.exists()


def test_what_is_missing_is_listed_with_links_to_its_fields(clara, visit):
    seen = LesionObservation.objects.get(lesion__number=2)
    seen.ulcerated = ""
    seen.save()
    visit.treatments_changed = ""
    visit.save()
    page = clara.get(sign_page(visit))
    assert page.context["ready"] == []
    text = page.content.decode()
    assert "cannot be signed yet" in text
    assert f"{visit.get_absolute_url()}?check=1#div_id_treatments_changed" in text
    assert f"{visit.get_absolute_url()}?check=1#l2" in text
    assert sign(clara, visit).status_code == 422
    assert not Signature.objects.exists()
    checked = clara.get(f"{visit.get_absolute_url()}?check=1").content.decode()
    assert 'href="#div_id_treatments_changed"' in checked and 'id="div_id_treatments_changed"' in checked


def test_an_open_question_stands_in_the_way_until_it_is_answered(clara, visit, north):
    query = DataQuery.objects.create(
        clinic=north, patient=visit.patient.registry_number, model="lesions.lesionobservation",
        object_id=LesionObservation.objects.first().pk, message="Is 9 mm right?",
    )  # fmt: skip
    assert "Is 9 mm right?" in clara.get(sign_page(visit)).content.decode()
    assert sign(clara, visit).status_code == 422
    query.status = "ANSWERED"
    query.save()
    assert sign(clara, visit).status_code == 302


def test_what_was_not_shown_is_not_signed(clara, visit):
    ready = clara.get(sign_page(visit)).context["ready"]
    seen = LesionObservation.objects.first()
    seen.length_mm = Decimal(8)
    seen.save()
    form = {f"shown-{one.visit.public_id}": one.shown for one, _lines in ready} | {"meaning": "AUTHOR"}
    page = clara.post(sign_page(visit), form)
    assert page.status_code == 422 and "changed after you opened this page" in page.content.decode()
    assert not Signature.objects.exists()


@pytest.mark.parametrize("who", ("assistant", "monitor"))
def test_who_may_not_sign_is_refused(proven, request, visit, who):
    client = proven(request.getfixturevalue(who))
    assert client.get(sign_page(visit)).status_code == client.post(sign_page(visit)).status_code == 403
    assert client.get(unlock_page(visit)).status_code == 403
    assert sign_page(visit) not in client.get(visit.get_absolute_url()).content.decode()


def test_a_right_that_ended_a_second_ago_signs_nothing(clara, clinician, visit):
    shown = {f"shown-{one.visit.public_id}": one.shown for one, _l in clara.get(sign_page(visit)).context["ready"]}
    yesterday = timezone.localdate() - timezone.timedelta(days=1)
    Membership.objects.bulk_update(
        [Membership(pk=one.pk, valid_until=yesterday, valid_from=yesterday, user=clinician, role=one.role)
         for one in Membership.objects.filter(user=clinician)], ["valid_until", "valid_from"],
    )  # fmt: skip
    assert clara.post(sign_page(visit), shown | {"meaning": "AUTHOR"}).status_code in (302, 404)
    assert not Signature.objects.exists()


# Locked


def test_no_way_changes_a_signed_visit_or_its_parts(signed):
    for name, value in (("pain_nrs", 1), ("state", VisitState.OPEN), ("patient", PatientFactory())):
        visit = Visit.objects.get()
        setattr(visit, name, value)
        with pytest.raises(ValidationError, match="signed"):
            visit.save()
    seen = LesionObservation.objects.first()
    seen.length_mm = 1
    with pytest.raises(ValidationError, match="signed"):
        seen.save()
    for row in (Visit.objects.get(), LesionObservation.objects.first(), Lesion.objects.first()):
        with pytest.raises(ValidationError, match="signed"), transaction.atomic():
            row.delete()
    with pytest.raises(ValidationError, match="signed"), transaction.atomic():
        LesionObservation.objects.all().delete()
    with pytest.raises(ValidationError, match="signed"):
        TreatmentCourseFactory(patient=signed.patient, visit=signed)
    assert LesionObservation.objects.count() == 2


def test_a_signed_visit_is_locked_in_the_admin_too(clara, signed):
    for row in (signed, LesionObservation.objects.first()):
        address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        form = clara.get(address).context["adminform"].form
        sent = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
        changed = {"pain_nrs": "9"} if row == signed else {"length_mm": "3", "width_mm": "2"}
        page = clara.post(address, sent | changed)
        assert page.status_code == 200 and "signed" in page.content.decode()
    assert Visit.objects.get().pain_nrs == 4
    assert set(LesionObservation.objects.values_list("length_mm", flat=True)) == {Decimal(9)}


def test_the_lesions_of_a_signed_study_and_course_stay_as_they_are(clara, visit):
    first, second = Lesion.objects.order_by("number")
    study = ImagingStudyFactory(patient=visit.patient, visit=visit)
    course = TreatmentCourseFactory(patient=visit.patient, visit=visit)
    study.lesions.set([first])
    course.lesions.set([first])
    assert sign(clara, visit).status_code == 302
    for record, link in ((study, ImagingLesion), (course, TreatmentLesion)):
        kind = type(record).kind()
        address = reverse("patients:record", args=[kind, record.public_id])
        form = clara.get(address).context["form"]
        sent = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
        page = clara.post(address, sent | {"lesions": [second.pk]})
        assert page.status_code == 200 and "unlock it to change the lesions" in page.content.decode()
        assert link.objects.get().lesion == first
        assert clara.post(reverse("patients:record_delete", args=[kind, record.public_id]), {"reason": "x"})
        assert type(record).objects.filter(pk=record.pk).exists()


def test_a_file_may_join_a_signed_study_and_none_may_leave_it(clara, visit):
    study = ImagingStudyFactory(patient=visit.patient, visit=visit)
    file = ImagingFileFactory(study=study)
    sign(clara, visit)
    ImagingFileFactory(study=study)
    assert clara.get(visit.get_absolute_url()).context["checked"].holds
    file.study = ImagingStudyFactory(patient=visit.patient)
    with pytest.raises(ValidationError, match="signed"):
        file.save()
    clara.post(reverse("lesions:imaging_remove", args=[file.public_id]), {"reason": "wrong picture"})
    assert ImagingFile.objects.filter(pk=file.pk).exists()


def test_what_ends_later_may_still_be_said(clara, visit):
    course = TreatmentCourseFactory(patient=visit.patient, visit=visit)
    sign(clara, visit)
    course = TreatmentCourse.objects.get()
    course.response = "PARTIAL"
    course.save()
    assert clara.get(visit.get_absolute_url()).context["checked"].holds


# Unlock


def test_unlocking_needs_a_reason_and_a_proof_and_keeps_the_old_signature(client_of, clara, clinician, signed):
    refused = unlock(clara, signed, reason="  oops  ")
    assert refused.status_code == 422
    assert f'action="{unlock_page(signed)}"' in refused.content.decode()  # it may stand at the address of the proof
    assert unlock(client_of(clinician), signed).status_code == 422
    assert Visit.objects.get().state == VisitState.SIGNED
    assert unlock(clara, signed).status_code == 302
    visit = Visit.objects.get()
    assert (visit.state, visit.signed_by, visit.signed_at) == (VisitState.COMPLETE, None, None)
    told = Event.objects.get(action=Action.UNLOCK)
    assert (told.reason, told.object_id, told.actor_name) == ("The width was read wrong.", visit.pk, "Clara Clinician")
    page = clara.get(visit.get_absolute_url()).content.decode()
    assert "Earlier signatures" in page and "The width was read wrong." in page
    assert "Signed by" not in page


def test_after_unlocking_it_is_changed_and_signed_again(clara, signed):
    unlock(clara, signed)
    seen = LesionObservation.objects.first()
    seen.width_mm = Decimal(6)
    seen.save()
    assert sign(clara, signed, meaning="AUTHOR").status_code == 302
    new, old = Signature.objects.order_by("-pk")
    assert (new.withdrawn_at, new.meaning, old.meaning) == (None, "AUTHOR", "REVIEWED")
    assert old.withdrawn_reason == "The width was read wrong." and new.digest != old.digest
    assert clara.get(signed.get_absolute_url()).context["checked"].holds


def test_a_visit_that_is_not_signed_is_not_unlocked(clara, visit):
    assert clara.get(unlock_page(visit)).status_code == 302
    assert unlock(clara, visit).status_code == 422
    assert Visit.objects.get().state == VisitState.COMPLETE


def test_a_signature_never_changes(signed):
    signature = Signature.objects.get()
    signature.signer_name = "Somebody Else"
    with pytest.raises(TypeError, match="does not change"):
        signature.save()


# Several at once


def several(client: Client, visits, **sent):
    address = reverse("lesions:visits_sign")
    page = client.get(address, {"visit": [one.public_id for one in visits]})
    form = {f"shown-{one.visit.public_id}": one.shown for one, _l in page.context["ready"]} | {"meaning": "REVIEWED"}
    ids = [one.visit.public_id for one, _l in page.context["ready"]]
    return page, client.post(address, form | {"visit": ids} | sent)


def test_several_visits_are_signed_under_one_proof_each_with_its_own_signature(clara, north):
    visits = [complete_visit(north) for _n in range(3)]
    home = clara.get("/").content.decode()
    assert all(f'value="{one.public_id}"' in home for one in visits)
    page, answer = several(clara, visits)
    assert all(one.patient.registry_number in page.content.decode() for one in visits)
    assert answer.url == "/"
    assert Visit.objects.signed().count() == Signature.objects.values("digest").distinct().count() == 3


def test_those_that_cannot_be_signed_are_named_with_the_reason(clara, north):
    good, incomplete = complete_visit(north), VisitFactory(patient__clinic=north)
    page, answer = several(clara, [good, incomplete])
    text = page.content.decode()
    assert "Cannot be signed yet" in text and "It is not complete. Required answers are missing." in text
    assert answer.url == "/" and list(Visit.objects.signed()) == [good]


def test_one_that_fails_leaves_none_signed(clara, north):
    visits = [complete_visit(north) for _n in range(3)]
    ids = [one.public_id for one in visits]
    page = clara.get(reverse("lesions:visits_sign"), {"visit": ids})
    visits[1].pain_nrs = 9
    visits[1].save()
    form = {f"shown-{one.visit.public_id}": one.shown for one, _l in page.context["ready"]}
    events = Event.objects.exclude(action=Action.READ).count()
    answer = clara.post(reverse("lesions:visits_sign"), form | {"meaning": "REVIEWED", "visit": ids})
    text = answer.content.decode()
    assert answer.status_code == 422 and "Nothing was signed." in text
    assert f"{visits[1].patient.registry_number}, 2026-03-10: It was changed" in text
    assert not Visit.objects.signed().exists() and not Signature.objects.exists()
    assert Event.objects.exclude(action=Action.READ).count() == events


def test_a_visit_of_another_clinic_among_them_is_not_found(clara, north, south):
    own, foreign = complete_visit(north), complete_visit(south)
    for asked in ([own.public_id, foreign.public_id], [own.public_id, "nothing"]):
        assert clara.get(reverse("lesions:visits_sign"), {"visit": asked}).status_code == 404
        assert clara.post(reverse("lesions:visits_sign"), {"visit": asked}).status_code == 404
    assert not Signature.objects.exists()


def test_nothing_chosen_and_too_many_are_said(clara, visit):
    assert clara.get(reverse("lesions:visits_sign")).url == "/"
    assert clara.get(reverse("lesions:visits_sign"), {"visit": [str(n) for n in range(51)]}).url == "/"
