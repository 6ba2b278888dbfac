"""Passkeys as the browser hands them over: whatever it sends, the answer is a form with an error, never a crash."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.accounts.adapter import tell_refused
from calcinosis_registry.sealing import FACTORS, Unopened

NAME_LENGTH = 60
# A credential is some hundred bytes of base64.
CREDENTIAL_LENGTH = 16_384


class CredentialField(forms.JSONField):
    widget = forms.HiddenInput
    default_error_messages = {"required": __("The browser sent no passkey."), "invalid": __("This is no passkey.")}

    def to_python(self, value: Any) -> Any:
        try:
            if value and len(value) > CREDENTIAL_LENGTH:
                raise RecursionError
            return super().to_python(value)
        except RecursionError as error:  # JSON nested too deeply
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class ActivateAppForm(ActivateTOTPForm):
    """The secret an app is about to get waits in the session, which is a row of the database: sealed there, too."""

    secret: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = context.request.session
        try:
            self.secret = FACTORS.open(self.secret) if self.secret.startswith(FACTORS.mark) else self.secret
        except Unopened:  # the key was changed meanwhile: the code will not fit, and the next page has a new secret
            self.secret = generate_totp_secret()
        session[SECRET_SESSION_KEY] = FACTORS.seal(self.secret)


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(label=__("Name of this passkey"), required=False, max_length=NAME_LENGTH)
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except ValidationError as error:
            raise ValidationError(_("This passkey could not be added. Try again.")) from error
        except Exception as error:  # the library parses what anybody may send, and fails in many ways
            raise ValidationError(_("This passkey could not be added. Try again.")) from error


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=__("Name of this passkey"), max_length=NAME_LENGTH)


class PasskeyForm(AuthenticateWebAuthnForm):
    credential = CredentialField()

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except ValidationError as error:
            tell_refused(self.user, str(Authenticator.Type.WEBAUTHN))
            if error.code == "too_many_login_attempts":
                raise
            raise ValidationError(_("This passkey was not accepted. Try again.")) from error
        except Exception as error:  # the library parses what anybody may send, and fails in many ways
            tell_refused(self.user, str(Authenticator.Type.WEBAUTHN))
            raise ValidationError(_("This passkey was not accepted. Try again.")) from error


class PasskeyAgainForm(PasskeyForm, ReauthenticateWebAuthnForm):
    """The same as a proof."""
