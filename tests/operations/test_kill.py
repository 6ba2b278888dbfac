"""kill -9 under load: what was acknowledged is there, once, with its events, and the database is sound."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Iterator

import pytest

from tests.operations.consistency import assert_self_consistent
from tests.operations.register import Register, a_visit, days, token

pytestmark = pytest.mark.django_db


class Ledger:
    """What the clients know: what they sent, and what was acknowledged. ``excused``: answers that say "not saved"."""

    def __init__(self, register: Register, excused: frozenset[int] = frozenset()) -> None:
        self.register, self.excused = register, excused
        self.sent: dict[str, tuple[str, str]] = {}
        self.saved: set[str] = set()
        self.strange: list[str] = []
        self.days: dict[str, Iterator[str]] = {patient: days() for patient in register.known["patients"]}

    def send(self, name: str) -> None:
        patient, day = self.sent[name]
        answer = self.register.post(f"/patients/{patient}/visits/new/", a_visit(day, name))
        if answer.status == 302:
            self.saved.add(name)
        elif answer.status not in self.excused:
            self.strange.append(f"{answer.status} {answer.text[:2000]}")

    def write(self, patient: str, stop: threading.Event) -> None:
        """One client: saves visit after visit until the server is gone."""
        while not stop.is_set():
            name = token()
            self.sent[name] = (patient, next(self.days[patient]))
            try:
                self.send(name)
            except (OSError, http.client.HTTPException):
                return

    def send_again(self) -> None:
        """What a person does who saw no answer: press the button once more."""
        for name in set(self.sent) - self.saved:
            self.send(name)

    def check(self) -> None:
        assert not self.strange, self.strange[0]
        kept = [name for (name,) in self.register.rows("SELECT public_id FROM patients_visit")]
        assert not self.saved - set(kept), f"acknowledged and lost: {self.saved - set(kept)}"
        assert len(kept) == len(set(kept))
        new = self.register.rows("SELECT COUNT(*) FROM patients_visit WHERE visit_date > '2019-01-31'")[0][0]
        assert new <= len(self.sent), "more visits than were ever sent"
        assert_self_consistent(self.register)


def under_load(ledger: Ledger, dice: random.Random, end: object) -> None:
    """Four clients write; after a moment ``end`` happens to the server."""
    stop = threading.Event()
    clients = [threading.Thread(target=ledger.write, args=(one, stop)) for one in list(ledger.days)[:4]]
    saved = len(ledger.saved)
    for one in clients:
        one.start()
    until = time.monotonic() + 30
    while len(ledger.saved) == saved and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(dice.uniform(0, 0.8))
    end()  # type: ignore[operator]
    stop.set()
    for one in clients:
        one.join()


def cycles(register: Register, times: int, seed: int) -> Ledger:
    ledger, dice = Ledger(register), random.Random(seed)
    for _ in range(times):
        register.start()
        ledger.send_again()
        under_load(ledger, dice, register.kill)
        ledger.check()
    register.start()
    ledger.send_again()
    register.terminate()
    ledger.check()
    new = register.rows("SELECT COUNT(*) FROM patients_visit WHERE visit_date > '2019-01-31'")[0][0]
    assert new == len(ledger.sent) == len(ledger.saved), "each visit that was ever sent is there exactly once"
    return ledger


def test_ten_times_killed_nothing_acknowledged_is_lost(register: Register):
    ledger = cycles(register, 10, seed=1)
    print(f"{len(ledger.saved)} acknowledged saves in 10 cycles")
    assert len(ledger.saved) > 20


@pytest.mark.long
def test_two_hundred_times_killed_nothing_acknowledged_is_lost(register: Register):
    ledger = cycles(register, 200, seed=2)
    print(f"{len(ledger.saved)} acknowledged saves in 200 cycles")
    assert len(ledger.saved) > 400


def test_a_harness_that_loses_a_save_would_say_so(register: Register):
    """The check itself: a visit, then an event, taken away behind its back."""
    register.start()
    ledger = Ledger(register)
    patient = next(iter(ledger.days))
    for _ in range(2):
        ledger.sent[name := token()] = (patient, next(ledger.days[patient]))
        ledger.send(name)
    register.terminate()
    ledger.check()
    ledger.saved.add("never kept")
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        ledger.check()
    ledger.saved.discard("never kept")
    register.without_event(name)
    with pytest.raises(AssertionError, match="without their event"):
        ledger.check()


def test_a_polite_stop_under_load_answers_what_is_in_flight(register: Register):
    register.start()
    ledger = Ledger(register)
    codes = []
    under_load(ledger, random.Random(3), lambda: codes.append(register.terminate()))
    assert codes == [0]
    ledger.check()
    lost = set(ledger.sent) - ledger.saved
    kept = {name for (name,) in register.rows("SELECT public_id FROM patients_visit")}
    assert not lost & kept, "saved and never answered"
