"""One short PDF for every page that is asked for as paper: who may have it does not hang on what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from calcinosis_registry.reports import files


@contextmanager
def short_paper() -> Iterator[None]:
    """Setting a page takes up to ten seconds; probes ask for each many times, by every kind of account."""
    with mock.patch.object(files, "pdf", return_value=files.pdf("<p>Paper</p>") if files.pdf_possible() else b""):
        yield
