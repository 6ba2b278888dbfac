"""The e-mail that carries an invitation's link."""

from __future__ import annotations

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from calcinosis_registry.clinics.models import Invitation


def invitation_path(token: str) -> str:
    return reverse("clinics:accept", args=[token])


def send_invitation(*, invitation: Invitation, url: str) -> None:
    """Plain text, without a word about patients. Raises OSError or SMTPException when the mail server refuses."""
    text = render_to_string("clinics/invitation_email.txt", {"invitation": invitation, "url": url})
    send_mail(_("Invitation to the calcinosis registry"), text, None, [invitation.email])
