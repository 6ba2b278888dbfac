"""A browser context that carries an account's session, whose pages' complaints are kept; a chip that is clicked."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from calcinosis_registry.accounts.models import User
from tests.conftest import prove


def watch(context: BrowserContext, url: str, complaints: list[str]) -> None:
    """Console errors, page errors and requests to another host than ``url``'s go to ``complaints``."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and address.netloc != urlsplit(url).netloc:
            complaints.append(f"left the host: {request.method} {request.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.append(f"page error: {error.error}"))
    context.on("request", on_request)
    context.set_default_timeout(30_000)


def carry_session(context: BrowserContext, user: User, url: str) -> None:
    """The browser is signed in as ``user``, who has just typed the password."""
    client = Client()
    client.force_login(user)
    prove(client, user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def choose(page: Page, name: str, value: int | str) -> None:
    """Click a chip."""
    page.click(f'[data-value="{value}"]:has(input[name="{name}"])')
