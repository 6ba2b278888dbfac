"""Anchors: a trail written anew with its key fits itself, and not what left the machine."""

from __future__ import annotations

import datetime
import os
import re
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from calcinosis_registry.audit import anchors, guards, trail, witness
from calcinosis_registry.audit.models import Action, Event
from tests.audit.test_chain import an_event, raw, verify, written

__all__ = ["written"]
pytestmark = pytest.mark.django_db


def anchor(**options) -> str:
    out = StringIO()
    call_command("anchor_audit", stdout=out, **options)
    return out.getvalue().strip()


def written_anew(events: int) -> None:
    """What somebody with the database and the key can do: another history, sealed from its beginning, and its head."""
    guards.lift()
    raw("DELETE FROM audit_event")
    guards.install()
    Event.objects.bulk_create([an_event(number, actor_name="Somebody Else") for number in range(events)])
    last = Event.objects.order_by("pk").last()
    witness.note(last.pk, last.seal, even_back=True)


def test_the_end_of_the_trail_is_noted_here_and_elsewhere_and_mailed(written, tmp_path, mailoutbox):
    elsewhere = tmp_path / "anchors"
    line = anchor(append=[elsewhere], mail=["officer@example.org"])
    assert f"event 30 {written[-1].seal}" in line and elsewhere.read_text() == f"{line}\n"
    assert mailoutbox[0].to == ["officer@example.org"] and mailoutbox[0].body == f"{line}\n"
    trail.tell(Action.SIGN_IN)
    anchor(append=[elsewhere])
    assert [one.event for one in anchors.read(elsewhere.read_text())] == [30, 31]
    assert "31 events" in verify()


def test_a_trail_written_anew_with_its_key_fits_itself_and_not_what_was_noted_elsewhere(written, tmp_path):
    elsewhere = tmp_path / "mail.txt"
    elsewhere.write_text(f"Received: by mail\n> {anchor()}\n")
    written_anew(30)
    _witness().unlink()
    assert "30 events" in verify(), "by itself it fits"
    with pytest.raises(CommandError, match="event 30: another event stood here when it was anchored"):
        call_command("verify_audit", anchors=[elsewhere], stdout=StringIO(), stderr=StringIO())


def test_the_anchors_kept_beside_the_keys_are_compared_each_time(written):
    anchor()
    written_anew(30)
    with pytest.raises(CommandError, match="event 30: another event stood here"):
        verify()
    with pytest.raises(CommandError, match="event 30: another event stood here"):
        anchor()


def test_a_tail_cut_off_with_its_head_is_missed_by_its_anchor(written):
    anchor()
    written_anew(29)
    with pytest.raises(CommandError, match=r"event 30: it was anchored, .* and is missing"):
        verify()


def test_what_was_changed_since_the_last_anchor_is_not_anchored(written):
    anchor()
    trail.tell(Action.SIGN_IN)
    guards.lift()
    raw("UPDATE audit_event SET actor_name = 'X' WHERE id = 31")
    guards.install()
    with pytest.raises(CommandError, match="event 31: its seal does not fit"):
        anchor()
    assert [one["event"] for one in witness.remembered(witness.ANCHORS)] == [30]


def test_without_its_triggers_the_trail_is_not_anchored(written):
    guards.lift()
    with pytest.raises(CommandError, match="trigger"):
        anchor()
    guards.install()


def test_a_restored_backup_explains_why_anchored_events_are_others_now(written):
    anchor()
    guards.lift()
    raw("DELETE FROM audit_event WHERE id > 20")
    guards.install()
    trail.continue_after_restore(reason="backup of the night")
    for _event in range(12):
        trail.tell(Action.SIGN_IN)
    assert "33 events" in verify()
    assert "event 33 " in anchor()


