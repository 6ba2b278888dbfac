"""Passkeys: what the library's pages lack for ours."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView
from django.http import HttpResponse


class AddPasskey(AddWebAuthnView):
    """A refused passkey shows its page again, with what was wrong."""

    def get_context_data(self, **kwargs: Any) -> dict:
        context = super().get_context_data(**kwargs)
        context["form"] = kwargs.get("form") or context["form"]
        return context


class ReauthenticateByPasskey(ReauthenticateWebAuthnView):
    """The library sends a refused passkey to the sign-in page, from where the work in hand is out of reach."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))

    def get_context_data(self, **kwargs: Any) -> dict:
        context = super().get_context_data(**kwargs)
        context["form"] = kwargs.get("form") or context["form"]
        return context
