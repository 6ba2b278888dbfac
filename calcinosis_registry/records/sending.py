"""A stored file as an answer. It is opened when the server begins to send it, not before: an answer that is dropped on
its way out (the session cannot be saved) leaves no file open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

BLOCK = 2**20


class SentFile(StreamingHttpResponse):
    """``name``: to be kept under by whoever downloads it; "" to be shown. Raises FileNotFoundError where it is gone."""

    def __init__(
        self, path: Path, *, content_type: str, name: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        size = path.stat().st_size
        super().__init__(_blocks(path), content_type=content_type, headers=dict(headers or {}))
        self["Content-Length"] = size
        self["Content-Disposition"] = (content_disposition_header(True, name) if name else None) or "inline"


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
