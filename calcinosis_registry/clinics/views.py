"""Accounts, invitations and clinics, for whoever manages accounts."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.accounts.links import absolute_url
from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.accounts.services import (
    end_sessions,
    reset_second_factor,
    set_active,
    with_second_factor,
)
from calcinosis_registry.clinics.forms import AcceptForm, ClinicForm, InvitationForm
from calcinosis_registry.clinics.invitation_mail import invitation_path, send_invitation
from calcinosis_registry.clinics.models import Clinic, Invitation, Membership
from calcinosis_registry.clinics.policy import grants, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scope import governs, people_visible_to
from calcinosis_registry.clinics.sent_keys import sent_key
from calcinosis_registry.clinics.services import (
    accept,
    account_of,
    end_role,
    invitation_of,
    invite,
    invite_again,
    set_open,
    withdraw,
)

logger = logging.getLogger(__name__)
MANAGE = Permission.MANAGE_ACCOUNTS


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    require(request, MANAGE)
    return _accounts_page(request, InvitationForm(user=request.user))


def _accounts_page(request: HttpRequest, form: InvitationForm, status: int = 200) -> HttpResponse:
    memberships = Membership.objects.visible_to(request.user, MANAGE).not_over()
    people: dict[User, list[Membership]] = {
        person: [] for person in people_visible_to(request.user).order_by("name", "pk")
    }
    for membership in memberships.select_related("user", "clinic").order_by("clinic__name", "role"):
        people[membership.user].append(membership)
    protected = with_second_factor([person.pk for person in people])
    rows = [
        {"person": person, "roles": roles, "second_factor": person.pk in protected} for person, roles in people.items()
    ]
    invitations = Invitation.objects.visible_to(request.user, MANAGE).open().select_related("clinic")
    context = {"rows": rows, "invitations": invitations, "form": form}
    return render(request, "clinics/accounts.html", context, status=status)


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Invite a person by e-mail."""
    require(request, MANAGE)
    require_proof(request)
    form = InvitationForm(request.POST, user=request.user)
    if not form.is_valid():
        return _accounts_page(request, form, status=422)
    invitation, token = invite(**form.cleaned_data, by=request.user, now=timezone.now())
    _deliver(request, invitation, token)
    return redirect("clinics:accounts")


@require_POST
def send_again(request: HttpRequest) -> HttpResponse:
    invitation, token = invite_again(invitation=_invitation(request), by=request.user, now=timezone.now())
    _deliver(request, invitation, token)
    return redirect("clinics:accounts")


def _deliver(request: HttpRequest, invitation: Invitation, token: str) -> None:
    """The invitation stands even when the mail server does not: it can be sent again."""
    try:
        send_invitation(invitation=invitation, url=absolute_url(request, invitation_path(token)))
    except (OSError, SMTPException):
        logger.exception("an invitation could not be sent")
        messages.error(request, _("The invitation is kept, but the e-mail could not be sent. Try “Send again”."))
    else:
        messages.success(request, _("Invitation sent to %(email)s.") % {"email": invitation.email})


@require_POST
def withdraw_invitation(request: HttpRequest) -> HttpResponse:
    withdraw(invitation=_invitation(request), now=timezone.now())
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("clinics:accounts")


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one role of a person."""
    require(request, MANAGE)
    rows = Membership.objects.visible_to(request.user, MANAGE).not_over().select_related("user")
    membership = rows.filter(pk=_number(request, "membership")).first()
    if membership is None:
        raise Http404
    require_proof(request)
    try:
        end_role(membership=membership, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The role is ended."))
    return redirect("clinics:accounts")


@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    person = _governed(request)
    reset_second_factor(user=person)
    messages.success(request, _("%(name)s sets a new second factor at the next sign-in.") % {"name": person})
    return redirect("clinics:accounts")


@require_POST
def end_all_sessions(request: HttpRequest) -> HttpResponse:
    person = _governed(request)
    end_sessions(user=person)
    messages.success(request, _("All sessions of %(name)s are ended.") % {"name": person})
    return redirect("clinics:accounts")


@require_POST
def open_or_close(request: HttpRequest) -> HttpResponse:
    """Close an account (nobody their own), or open it again."""
    person = _governed(request)
    if person == request.user:
        raise PermissionDenied
    set_active(user=person, active=not person.is_active)
    said = _("The account of %(name)s is open.") if person.is_active else _("The account of %(name)s is closed.")
    messages.success(request, said % {"name": person})
    return redirect("clinics:accounts")


def _number(request: HttpRequest, name: str) -> int:
    key = sent_key(request.POST.get(name, ""))
    if key is None:
        raise Http404
    return key


def _governed(request: HttpRequest) -> User:
    """The person of the form: 404 for another clinic's people, 403 where they also work elsewhere; then the proof."""
    require(request, MANAGE)
    person = people_visible_to(request.user).filter(pk=_number(request, "person")).first()
    if person is None:
        raise Http404
    if not governs(request.user, person):
        raise PermissionDenied
    require_proof(request)
    return person


