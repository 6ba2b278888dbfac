"""For templates: the mark of a status (``{{ status|mark }}``, ``{% lesion_tag "L1" "LARGER" ulcerated=True %}``), a
field of a form (``{% drawn form.site %}``)."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from calcinosis_registry.records.drawing import drawn
from calcinosis_registry.records.marks import lesion_tag, status_mark

register = template.Library()
register.filter("mark", status_mark)
register.simple_tag(lesion_tag)
register.simple_tag(drawn)


@register.simple_tag(takes_context=True)
def drawn_field(context: Context) -> SafeString:
    """The ``field`` of the context, as crispy-forms and the library's forms hand it over."""
    return drawn(context["field"], context.get("wrapper_class") or "", context.get("form_show_labels", True))
