"""A form that arrives when it cannot be saved (the session is over, another person signed in, its token is stale) is
kept as a draft of the person whose page it was, and offered there again."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.records.drafts import Page, keep


def page_of(request: HttpRequest) -> Page | None:
    """The page a form was sent from; None for what is no form of ours, or sent to another address."""
    if request.method != "POST":
        return None
    page = Page.read(request.POST.get("draft", ""))
    return page if page is not None and urlsplit(page.place.address).path == request.path else None


def held(request: HttpRequest, page: Page) -> HttpResponse:
    """Keep what was typed and say where it is: to its owner, to be signed in first where nobody is."""
    draft = keep(page=page, data=request.POST, now=timezone.now())
    if request.user.is_authenticated and request.user.pk != page.owner_id:
        messages.error(
            request,
            _("This page was opened by another account. Nothing was saved; what was typed waits for its writer."),
        )
        return redirect("home")
    target = f"{draft.restore_url}&held=1" if draft is not None else page.place.address
    return redirect(target) if request.user.is_authenticated else redirect_to_login(target)
