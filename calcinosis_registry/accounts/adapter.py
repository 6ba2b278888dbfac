"""What allauth asks us: who may sign in, how often, what a link in an e-mail looks like, how secrets are kept."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
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
from calcinosis_registry.accounts.notices import Notice, notify, post
from calcinosis_registry.accounts.services import STARTED
from calcinosis_registry.audit import trail
from calcinosis_registry.audit.models import Action
from calcinosis_registry.sealing import FACTORS

WRONG_PROOFS, MOST_WRONG_PROOFS = "wrong_proofs", 5  # of one session


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
                if user is not None and user.is_active:
                    notify(user, Notice.TOO_MANY)
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        tell_refused(_account(credentials), "password")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        key = str(credentials.get("email", "")).strip().lower()
        ratelimit.clear(request, app="allauth.account", action="login_failed", key=key)

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        response = super().post_login(request, user, **details)
        if not device_of(request, user):
            notify(user, Notice.NEW_DEVICE)
        remember(request, response, user)
        return response

    def reauthenticate(self, user: User, password: str) -> bool:
        """An open workstation is no place to guess: after five wrong ones the session is over at its next request."""
        session = self.request.session
        if super().reauthenticate(user, password):
            session.pop(WRONG_PROOFS, None)
            return True
        session[WRONG_PROOFS] = session.get(WRONG_PROOFS, 0) + 1
        if session[WRONG_PROOFS] == MOST_WRONG_PROOFS:
            session[STARTED] = 0
            notify(user, Notice.WRONG_PROOFS)
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        return absolute_url(self.request, urlsplit(super().get_reset_password_from_key_url(key)).path)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Notices about one's account: a mail server that is down or slow must not undo what the notice is about."""
        post(self._mail(template_prefix, email, context))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        post(self._mail("account/email/password_reset_key", email, context))

    def _mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> Callable[[], EmailMessage]:
        site = SimpleNamespace(name=_("Calcinosis registry"), domain=host(self.request))
        values = {"request": self.request, "email": email, "current_site": site, **context}
        message = self.render_mail(template_prefix, email, values)
        return lambda: message


def _account(credentials: dict[str, Any]) -> User | None:
    return User.objects.filter(email__iexact=str(credentials.get("email", "")).strip()).first()


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
