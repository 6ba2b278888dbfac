"""A SQLite file read past Python by a program of its own: this module run by itself answers SQL with Arrow streams.

The driver brings a SQLite library of its own. Two of them in one process do not know of each other's locks: where the
driver closes the file, those of the register's connections are gone, their journal is deleted under them, and what they
save next is lost (sqlite.org, "How To Corrupt An SQLite Database File", 2.2.1). So it never runs where they live.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote


@contextmanager
def opened(database: str) -> Iterator[Callable[[str], Any]]:
    """Ask with SQL, get a RecordBatchReader; read it to its end before the next. All answers belong to one moment."""
    import pyarrow as pa

    command = [sys.executable, "-I", __file__, database]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  ourselves
    assert child.stdin is not None and child.stdout is not None  # noqa: S101  for the type
    questions, answers = child.stdin, child.stdout

    def ask(sql: str) -> Any:
        questions.write(json.dumps(sql).encode() + b"\n")
        questions.flush()
        return pa.ipc.open_stream(answers)

    try:
        yield ask
        questions.close()
        if child.wait(timeout=60):
            raise OSError(f"reading {database} ended with {child.returncode}")
    finally:
        child.kill()  # nothing where it has ended
        child.wait()
        for pipe in (questions, answers):
            with suppress(BrokenPipeError):  # a question that was never taken; why stands in the error on its way
                pipe.close()


def main(database: str) -> None:
    import pyarrow as pa
    from adbc_driver_sqlite import dbapi

    with dbapi.connect(f"file:{quote(database)}?mode=ro") as connection, connection.cursor() as cursor:
        for question in sys.stdin.buffer:
            cursor.execute(json.loads(question))
            answer = cursor.fetch_record_batch()
            with pa.ipc.new_stream(sys.stdout.buffer, answer.schema) as stream:
                for batch in answer:
                    stream.write_batch(batch)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