def _invitation(request: HttpRequest) -> Invitation:
    require(request, MANAGE)
    rows = Invitation.objects.visible_to(request.user, MANAGE).open().select_related("clinic")
    found = rows.filter(public_id=request.POST.get("invitation", "")).first()
    if found is None:
        raise Http404
    require_proof(request)
    return found


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the e-mailed link: a new person chooses name and password, a known one just says yes."""
    invitation = invitation_of(token=token)
    if invitation is None:
        return render(request, "clinics/invitation_over.html", status=404)
    known = account_of(invitation=invitation)
    form = None
    if known is None:
        form = AcceptForm(request.POST or None, email=invitation.email, initial={"name": invitation.name})
    if request.method == "POST" and (form is None or form.is_valid()):
        values = form.cleaned_data if form else {}
        try:
            accept(
                invitation=invitation, name=values.get("name", ""), password=values.get("password"), now=timezone.now()
            )
        except ValidationError:
            return render(request, "clinics/invitation_over.html", status=404)
        messages.success(request, _("Welcome. Sign in with %(email)s.") % {"email": invitation.email})
        return redirect("account_login")
    status = 422 if request.method == "POST" else 200
    return render(request, "clinics/accept.html", {"invitation": invitation, "form": form}, status=status)


@require_safe
def clinics(request: HttpRequest) -> HttpResponse:
    require(request, MANAGE)
    rows = Clinic.objects.visible_to(request.user, MANAGE)
    return render(request, "clinics/clinics.html", {"rows": rows, "may_add": _everywhere(request)})


def _everywhere(request: HttpRequest) -> bool:
    return None in grants(request.user).get(MANAGE, set())


@require_http_methods(["GET", "HEAD", "POST"])
def new_clinic(request: HttpRequest) -> HttpResponse:
    """Only an admin of the whole register opens a clinic."""
    if not _everywhere(request):
        raise PermissionDenied
    return _edit_clinic(request, Clinic())


@require_http_methods(["GET", "HEAD", "POST"])
def clinic(request: HttpRequest, public_id: str) -> HttpResponse:
    require(request, MANAGE)
    found = Clinic.objects.visible_to(request.user, MANAGE).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return _edit_clinic(request, found)


@require_POST
def open_or_close_clinic(request: HttpRequest, public_id: str) -> HttpResponse:
    """Only an admin of the whole register closes a clinic, or opens it again."""
    if not _everywhere(request):
        raise PermissionDenied
    found = Clinic.objects.visible_to(request.user, MANAGE).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    require_proof(request)
    set_open(clinic=found, is_open=request.POST.get("open") == "yes", now=timezone.now())
    said = _("%(name)s is closed: nobody works there now.") if found.closed_at else _("%(name)s is open again.")
    messages.success(request, said % {"name": found.name})
    return redirect("clinics:clinic", public_id=found.public_id)


def _edit_clinic(request: HttpRequest, instance: Clinic) -> HttpResponse:
    form = ClinicForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("%(name)s is saved.") % {"name": instance.name})
        return redirect("clinics:clinics")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "clinic": instance, "may_close": bool(instance.pk) and _everywhere(request)}
    return render(request, "clinics/clinic.html", context, status=status)
