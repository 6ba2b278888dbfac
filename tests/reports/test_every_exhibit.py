"""Every exhibit of every chapter, as each audience finds it: title, description, table, files; by every grouping."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.cohorts.dataset import build
from calcinosis_registry.cohorts.models import Cohort
from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.cohorts.services import save_cohort
from calcinosis_registry.demo import loader
from calcinosis_registry.reports.chapters.events import prevalence
from calcinosis_registry.reports.exhibits import Exhibit
from calcinosis_registry.reports.files import pdf_possible
from calcinosis_registry.reports.frame import frame
from calcinosis_registry.reports.grouping import choices, columns_for, everyone, grouping
from calcinosis_registry.reports.making import CHAPTERS
from calcinosis_registry.reports.outline import CHARACTERISTICS, GROUPED, TITLES
from calcinosis_registry.reports.subject import Subject
from calcinosis_registry.reports.telling import Teller
from tests.cohorts.register import EVERYONE

pytestmark = pytest.mark.django_db
EXACT = Scope(None, exact=True)
# What an exhibit of numbers must say of itself: of whom, of how many, or per what.
DENOMINATOR = re.compile(r"\d|<10|per 100|of (the )?(patients|lesions)|of all patients", re.IGNORECASE)


@pytest.fixture
def roots(settings: Any, tmp_path: Any) -> dict[str, tuple[User, str]]:
    """{audience: (who, the address of their report)} over a small demo register."""
    settings.FILES_DIR = tmp_path / "files"
    staff = loader.load(patients=18, clinics=2, seed=3, until=timezone.localdate())
    inside = Cohort.objects.get(name="everyone")
    outside = save_cohort(name="all", definition=EVERYONE, by=staff.researcher, project=None)
    doctor = User.objects.get(email="clinician.a@example.org")
    clinic = Clinic.objects.get(pk=staff.clinics[0].pk)
    return {
        "clinic": (doctor, f"/reports/clinic/{clinic.public_id}/"),
        "project": (staff.researcher, f"/reports/cohort/{inside.public_id}/"),
        "protected": (staff.researcher, f"/reports/cohort/{outside.public_id}/"),
    }


class Exhibits(HTMLParser):
    """The sections of a page that are exhibits: their words, tables, pictures and files."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[dict[str, Any]] = []
        self.inside: list[str] = []
        self.cell = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "section":
            kept = "exhibit" in told.get("class", "").split()
            if kept:
                self.found.append({"key": told["id"], "title": "", "svg": [], "rows": 0, "files": [], "nothing": ""})
            self.cell = "here" if kept else ""
        if not self.cell:
            return
        one = self.found[-1]
        if "download" in told:
            one["files"].append(told["href"])
        one["rows"] += tag == "tr"
        if tag == "svg" and told.get("role") == "img":
            one["svg"].append({"title": "", "desc": ""})
        if tag in ("title", "desc", "h2", "p"):
            self.inside.append("nothing" if told.get("class") == "nothing" else tag)

    def handle_data(self, data: str) -> None:
        if not (self.cell and self.inside):
            return
        one, tag = self.found[-1], self.inside[-1]
        if tag == "h2":
            one["title"] += data
        elif tag == "nothing":
            one["nothing"] += data
        elif tag in ("title", "desc") and one["svg"] and not one["svg"][-1].get(f"{tag} read"):
            one["svg"][-1][tag] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("title", "desc", "h2", "p") and self.inside:
            if self.cell and tag in ("title", "desc") and self.found[-1]["svg"]:
                self.found[-1]["svg"][-1][f"{tag} read"] = True  # the marks of a figure have titles of their own
            self.inside.pop()
        if tag == "section":
            self.cell = ""


def exhibits_of(page: str) -> list[dict[str, Any]]:
    parser = Exhibits()
    parser.feed(page)
    return parser.found


def pages(root: str) -> Iterator[str]:
    if "/clinic/" in root:
        yield root
    yield from (f"{root}{key}/" for key in TITLES)


@pytest.mark.parametrize(
    "audiences", [("project",), pytest.param(("clinic", "protected"), marks=pytest.mark.long)], ids=lambda one: one[0]
)
def test_every_exhibit_says_what_it_is_of_and_has_its_picture_in_words_its_table_and_its_files(
    audiences, roots, client_of
):
    for audience in audiences:
        user, root = roots[audience]
        browser, drawn = client_of(user), 0
        for address in pages(root):
            found = exhibits_of(browser.get(address).content.decode())
            assert found, address
            for one in found:
                drawn += len(one["svg"])
                _whole(one, address)
                for url in one["files"]:
                    _file(browser, url)
        assert drawn > 10, audience


