"""A form of a page as a browser would send it untouched: {name: [values]}."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    def __init__(self, mark: str) -> None:
        super().__init__(convert_charrefs=True)
        self.mark, self.inside, self.depth = mark, False, 0
        self.sent: dict[str, list[str]] = {}
        self.select = self.text_of = ""
        self.first: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = self.mark in has
        if tag == "template":
            self.depth += 1
        if not self.inside or self.depth:
            return
        name = has.get("name", "")
        if tag == "input" and name and has.get("type") not in ("submit", "file"):
            if has.get("type") not in ("radio", "checkbox") or "checked" in has:
                ticked = "on" if has.get("type") in ("radio", "checkbox") else ""
                self.sent.setdefault(name, []).append(has.get("value", ticked))
        elif tag == "textarea" and name:
            self.text_of = name
            self.sent.setdefault(name, []).append("")
        elif tag == "select":
            self.select, self.first = name, None
        elif tag == "option" and self.select:
            self.first = self.first or (self.select, has.get("value", ""))
            if "selected" in has:
                self.sent.setdefault(self.select, []).append(has.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self.depth -= 1
        elif tag == "form":
            self.inside = False
        elif tag == "textarea" and self.text_of:
            self.sent[self.text_of][-1] = self.sent[self.text_of][-1].removeprefix("\n")
            self.text_of = ""
        elif tag == "select" and self.select:
            if self.select not in self.sent and self.first:
                self.sent[self.select] = [self.first[1]]
            self.select = ""

    def handle_data(self, data: str) -> None:
        if self.text_of:
            self.sent[self.text_of][-1] += data


def sent_by(response: Any, mark: str = "data-keep-form", *, reason: str = "as told") -> dict[str, Any]:
    """The form marked so, as it would be sent; a name sent once is a string. ``reason``: why saved answers change."""
    reader = _Reader(mark)
    reader.feed(response.content.decode())
    assert reader.sent, f"no form with {mark} on the page"
    sent = {name: values[0] if len(values) == 1 else values for name, values in reader.sent.items()}
    return sent | {"reason": reason} if sent.get("reason") == "" else sent
