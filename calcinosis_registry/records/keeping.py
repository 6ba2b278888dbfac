"""What every page with a form does so that nothing typed is lost: drafts offered and restored, and one record for one
form, however often it is sent.

A view makes one ``Keeping`` after it has found what the form is about, binds its forms to ``bound``, and around its
save asks ``claim()`` first and ``settle()`` last, both in the transaction of the save.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.records import conflict, drafts
from calcinosis_registry.records.drafts import Page, Place
from calcinosis_registry.records.kept import Draft, Submission

A_MOMENT = datetime.timedelta(seconds=10)
KEY = re.compile(r"[A-Za-z0-9]{12,22}")


@dataclass(frozen=True)
class Refused:
    """The form made something before, but with other content."""

    said: str
    url: str


class Keeping:
    """One request of a page with a form. ``creating``: its save makes a record, which must not happen twice."""

    def __init__(self, request: HttpRequest, place: Place, *, creating: bool) -> None:
        self.request, self.place, self.creating = request, place, creating
        self.user: Any = request.user
        self.refused: Refused | None = None

    @cached_property
    def posted(self) -> QueryDict:
        """What was sent, with the choices of a conflict page carried out."""
        return conflict.merged(self.request.POST)

    @cached_property
    def page(self) -> Page:
        """The page the form stands on: the one it was sent from, else a new one."""
        sent = Page.read(self.request.POST.get("draft", ""))
        if sent is not None and sent.owner_id == self.user.pk and sent.place.form == self.place.form:
            return sent
        return Page.new(owner=self.user, place=self.place)

    @property
    def writes(self) -> bool:
        """May this person save the form? Then it is kept, too."""
        return may(self.user, Permission.EDIT_RECORDS, self.place.clinic_id)

    @property
    def most(self) -> int:
        """Bytes of a form that can be sent; the page tells before it is sent, so that nothing typed is lost."""
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 2**40

    @property
    def too_long(self) -> str:
        size = filesizeformat(self.most)
        return _("Nothing was sent: it is longer than %(size)s. Shorten a text; what you typed is still here.") % {
            "size": size
        }

    # ---- Drafts

    @cached_property
    def _mine(self) -> Any:
        place = self.place
        rows = Draft.objects.visible_to(self.user, Permission.EDIT_RECORDS).fresh(timezone.now())
        rows = rows.filter(form=place.form, subject=place.subject)
        return rows.filter(patient=place.patient) if place.patient else rows

    @cached_property
    def draft(self) -> Draft | None:
        """The draft this page shows instead of what is saved."""
        wanted = self.request.GET.get("draft", "") if self.request.method != "POST" else ""
        return self._mine.filter(public_id=wanted).first() if wanted else None

    @property
    def gone(self) -> bool:
        """A draft was asked for that is no longer there: saved, discarded, or too old."""
        return bool(self.request.GET.get("draft")) and self.request.method != "POST" and self.bound is None

    @cached_property
    def offers(self) -> list[Draft]:
        """Drafts of the same thing, newest first; of a form just sent only those of other pages."""
        if self.draft is not None:
            return []
        restored = self.restored_from.partition(".")[0]
        return list(self._mine.exclude(token=self.page.token).exclude(public_id=restored)[:5])

    @cached_property
    def bound(self) -> QueryDict | None:
        """What the forms are bound to: what was sent, the draft that is restored, or nothing."""
        if self.request.method == "POST":
            return self.posted
        data = self.draft.data() if self.draft is not None else None
        return None if data is None else conflict.merged(data)

    @property
    def restored_from(self) -> str:
        if self.draft is not None:
            return f"{self.draft.public_id}.{self.draft.typed_at}"
        return self.request.POST.get("draft_from", "")[:40]

    @property
    def was_signed_out(self) -> bool:
        return bool(self.request.GET.get("held"))

    @property
    def comparing(self) -> bool:
        return self.draft is not None and bool(self.request.GET.get("compare"))

    def calm(self, bound: Iterable[Any]) -> None:
        """A restored draft is unfinished, not wrong: it shows no errors before it is sent."""
        if self.draft is not None:
            for form in bound:
                form._errors, form.cleaned_data = ErrorDict(), {}

    # ---- One record for one form

    @cached_property
    def submission(self) -> str:
        """The key of this form: the same for the same page, its drafts and its errors, until it made something."""
        key = self.bound.get("submission", "") if self.bound is not None else ""
        return key if not self.refused and KEY.fullmatch(key) else get_random_string(20)

    def claim(self) -> HttpResponse | None:
        """Note that this form is being saved. Where it was before: the answer it got then, or ``refused`` is set.

        Two at the same moment: the second waits here until the first is through.
        """
        key = self.request.POST.get("submission", "")
        if not KEY.fullmatch(key):
            return None
        body = drafts.body_of(self.posted)
        sent = self._sent(key)
        if sent is None:
            try:
                with transaction.atomic():
                    self._claimed = Submission.objects.create(
                        owner=self.user, key=key, body=body, patient=self.place.patient, saved_at=timezone.now()
                    )
                return None
            except IntegrityError:
                sent = self._sent(key)
        if sent is not None and sent.body == body:
            return self._again(sent)
        if sent is not None and self.creating:
            self.refused = Refused(
                _(
                    "This form was saved already, at %(time)s, with other content. "
                    "Nothing was changed or made a second time. What you typed is still here."
                )
                % {"time": date_format(timezone.localtime(sent.saved_at), "H:i:s")},
                sent.result,
            )
            self.__dict__.pop("submission", None)
        elif sent is not None:
            self._claimed, sent.body, sent.saved_at = sent, body, timezone.now()  # written when it is saved
        return None

    def _again(self, sent: Submission) -> HttpResponse:
        """Where the form led the first time; said where the person may wonder (not after a double click)."""
        if timezone.now() - sent.saved_at > A_MOMENT:
            at = date_format(timezone.localtime(sent.saved_at), "H:i:s")
            messages.info(
                self.request, _("This was saved already, at %(time)s. Nothing was made twice.") % {"time": at}
            )
        return redirect(sent.result)

    _claimed: Submission | None = None

    def _sent(self, key: str) -> Submission | None:
        return Submission.objects.select_for_update().filter(owner=self.user, key=key).first()

    def settle(self, answer: HttpResponse) -> HttpResponse:
        """Saved: the form leads to its answer from now on, and its draft is gone. Not saved: as if it never came."""
        if answer.status_code != 302:
            return self.release(answer)
        if self._claimed is not None:
            self._claimed.result = answer["Location"][:300]
            self._claimed.patient = self.place.patient or self.request.POST.get("public_id", "")[:22]
            self._claimed.save()
        drafts.drop(
            owner=self.user, page=Page.read(self.request.POST.get("draft", "")), restored_from=self.restored_from
        )
        return answer

    def release(self, answer: HttpResponse) -> HttpResponse:
        """Nothing was saved: the form may come again."""
        if self._claimed is not None and self._claimed.result == "":
            self._claimed.delete()
        return answer

    def refuse(self, form: Any) -> None:
        """Say on the form that it was saved before with other content."""
        if self.refused is not None:
            form.add_error(None, self.refused.said)


def compare_page(
    request: HttpRequest, keeping: Keeping, titled: Iterable[tuple[str, Any]], *, patient: Any = None
) -> HttpResponse:
    """The draft beside what is saved, where they differ."""
    compared = [conflict.Compared(title, form) for title, form in titled]
    context = {"keeping": keeping, "compared": compared, **({"patient": patient} if patient else {})}
    return render(request, "records/compare.html", context)


def conflict_page(
    request: HttpRequest, clashes: list[conflict.Clash], keeping: Keeping, *, patient: Any
) -> HttpResponse:
    """409: both versions field by field, with everything that was typed in it."""
    context = {
        "clashes": clashes,
        "pairs": conflict.hidden_pairs(keeping.posted, clashes),
        "asked": any(not choice.picked for clash in clashes for choice in clash.choices),
        "own": all(clash.by_id == keeping.user.pk for clash in clashes),
        "patient": patient,
        "keeping": keeping,
        "action": request.get_full_path(),
    }
    return render(request, "records/conflict.html", context, status=409)
