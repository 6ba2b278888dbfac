"""A refusal: why a file is not taken, in one sentence a person can act on. Knows neither Django nor any file format."""

from __future__ import annotations

from typing import Any


def gettext_noop(text: str) -> str:
    """Mark ``text`` for translation and return it: the parsing process runs without Django, so the page translates."""
    return text


class Refused(Exception):
    """The file is not taken. ``text``: one sentence with %(places)s; ``values`` fill them; ``name``: the file's."""

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text, values)
        self.text = text
        self.values = values
        self.name = ""
        self.status = 200  # of the answer that tells of it

    def answered(self, status: int) -> Refused:
        self.status = status
        return self

    def __str__(self) -> str:
        return self._sentence(self.text)

    def localised(self) -> str:
        """The sentence in the language of the request. Needs Django's settings."""
        from django.utils.translation import gettext

        return self._sentence(gettext(self.text))

    def _sentence(self, text: str) -> str:
        reason = text % self.values if self.values else text
        return f"{self.name}: {reason}" if self.name else reason
