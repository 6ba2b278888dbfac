"""Every page and file of a report of next to nothing: it answers, says so in words, and draws nothing false."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from calcinosis_registry.reports.files import pdf_possible
from calcinosis_registry.reports.outline import GROUPED, TITLES
from tests.cohorts.register import cohort_of, project_of
from tests.reports.test_bad_input import CASES, course, registered
from tests.reports.test_every_exhibit import exhibits_of

pytestmark = pytest.mark.django_db
ORDINARY = ("empty cohort", "one patient")


def one_group(clinic: Any) -> None:
    for _one in range(9):
        course(registered(clinic, sex_at_birth="F"), "N", "Y")


MAKERS: dict[str, Callable[[Any], None]] = {name: make for name, (make, _words) in CASES.items()} | {
    "one group": one_group
}


@pytest.fixture
def roots(researcher: Any, coordinator: Any, clinician: Any, north: Any) -> Callable[[], list[tuple[Any, str]]]:
    """(who, the address of their report): inside a project, outside any, of the clinic. Asked for at the end."""

    def found() -> list[tuple[Any, str]]:
        inside = cohort_of(researcher, project_of(researcher, coordinator, north))
        return [
            (researcher, f"/reports/cohort/{inside.public_id}/"),
            (researcher, f"/reports/cohort/{cohort_of(researcher).public_id}/"),
            (clinician, f"/reports/clinic/{north.public_id}/"),
        ]

    return found


def _nothing_false(page: str, where: str) -> None:
    for one in exhibits_of(page):
        assert one["nothing"] or one["rows"] > 1, (where, one)
        assert not (one["nothing"] and one["svg"]), (where, one)
    for word in (">nan", ">inf", "nan %", "NaN", "None</td>"):
        assert word not in page, (where, word)


@pytest.mark.parametrize(
    "case", [pytest.param(one, marks=() if one in ORDINARY else pytest.mark.long) for one in MAKERS]
)
def test_every_page_of_a_poor_cohort_answers_and_draws_nothing_false(case, roots, client_of, north):
    MAKERS[case](north)
    for user, root in roots():
        browser = client_of(user)
        for key in TITLES:
            for by in ("", "?by=patient.sex_at_birth") if key in GROUPED else ("",):
                answer = browser.get(f"{root}{key}/{by}")
                assert answer.status_code == 200, (root, key)
                _nothing_false(answer.content.decode(), f"{root}{key}{by}")
        if "/clinic/" in root:
            _nothing_false(browser.get(root).content.decode(), root)


@pytest.mark.long
@pytest.mark.skipif(not pdf_possible() and not os.environ.get("REGISTRY_CI_STRICT"), reason="Pango is not installed")
@pytest.mark.parametrize("case", MAKERS)
def test_the_whole_report_of_a_poor_cohort_is_printed(case, roots, client_of, north):
    MAKERS[case](north)
    for user, root in roots():
        answer = client_of(user).get(f"{root}report.pdf")
        assert answer.status_code == 200 and answer.content.startswith(b"%PDF"), root
