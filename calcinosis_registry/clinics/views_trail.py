"""The audit trail: who did what, newest first, a page at a time by the event's number."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calcinosis_registry.audit.models import Event, EventQuerySet
from calcinosis_registry.audit.verification import Verdict, last_event, verify, verify_step
from calcinosis_registry.clinics.access_report import access_to
from calcinosis_registry.clinics.forms import TrailForm
from calcinosis_registry.clinics.policy import require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.clinics.scope import as_text, concerning, events_visible_to, record_name, told
from calcinosis_registry.clinics.sent_keys import sent_key
from calcinosis_registry.clinics.whereabouts import whereabouts

PAGE = 50


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    require(request, Permission.VIEW_TRAIL)
    form = TrailForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    events = _asked_for(events_visible_to(request.user, Permission.VIEW_TRAIL), asked)
    rows, older, newer = _one_page(events, before=asked.get("before"), after=asked.get("after"))
    clinic_of = whereabouts()
    shown = []
    for one in rows:
        values = told(one, user=request.user, clinic_of=clinic_of)
        changes = {name: as_text(value) for name, value in values.items()}
        shown.append({"event": one, "record": record_name(one.model), "changes": changes})
    return render(
        request,
        "clinics/trail.html",
        {
            "form": form,
            "rows": shown,
            "next_url": _link(request.GET, before=rows[-1].pk) if older else "",
            "previous_url": _link(request.GET, after=rows[0].pk) if newer else "",
            "shown": _("%(count)s events on this page") % {"count": len(rows)},
        },
    )


@require_POST
def verify_trail(request: HttpRequest) -> HttpResponse:
    """Walk the chain: a step for the page's script, which shows how far it is; the whole of it without one."""
    require(request, Permission.VIEW_TRAIL)
    if request.headers.get("X-Requested-With") != "fetch":
        verdict = verify()
        (messages.error if verdict.broken else messages.success)(request, _words(verdict))
        return redirect("clinics:trail")
    verdict, over = verify_step(sent_key(request.POST.get("after", "")) or 0)
    told = {"reached": verdict.reached.event, "last": last_event(), "over": over, "broken": verdict.broken is not None}
    return JsonResponse({**told, "words": _words(verdict) if over else ""})


def _words(verdict: Verdict) -> str:
    if verdict.broken is None:
        return _("%(count)s events, each as it was written.") % {"count": verdict.reached.event}
    where = _("event %(number)s:") % {"number": verdict.broken.event} if verdict.broken.event else ""
    return " ".join(filter(None, [_("The audit trail is not as it was written:"), where, f"{verdict.broken.why}."]))


@require_safe
def access(request: HttpRequest) -> HttpResponse:
    """Who read or exported one patient; another clinic's number has no line, like one that does not exist."""
    require(request, Permission.VIEW_TRAIL)
    number = request.GET.get("patient", "").strip().upper()[:24]
    lines = access_to(events_visible_to(request.user, Permission.VIEW_TRAIL), number) if number else []
    return render(request, "clinics/trail_access.html", {"number": number, "access": lines})


def _asked_for(events: EventQuerySet, asked: dict[str, Any]) -> EventQuerySet:
    if number := (asked.get("patient") or "").strip().upper():
        events = concerning(events, number)
    if person := (asked.get("person") or "").strip():
        events = events.filter(actor_name__icontains=person)
    if asked.get("action"):
        events = events.filter(action=asked["action"])
    if asked.get("record"):
        events = events.filter(model=asked["record"])
    if asked.get("number"):
        events = events.filter(object_id=asked["number"])
    if asked.get("since"):
        events = events.filter(at__date__gte=asked["since"])
    if asked.get("until"):
        events = events.filter(at__date__lte=asked["until"])
    return events


def _one_page(events: EventQuerySet, *, before: int | None, after: int | None) -> tuple[list[Event], bool, bool]:
    """(newest first, are there older ones, are there newer ones)."""
    if after:
        found = list(events.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        return found[:PAGE][::-1], bool(found), len(found) > PAGE
    if before:
        events = events.filter(pk__lt=before)
    found = list(events.order_by("-pk")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE, bool(before and found)


def _link(query: QueryDict, **place: int) -> str:
    kept = query.copy()
    for name in ("before", "after"):
        kept.pop(name, None)
    for name, value in place.items():
        kept[name] = str(value)
    return f"?{kept.urlencode()}"
