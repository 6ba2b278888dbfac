"""The frame of every page: what is the same on all of them is rendered once a process."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def fixed(name: str) -> SafeString:
    """A template that needs nothing of the page: the same for everybody in a language."""
    if settings.DEBUG:
        return render_to_string(name)
    return _rendered(name, get_language(), get_script_prefix())


@lru_cache(maxsize=64)
def _rendered(name: str, _language: str | None, _prefix: str) -> SafeString:
    return render_to_string(name)
