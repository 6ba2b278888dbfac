"""Error pages carry the strict headers, say what happened, and keep what was typed."""

from __future__ import annotations

import errno
from html.parser import HTMLParser

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.db import IntegrityError, OperationalError
from django.test import Client
from django.urls import path

from calcinosis_registry import urls
from tests.operations.wanted_headers import lacking


def raising(error: Exception):
    def view(request):
        raise error

    return view


class WithErrors:
    handler400, handler500 = urls.handler400, urls.handler500
    urlpatterns = [
        *urls.urlpatterns,
        path("e400/", raising(BadRequest())), path("e403/", raising(PermissionDenied())),
        path("e413/", raising(RequestDataTooBig())), path("e500/", raising(ValueError())),
    ]  # fmt: skip


@pytest.mark.django_db
def test_every_error_page_carries_them(settings, clinician, client_of):
    settings.ROOT_URLCONF = WithErrors
    client = client_of(clinician)
    client.raise_request_exception = False
    answers = {
        "400": client.get("/e400/"), "403": client.get("/e403/"), "404": client.get("/nothing/"),
        "405": client.delete("/health/live"), "413": client.get("/e413/"), "500": client.get("/e500/"),
        "bad host": client.get("/", headers={"host": "evil.example.org"}),
        "csrf": Client(enforce_csrf_checks=True).post("/account/sign-in/"),
        "too many fields": client.post("/patients/search/", {f"f{n}": "" for n in range(5001)}),
    }  # fmt: skip
    statuses = [answer.status_code for answer in answers.values()]
    assert statuses == [400, 403, 404, 405, 413, 500, 400, 403, 400]
    assert not {name: found for name, answer in answers.items() if (found := lacking(answer))}


@pytest.mark.django_db
def test_a_body_too_large_says_so_and_names_the_limit(settings, clinician, client_of):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = client_of(clinician).post("/patients/search/", {"q": "x" * 2000})
    assert answer.status_code == 413
    assert "larger than" in answer.content.decode()


FAULTS = [
    (OperationalError("server closed the connection unexpectedly"), 503, "cannot reach its database"),
    (OperationalError("database is locked"), 503, "cannot reach its database"),
    (OperationalError("database or disk is full"), 503, "disk of the register is full"),
    (OSError(errno.ENOSPC, "No space left on device"), 503, "disk of the register is full"),
    (IntegrityError("Key (family_name)=(Secret) already exists"), 500, "Something broke"),
    (IntegrityError("FOREIGN KEY constraint failed"), 409, "Somebody changed or removed"),
    (ValueError("Secret"), 500, "Something broke"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "status", "words"), FAULTS, ids=[str(one[0])[:30] for one in FAULTS])
def test_what_was_typed_stands_in_the_page_and_can_be_sent_again(settings, clinician, client_of, error, status, words):
    class Broken:
        handler400, handler500 = urls.handler400, urls.handler500
        urlpatterns = [*urls.urlpatterns, path("breaks/", raising(error))]

    settings.ROOT_URLCONF = Broken
    client = client_of(clinician)
    client.raise_request_exception = False
    text = 'Grüße <b>&amp; "quoted"\nsecond line ' + "x" * 300
    answer = client.post("/breaks/?then=1", {"note": text, "site": ["ELBOW", "KNEE"], "empty": ""})
    page = answer.content.decode()
    assert answer.status_code == status and words in page
    assert "Secret" not in page
    assert ("Retry-After" in answer) == (status == 503)
    assert "no-store" in answer["Cache-Control"]
    form = Form(page)
    assert form.address == "/breaks/?then=1"
    assert form.values == {"note": [text], "site": ["ELBOW", "KNEE"], "empty": [""]}


class Form(HTMLParser):
    """The form of a page, as a browser would send it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.address, self.values, self._area = "", {}, ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if tag == "form":
            self.address = told["action"]
        elif tag == "input":
            self.values.setdefault(told["name"], []).append(told["value"])
        elif tag == "textarea":
            self._area = told["name"]
            self.values.setdefault(self._area, []).append("")

    def handle_data(self, data):
        if self._area:
            self.values[self._area][-1] += data

    def handle_endtag(self, tag):
        if tag == "textarea":  # the first line end after the tag is no part of the text
            self.values[self._area][-1] = self.values[self._area][-1].removeprefix("\n")
            self._area = ""


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["password", "new_password1", "otp_code"])
def test_a_page_never_holds_a_secret(settings, clinician, client_of, name):
    settings.ROOT_URLCONF = WithErrors
    client = client_of(clinician)
    client.raise_request_exception = False
    page = client.post("/e500/", {name: "a secret sentence", "meaning": "responsible"}).content.decode()
    assert "a secret sentence" not in page and "<form" not in page
