"""Accounts, clinics, roles, invitations and the trail as tables."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.accounts.proof import proof_required
from calcinosis_registry.accounts.services import end_sessions, forget_sessions, reset_second_factor
from calcinosis_registry.audit.models import Event
from calcinosis_registry.clinics.models import Clinic, Invitation, Membership, Transfer
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission, Role
from calcinosis_registry.clinics.scope import (
    as_text,
    events_visible_to,
    governs,
    people_visible_to,
    told,
)
from calcinosis_registry.clinics.scoped_admin import ScopedAdmin
from calcinosis_registry.clinics.whereabouts import whereabouts

# Not used here (roles.py has the access table), or secrets that no table shows.
for unwanted in (Group, EmailAddress, Authenticator):
    if admin.site.is_registered(unwanted):
        admin.site.unregister(unwanted)

MANAGE = Permission.MANAGE_ACCOUNTS


@admin.register(User)
class UserAdmin(ScopedAdmin):
    """Accounts come by invitation; the password is its owner's alone."""

    view = change = MANAGE
    list_display = ["name", "email", "is_active", "last_login"]
    list_filter = ["is_active"]
    search_fields = ["name", "email"]
    fields = ["name", "email", "is_active", "last_login", "date_joined"]
    readonly_fields = ["last_login", "date_joined"]
    actions = ["end_all_sessions", "reset_factors"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return people_visible_to(request.user)

    def holds(self, request: HttpRequest, permission: Permission | None, obj: Any = None) -> bool:
        return super().holds(request, permission) and (obj is None or people_visible_to(request.user).contains(obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, MANAGE) and (obj is None or governs(request.user, obj))

    @method_decorator(proof_required)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    @method_decorator(proof_required(allow_get=True))
    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changelist_view(request, *args, **kwargs)

    @admin.action(description=_("End all sessions"))
    def end_all_sessions(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for person in self._governed(request, chosen):
            end_sessions(user=person)

    @admin.action(description=_("Reset the second factor"))
    def reset_factors(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for person in self._governed(request, chosen):
            reset_second_factor(user=person)

    @staticmethod
    def _governed(request: HttpRequest, chosen: QuerySet[User]) -> list[User]:
        people = list(chosen)
        if not all(governs(request.user, person) for person in people):
            raise PermissionDenied
        return people


@admin.register(Clinic)
class ClinicAdmin(ScopedAdmin):
    view = change = MANAGE
    list_display = ["code", "name"]
    search_fields = ["code", "name"]
    fields = ["name", "code", "public_id", "next_number", "closed_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["public_id", "next_number", "closed_at", *(["code"] if obj else [])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return None in grants(request.user).get(MANAGE, set())


class MembershipForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["user", "clinic", "role", "valid_from", "valid_until"]

    everywhere = False

    def clean_clinic(self) -> Clinic | None:
        """Whoever manages some clinics gives roles in those, not in all."""
        clinic = self.cleaned_data["clinic"]
        if clinic is None and not self.everywhere:
            raise ValidationError(_("Choose a clinic."))
        return clinic


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Person, clinic and role of a row stay: another role is another row."""

    view = change = add = MANAGE
    form = MembershipForm
    list_display = ["user", "clinic", "role", "valid_from", "valid_until"]
    list_select_related = ["user", "clinic"]
    list_filter = ["role"]
    search_fields = ["user__name", "user__email"]
    fields = ["user", "clinic", "role", "valid_from", "valid_until"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user", "clinic", "role"] if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.everywhere = None in grants(request.user).get(MANAGE, set())
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = people_visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @method_decorator(proof_required)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        forget_sessions(user=obj.user)
        if obj.clinic_id is None and obj.role == Role.ADMIN and obj.valid_until:
            messages.warning(request, _("An admin of the whole register now has an end date."))


@admin.register(Invitation)
class InvitationAdmin(ScopedAdmin):
    """Sent and withdrawn on the accounts page; here to be read."""

    view = MANAGE
    list_display = ["email", "name", "clinic", "role", "expires_at", "accepted_at", "withdrawn_at"]
    list_select_related = ["clinic"]
    fields = [
        "email",
        "name",
        "clinic",
        "role",
        "valid_until",
        "invited_by",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
    ]


@admin.register(Transfer)
class TransferAdmin(ScopedAdmin):
    """Offered, accepted and declined on its own pages; here to be read by the clinicians of both clinics."""

    view = Permission.MOVE_PATIENTS
    list_display = ["registry_number", "from_clinic", "to_clinic", "state", "offered_at", "decided_at"]
    list_select_related = ["from_clinic", "to_clinic"]
    list_filter = ["state"]
    search_fields = ["=registry_number"]
    fields = [
        "registry_number", "from_clinic", "to_clinic", "state", "reason", "offered_by", "offered_at", "decided_by",
        "decided_at", "answer",
    ]  # fmt: skip

    def holds(self, request: HttpRequest, permission: Permission | None, obj: Any = None) -> bool:
        return super().holds(request, permission) and (obj is None or self.get_queryset(request).contains(obj))


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    """The trail is only read. Without the right to a clinic's records the values of its changes are left out."""

    view = Permission.VIEW_TRAIL
    list_display = ["at", "actor_name", "actor_role", "action", "model", "object_id", "patient", "reason"]
    list_filter = ["action"]
    search_fields = ["=patient", "actor_name"]
    fields = [
        "at", "actor_name", "actor_role", "action", "model", "object_id", "patient", "what_changed", "reason", "source",
        "request_id",
    ]  # fmt: skip
    readonly_fields = ["what_changed"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return events_visible_to(request.user, self._permission(request))

    @staticmethod
    def _permission(request: HttpRequest) -> Permission:
        """A clinician reads the history of the clinic's records, an admin the trail."""
        held = grants(request.user)
        return Permission.VIEW_TRAIL if Permission.VIEW_TRAIL in held else Permission.VIEW_RECORDS

    def holds(self, request: HttpRequest, permission: Permission | None, obj: Any = None) -> bool:
        needed = self._permission(request) if permission else None
        return super().holds(request, needed) and (obj is None or self.get_queryset(request).contains(obj))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in {"model", "object_id"} or super().lookup_allowed(lookup, value, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Event | None:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            found.reader = request.user
        return found

    @admin.display(description=_("changes"))
    def what_changed(self, event: Event) -> str:
        changes = told(event, user=event.reader, clinic_of=whereabouts())  # type: ignore[attr-defined]
        return "\n".join(f"{name}: {as_text(value)}".rstrip(": ") for name, value in changes.items())
