"""What allauth asks us: who may sign in, how often, what a link in an e-mail looks like, how secrets are kept."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from smtplib import SMTPException
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.known_devices import device_of, remember
from calcinosis_registry.accounts.links import absolute_url, host
from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.sealing import FACTORS

logger = logging.getLogger(__name__)
# An e-mail about a forgotten password leaves beside the request: neither its duration nor a mail server that is down
# may tell whether the address has an account.
POST_OFFICE = ThreadPoolExecutor(max_workers=2, thread_name_prefix="post")


class RegistryAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt: on a known device of the account by itself, elsewhere by account and address."""
        user = _account(credentials)
        device = device_of(request, user) if user else ""
        action = "login_failed_known_device" if device else "login_failed"
        key = f"{device}:{user.pk}" if user and device else str(credentials.get("email", "")).strip().lower()
        self._login_failed_rl_usage = ratelimit.consume(request, app="allauth.account", action=action, key=key)
        if not self._login_failed_rl_usage:
            if cache.add(f"refused:{sha256(key.encode()).hexdigest()}", True, timeout=3600):  # no flood of events
                tell_refused(user, "password", "too many attempts")
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        tell_refused(_account(credentials), "password")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        key = str(credentials.get("email", "")).strip().lower()
        ratelimit.clear(request, app="allauth.account", action="login_failed", key=key)

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        response = super().post_login(request, user, **details)
        remember(request, response, user)
        return response

    def get_reset_password_from_key_url(self, key: str) -> str:
        return absolute_url(self.request, urlsplit(super().get_reset_password_from_key_url(key)).path)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Notices about one's account: a mail server that is down must not undo what the notice is about."""
        _send(self._mail(template_prefix, email, context))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        POST_OFFICE.submit(_send, self._mail("account/email/password_reset_key", email, context))

    def _mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> EmailMessage:
        site = SimpleNamespace(name=_("Calcinosis registry"), domain=host(self.request))
        values = {"request": self.request, "email": email, "current_site": site, **context}
        return self.render_mail(template_prefix, email, values)


def _account(credentials: dict[str, Any]) -> User | None:
    return User.objects.filter(email__iexact=str(credentials.get("email", "")).strip()).first()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except (OSError, SMTPException) as error:
        logger.error("an e-mail could not be sent: %s", type(error).__name__)


def tell_refused(user: User | None, factor: str, why: str = "wrong") -> None:
    """One event for a sign-in or proof that failed. What was typed is not in it: it may be a password."""
    trail.tell(Action.REFUSED, about=user, changes={factor: [None, why]})


class RegistryMFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return FACTORS.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return FACTORS.open(encrypted_text)

    def get_totp_issuer(self) -> str:
        return _("Calcinosis registry")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """A passkey belongs to the register's own name, whatever host a request claims."""
        return {"id": host(self.request), "name": _("Calcinosis registry")}
