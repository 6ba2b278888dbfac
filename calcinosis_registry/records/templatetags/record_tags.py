"""The mark of a status, for templates: ``{{ status|mark }}``, ``{% lesion_tag "L1" "LARGER" ulcerated=True %}``."""

from __future__ import annotations

from django import template

from calcinosis_registry.records.marks import lesion_tag, status_mark

register = template.Library()
register.filter("mark", status_mark)
register.simple_tag(lesion_tag)
