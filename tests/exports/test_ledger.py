"""The list of exports: what was made, what was asked for and came to nothing, and what is gone."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.jobs.services import ask
from tests.exports.made import export

pytestmark = pytest.mark.django_db


def test_the_list_says_what_became_of_what_was_asked_for(client_of, cohort, researcher, coordinator, time_machine):
    browser = client_of(researcher)
    waiting = ask(kind="export", title="Export of everyone", arguments={}, by=researcher)
    assert "Waiting for the worker" in (page := browser.get("/exports/").content.decode())
    assert waiting.get_absolute_url() in page
    browser.post(reverse("jobs:cancel", args=[waiting.public_id]))
    assert "Cancelled" in browser.get("/exports/").content.decode()
    told = browser.get(waiting.get_absolute_url()).content.decode()
    assert "nothing to download" in told and "the work goes on" not in told
    assert "Export of everyone" not in client_of(coordinator).get("/exports/").content.decode()
    time_machine.move_to(timezone.now() + datetime.timedelta(days=8))
    assert "Export of everyone" not in client_of(researcher).get("/exports/").content.decode()


def test_an_export_whose_week_is_over_says_so_before_it_is_asked_for(client_of, cohort, researcher, time_machine):
    made = export(cohort, researcher)
    time_machine.move_to(timezone.now() + datetime.timedelta(days=8))
    page = client_of(researcher).get(made.get_absolute_url()).content.decode()
    assert "kept for a week" in page and f"/exports/of/{cohort.public_id}/" in page and "Download zip" not in page
