"""What a browser would send back of a page that is only read, and the addresses of the admin."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

WHY = {"reason": "put right"}  # a saved answer changes with a reason


def filled(forms: Any) -> dict[str, Any]:
    """The values of unchanged forms by the names of their controls."""
    return {
        bound.html_name: [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
        for form in forms
        for bound in form
        if (value := bound.value()) is not None and value is not False and value not in ("", [], ())
    }


class VisitPage:
    """The visit page of one visit in one browser."""

    def __init__(self, client: Client, visit: Any) -> None:
        self.client, self.url = client, visit.get_absolute_url()

    def post(self, **changes: Any) -> Any:
        """Send the page as it stands with these changes; ``l1__removal`` is the control ``l1-removal``."""
        page = self.client.get(self.url).context["page"]
        sent = filled([page.form, *(row.form for row in page.rows)])
        typed = {name.replace("__", "-"): value for name, value in changes.items()}
        return self.client.post(self.url, sent | WHY | typed)


class Table:
    """The admin's page of one row in one browser."""

    def __init__(self, client: Client, row: Any) -> None:
        self.client = client
        self.url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

    def post(self, **changes: Any) -> Any:
        sent = filled([self.client.get(self.url).context["adminform"].form])
        return self.client.post(self.url, sent | WHY | changes)

    def errors(self, **changes: Any) -> dict[str, list[str]]:
        """What the page says to these changes; {} when it saved them."""
        answer = self.post(**changes)
        return dict(answer.context["adminform"].form.errors) if answer.status_code == 200 else {}


class RecordPage:
    """The page of one record, or of a new one at a visit."""

    def __init__(self, client: Client, record: Any = None, *, kind: str = "", visit: Any = None) -> None:
        self.client = client
        if record is not None:
            self.url = reverse("patients:record", args=[record.kind(), record.public_id])
        else:
            self.url = reverse("patients:record_add", args=[visit.patient.public_id, kind])
            self.url += f"?visit={visit.public_id}"

    def post(self, **changes: Any) -> Any:
        sent = filled([self.client.get(self.url).context["form"]])
        return self.client.post(self.url, sent | WHY | changes)

    def errors(self, **changes: Any) -> dict[str, list[str]]:
        answer = self.post(**changes)
        return dict(answer.context["form"].errors) if answer.status_code == 200 else {}
