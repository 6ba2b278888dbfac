"""Addresses that leave the register in an e-mail: their host is a setting, never what a request says about itself."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def absolute_url(request: HttpRequest, path: str) -> str:
    """The path with scheme and host. Only a register on this machine, without REGISTRY_URL, takes the request's."""
    return settings.REGISTRY_URL + path if settings.REGISTRY_URL else request.build_absolute_uri(path)


def host(request: HttpRequest) -> str:
    """The name the register goes by, without its port; passkeys belong to it."""
    return urlsplit(absolute_url(request, "/")).hostname or ""
