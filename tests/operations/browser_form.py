"""The form of a page as a browser would send it unchanged."""

from __future__ import annotations

from html.parser import HTMLParser


class PageForms(HTMLParser):
    """Every form of a page: ``forms`` is a list of (action, {name: values})."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, list[str]]]] = []
        self._by_id: dict[str, dict[str, list[str]]] = {}
        self._area = self._select = ""
        self._chosen = False
        self.feed(page)

    def _form(self, told: dict[str, str | None]) -> dict[str, list[str]] | None:
        if owner := told.get("form"):
            return self._by_id.get(owner)
        return self.forms[-1][1] if self.forms else None

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if tag == "form":
            self.forms.append((told.get("action") or "", {}))
            self._by_id[told.get("id") or ""] = self.forms[-1][1]
            return
        form, name = self._form(told), told.get("name")
        if form is None or "disabled" in told:
            return
        if tag == "input" and name:
            kind = told.get("type", "text")
            if kind in ("submit", "button", "file", "image") or (
                kind in ("checkbox", "radio") and "checked" not in told
            ):
                return
            form.setdefault(name, []).append(told.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "textarea" and name:
            self._area = name
            form.setdefault(name, []).append("")
        elif tag == "select" and name:
            self._select, self._into, self._first = name, form, True
        elif tag == "option" and self._select:
            value = told.get("value") or ""
            if "selected" in told:
                self._into[self._select] = [value]
            elif self._first:
                self._into.setdefault(self._select, [value])
            self._first = False

    def handle_data(self, data):
        if self._area:
            self.forms[-1][1][self._area][-1] += data

    def handle_endtag(self, tag):
        if tag == "textarea" and self._area:  # the first line end after the tag is no part of the text
            values = self.forms[-1][1][self._area]
            values[-1] = values[-1].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""

    def longest(self) -> dict[str, list[str]]:
        """The form the page is about."""
        return max((values for _action, values in self.forms), key=len)
