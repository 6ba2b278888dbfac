"""Who is in a research project: let in, for how long, taken out. Each asks who it is, as changing a role does."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from calcinosis_registry.accounts.proof import require_proof
from calcinosis_registry.clinics.sent_keys import sent_key
from calcinosis_registry.cohorts.forms import MemberForm, TimeForm
from calcinosis_registry.cohorts.membership import add_member, change_member, remove_member
from calcinosis_registry.cohorts.models import ResearchProject
from calcinosis_registry.cohorts.services import governs_project
from calcinosis_registry.cohorts.views_projects import one_project, project_page


@require_POST
def members(request: HttpRequest, public_id: str) -> HttpResponse:
    """``member``: whose time changes, or who is taken out (``action``); without it somebody is let in."""
    found = one_project(request, public_id)
    if not governs_project(request.user, found):
        raise PermissionDenied
    require_proof(request)
    return _change(request, found) if "member" in request.POST else _let_in(request, found)


def _let_in(request: HttpRequest, project: ResearchProject) -> HttpResponse:
    form = MemberForm(request.POST, auto_id="member_%s")
    if form.is_valid():
        given = form.cleaned_data
        told = {"user": given["email"], "until": given["until"], "because": given["because"], "by": request.user}
        if _done(form, lambda: add_member(project=project, **told)):
            messages.success(request, _("%(name)s is a member now.") % {"name": given["email"]})
            return redirect(project)
    return project_page(request, project, status=422, member_form=form)


def _change(request: HttpRequest, project: ResearchProject) -> HttpResponse:
    one = project.now_members.filter(pk=sent_key(request.POST["member"])).first()
    if one is None:
        raise Http404
    form = TimeForm(request.POST, auto_id=f"member_{one.pk}_%s")
    if form.is_valid():
        because, until = form.cleaned_data["because"], form.cleaned_data["until"]
        if request.POST.get("action") == "remove":
            said = _("%(name)s is no member any more.")
            done = _done(form, lambda: remove_member(member=one, because=because, by=request.user))
        else:
            said = _("Saved how long %(name)s is a member.")
            done = _done(form, lambda: change_member(member=one, until=until, because=because, by=request.user))
        if done:
            messages.success(request, said % {"name": one.user})
            return redirect(project)
    return project_page(request, project, status=422, changed=one.pk, time_form=form)


def _done(form: forms.Form, work: Callable[[], object]) -> bool:
    """What was wrong stands beside its field."""
    try:
        work()
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {None: error.messages}
        for name, told in fields.items():
            form.add_error(name if name in form.fields else None, told)
        return False
    return True
