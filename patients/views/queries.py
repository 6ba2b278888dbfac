"""Data queries: a clinic's list, one query with its answers, and asking one about a record or one of its fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import may, one_visible, require
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.quality.models import DataQuery, QueryStatus
from calcinosis_registry.quality.services import answer_query, close_query, raise_query, reopen_query, steps_of
from calcinosis_registry.records.display import words
from patients.forms import AskForm, QueryFilter
from patients.models import Patient
from patients.questions import askable, counts, name_patients, narrowed, page_of, place

VIEW = Permission.VIEW_RECORDS


@require_safe
def query_list(request: HttpRequest) -> HttpResponse:
    """The oldest first, with what stands per clinic above."""
    require(request, VIEW)
    clinics, now = Clinic.objects.visible_to(request.user, VIEW), timezone.now()
    form = QueryFilter(request.GET, clinics=clinics)
    form.is_valid()  # an answer that makes no sense is left out and shown beside its field
    scope = DataQuery.objects.visible_to(request.user, VIEW)
    rows = narrowed(scope, form.cleaned_data, now=now)
    page = page_of(rows, after=request.GET.get("after", ""))
    name_patients(page.rows, user=request.user)
    place(page.rows, user=request.user)
    context = {
        "form": form,
        "queries": page.rows,
        "after": page.after,
        "count": rows.count(),
        "clinics": counts(scope, now=now),
        "filtered": any(form.cleaned_data.values()),
    }
    return render(request, "queries/list.html", context)


def _query(request: HttpRequest, public_id: str, needed: Permission, *, lock: bool = False) -> DataQuery:
    rows = DataQuery.objects.visible_to(request.user, VIEW)
    if lock:
        rows = rows.select_for_update(of=("self",))
    return one_visible(rows, request.user, needed, public_id=public_id)


@require_safe
def query_page(request: HttpRequest, public_id: str) -> HttpResponse:
    return _page(request, _query(request, public_id, VIEW), {})


def _page(request: HttpRequest, query: DataQuery, errors: dict[str, list[str]]) -> HttpResponse:
    patients = Patient.objects.visible_to(request.user, VIEW).select_related("clinic")
    query.about = patients.filter(registry_number=query.patient).first()  # type: ignore[attr-defined]
    place([query], user=request.user)
    record: Any = query.record  # type: ignore[attr-defined]
    field = next((one for one in type(record)._meta.concrete_fields if one.name == query.field), None)
    settled = query.status == QueryStatus.CLOSED
    judges = may(request.user, Permission.RAISE_QUERIES, query.clinic_id)
    context = {
        "query": query,
        "patient": query.about,  # type: ignore[attr-defined]
        "steps": steps_of(query),
        "value": words(field, getattr(record, query.field)) if record is not None and field is not None else "",
        "may_answer": not settled and may(request.user, Permission.EDIT_RECORDS, query.clinic_id),
        "may_close": not settled and judges,
        "may_reopen": query.status != QueryStatus.OPEN and judges,
        "errors": errors,
        "typed": request.POST,
    }
    return render(request, "queries/query.html", context, status=422 if errors else 200)


@require_POST
def answer(request: HttpRequest, public_id: str) -> HttpResponse:
    """The clinic's answer; the value itself is put right on its record."""
    return _act(request, public_id, Permission.EDIT_RECORDS, answer_query, "answer", _("Answered."))


@require_POST
def close(request: HttpRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, Permission.RAISE_QUERIES, close_query, "because", _("The query is closed."))


@require_POST
def reopen(request: HttpRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, Permission.RAISE_QUERIES, reopen_query, "because", _("The query is open again."))


def _act(
    request: HttpRequest, public_id: str, needed: Permission, verb: Callable[..., None], name: str, done: str
) -> HttpResponse:
    with trail.together():
        query = _query(request, public_id, needed, lock=True)
        try:
            verb(query=query, **{name: request.POST.get(name, "")[:400]}, by=request.user, now=timezone.now())
        except ValidationError as error:
            told = error.message_dict if hasattr(error, "error_dict") else {"all": error.messages}
            query.refresh_from_db()
            return _page(request, query, told | {"act": [verb.__name__]})
    messages.success(request, done)
    return redirect("queries:query", public_id=public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, kind: str, public_id: str) -> HttpResponse:
    """A question about a record, or one field of it."""
    model: Any = askable().get(kind)
    if model is None:
        raise Http404
    rows = model.objects.visible_to(request.user, VIEW)
    record = one_visible(rows, request.user, Permission.RAISE_QUERIES, public_id=public_id)
    form = AskForm(request.POST or None, record=record, initial={"field": request.GET.get("field", "")})
    if request.method == "POST" and form.is_valid():
        patient = record.patient
        with trail.together():
            query = raise_query(
                record=record, clinic_id=patient.clinic_id, patient=patient.registry_number, by=request.user,
                now=timezone.now(), **form.cleaned_data,
            )  # fmt: skip
        messages.success(request, _("The question is asked."))
        return redirect("queries:query", public_id=query.public_id)
    context = {"form": form, "patient": record.patient, "record": record, "kind": type(record).title()}
    return render(request, "queries/ask.html", context, status=422 if form.errors else 200)