def _whole(one: dict[str, Any], address: str) -> None:
    assert DENOMINATOR.search(one["title"]) or one["nothing"], (address, one)
    assert one["rows"] > 1 or one["nothing"], (address, one)
    for picture in one["svg"]:
        assert picture["title"] and len(picture["desc"]) > 20, (address, picture)
    kinds = [url.partition("?")[0].rpartition(".")[2] for url in one["files"]]
    wanted = ["svg", "png"] if pdf_possible() else ["svg"]
    assert sorted(kinds) == sorted(wanted * len(one["svg"]) + ["csv"] * (one["rows"] > 1)), (address, one)


def _file(browser: Any, url: str) -> None:
    """A figure by itself, or its numbers; pictures as PNG have their own test."""
    if url.partition("?")[0].endswith(".png"):
        return
    answer = browser.get(url)
    assert answer.status_code == 200 and answer["Content-Disposition"].startswith("attachment"), url
    text = answer.content.decode()
    if ".svg" in url:
        assert re.search("<title[ >]", text) and re.search("<desc[ >]", text) and "style=" not in text, url
    else:
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}, url


@pytest.mark.long
@pytest.mark.skipif(not pdf_possible() and not os.environ.get("REGISTRY_CI_STRICT"), reason="Pango is not installed")
def test_every_figure_is_a_picture_too(roots, client_of):
    for user, root in roots.values():
        browser = client_of(user)
        for address in pages(root):
            for one in exhibits_of(browser.get(address).content.decode()):
                for url in one["files"]:
                    if url.endswith(".png"):
                        assert browser.get(url).content.startswith(b"\x89PNG"), url


@pytest.mark.long
def test_a_report_can_be_told_by_every_item_patients_are_grouped_by(roots, client_of):
    """On the page, inside a project and protected; every chapter by one of them."""
    for audience in ("project", "protected"):
        user, root = roots[audience]
        browser = client_of(user)
        for key, label in choices():
            page = browser.get(f"{root}events/?by={key}").content.decode()
            grouped, refused = f"by {label}" in page, "All patients are shown as one" in page
            assert grouped or refused or "All of them are shown as one group" in page, (audience, key)
            assert f'<option value="{key}" selected>' in page
        for chapter in GROUPED:
            page = browser.get(f"{root}{chapter}/?by=patient.sex_at_birth").content.decode()
            assert "?by=patient.sex_at_birth" in page, (audience, chapter)  # the files are of the same groups
            assert audience == "protected" or ("Female" in page and "Male" in page), (audience, chapter)


def test_every_chapter_is_right_by_every_item_of_grouping(roots):
    """The groups and those in none are everybody, once; what is counted by group adds up to what is counted of all."""
    also: dict[str, tuple[str, ...]] = {}
    for key, _label in choices():
        for table, names in columns_for(key).items():
            also[table] = tuple(dict.fromkeys((*also.get(table, ()), *names)))
    data = frame(build(definition=EVERYONE, scope=EXACT), also)
    whole, grouped = asked(prevalence(Subject(data, everyone(data), Teller(EXACT)))), 0
    assert len(choices()) > 20 and whole["Ulcer over a lesion"][1] > 8
    for key, _label in choices():
        by = grouping(data, key)
        if not by.grouped:
            assert by.refused, key
            continue
        grouped += 1
        members = [place for one in range(len(by.names)) for place in by.members(one).places.tolist()]
        assert sorted([*members, *by.missing.places.tolist()]) == list(range(len(data.patients))), key
        for scope in (EXACT, Scope(None, exact=False)):
            subject = Subject(data, by, Teller(scope, data.keys))
            for chapter in GROUPED - {CHARACTERISTICS}:
                assert CHAPTERS[chapter](subject), (key, chapter)
        if not by.missing:
            parts = asked(prevalence(Subject(data, by, Teller(EXACT))))
            for event, (ever, of) in whole.items():
                mine = [parts[f"{event}, {name}"] for name in by.names]
                assert (sum(one[0] for one in mine), sum(one[1] for one in mine)) == (ever, of), (key, event)
    assert grouped > 15


def asked(exhibit: Exhibit) -> dict[str, tuple[int, int]]:
    """{event: (who ever had it, who was asked)} of the rows."""
    assert exhibit.sheet is not None
    found = {row[0]: re.search(r"\((\d+)/(\d+)\)|^0/0$", row[3]) for row in exhibit.sheet.rows}
    assert all(found.values()), found
    return {name: (int(one[1] or 0), int(one[2] or 0)) for name, one in found.items() if one}