def compared(elsewhere: Path, **options) -> str:
    out = StringIO()
    call_command("verify_audit", anchors=[elsewhere], stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_what_only_a_restore_explains_fits_once_somebody_knows_of_that_restore(written, tmp_path):
    elsewhere = tmp_path / "anchors"
    elsewhere.write_text(f"{anchors.Anchor(timezone.now(), 20, written[19].seal)}\n")
    anchor(append=[elsewhere])
    assert "2 anchors fit." in compared(elsewhere)
    guards.lift()
    raw("DELETE FROM audit_event WHERE id > 20")
    guards.install()
    trail.continue_after_restore(reason="backup of the night")
    anchor(append=[elsewhere])
    said = r"2 anchors fit, 1 explained only by the restore of \S+ \(event 21\)"
    for accepted in ([], [20]):
        with pytest.raises(CommandError, match=f"{said}.*--accept-restore 21"):
            compared(elsewhere, accept_restore=accepted)
    assert re.search(said, compared(elsewhere, accept_restore=[21]))


def with_a_restore(at: datetime.datetime) -> None:
    """Another history of 31 events; the third of them says that a backup was restored."""
    guards.lift()
    raw("DELETE FROM audit_event")
    guards.install()
    told = [an_event(number, actor_name="Somebody Else") for number in range(31)]
    told[2].action, told[2].at = Action.RESTORE, at
    Event.objects.bulk_create(told)
    last = Event.objects.order_by("pk").last()
    witness.note(last.pk, last.seal, even_back=True)


def test_a_restore_that_never_was_excuses_no_anchor(written, tmp_path):
    elsewhere = tmp_path / "anchors"
    anchor(append=[elsewhere])
    with_a_restore(datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC))
    for check in (verify, anchor, lambda: compared(elsewhere, accept_restore=[3])):
        with pytest.raises(CommandError, match="event 30: another event stood here"):
            check()


def test_a_restore_later_than_the_event_after_it_excuses_no_anchor(written, tmp_path):
    elsewhere = tmp_path / "anchors"
    anchor(append=[elsewhere])
    with_a_restore(timezone.now())
    assert Event.objects.get(pk=4).at < timezone.now() - datetime.timedelta(minutes=2)
    with pytest.raises(CommandError, match="event 30: another event stood here"):
        compared(elsewhere, accept_restore=[3])


def test_an_anchor_that_was_written_by_somebody_else_is_no_anchor(written):
    anchor()
    _witness().write_text(_witness().read_text().replace('"event": 30', '"event": 29'))
    with pytest.raises(CommandError, match="anchors in WITNESS_DIR cannot be read"):
        verify()


def test_a_file_without_an_anchor_or_that_is_not_there_is_said(written, tmp_path):
    (tmp_path / "empty").write_text("nothing")
    for name, said in (("empty", "no anchor in it"), ("gone", "No such file")):
        with pytest.raises(CommandError, match=said):
            call_command("verify_audit", anchors=[tmp_path / name], stdout=StringIO(), stderr=StringIO())
    with pytest.raises(CommandError, match="Anchored, but not in"):
        anchor(append=[tmp_path / "no" / "where"])


def test_a_line_that_only_looks_like_an_anchor_is_passed_over_and_one_without_its_zone_is_read(written, tmp_path):
    seal, told = "0" * 64, tmp_path / "told"
    told.write_text(
        f"calcinosis-registry 2026-99-99T08:15:00+00:00 event 30 {seal}\n"
        f"calcinosis-registry 2026-11-23T08:15:00+00:00 event {'9' * 19} {seal}\n"
    )
    with pytest.raises(CommandError, match="no anchor in it"):
        compared(told)
    trail.continue_after_restore(reason="backup of the night")
    told.write_text(f"calcinosis-registry 2020-01-01T08:15:00.000000 event 40 {seal}\n")
    with pytest.raises(CommandError, match=r"--accept-restore 31"):
        compared(told)


def test_a_full_disk_anchors_nothing_and_says_so(written, monkeypatch):
    monkeypatch.setattr(os, "pwrite", lambda _file, line, _at: len(line) // 2)
    with pytest.raises(CommandError, match=r"Nothing was anchored.*No space left"):
        anchor()
    assert witness.remembered(witness.ANCHORS) == []


def _witness() -> Path:
    return Path(settings.WITNESS_DIR) / witness.ANCHORS
