"""A snapshot is read beside the register's own connections, and takes nothing from them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from calcinosis_registry.cohorts.snapshot import aside


@pytest.fixture
def register(tmp_path):
    path = tmp_path / "a register? 100%.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE rows (number INTEGER)")
    connection.execute("INSERT INTO rows VALUES (1)")
    yield path, connection
    connection.close()


def seen_elsewhere(path) -> int:
    told = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM rows').fetchone()[0])"
    return int(subprocess.run([sys.executable, "-c", told, path], capture_output=True, check=True).stdout)


def test_what_is_saved_after_a_reading_is_not_lost(register):
    path, mine = register
    mine.execute("SELECT * FROM rows").fetchall()
    with aside.opened(str(path)) as ask:
        assert ask("SELECT number FROM rows").read_all().to_pydict() == {"number": [1]}
    assert path.with_name(f"{path.name}-wal").exists()
    mine.execute("INSERT INTO rows VALUES (2)")
    assert seen_elsewhere(path) == 2
    mine.execute("INSERT INTO rows VALUES (3)")
    assert seen_elsewhere(path) == 3


def test_all_answers_belong_to_one_moment(register):
    path, mine = register
    with aside.opened(str(path)) as ask:
        assert ask("SELECT COUNT(*) AS n FROM rows").read_all().to_pylist() == [{"n": 1}]
        mine.execute("INSERT INTO rows VALUES (2)")
        assert ask("SELECT COUNT(*) AS n FROM rows").read_all().to_pylist() == [{"n": 1}]


def test_a_reading_that_fails_is_an_error_and_leaves_no_process(register):
    path, mine = register
    with pytest.raises(Exception), aside.opened(str(path)) as ask:  # noqa: B017  whichever Arrow finds fit
        ask("SELECT * FROM nothing_of_the_kind").read_all()
    mine.execute("INSERT INTO rows VALUES (2)")
    assert seen_elsewhere(path) == 2
