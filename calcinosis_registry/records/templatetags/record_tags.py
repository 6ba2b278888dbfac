"""The mark of a status, for templates: ``{{ status|mark }}``, ``{{ "ULCER"|mark:"status-mark-ulcer" }}``."""

from __future__ import annotations

from django import template

from calcinosis_registry.records.marks import status_mark

register = template.Library()
register.filter("mark", status_mark)
