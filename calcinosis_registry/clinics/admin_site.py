"""Django's admin behind our own sign-in, for whoever a role lets in."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission as P

# One of these opens the admin; each table then asks for its own.
ADMIN_PERMISSIONS = frozenset({P.VIEW_RECORDS, P.MANAGE_ACCOUNTS, P.VIEW_TRAIL, P.APPROVE_PROJECTS})


class RegistryAdminSite(AdminSite):
    site_header = site_title = _("Calcinosis registry, tables")
    index_title = _("Tables")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(set(grants(request.user)) & ADMIN_PERMISSIONS)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Somebody signed in without a role for it gets 403; Django would send them to sign in again."""
        guarded = super().admin_view(view, cacheable)

        def for_roles(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return update_wrapper(for_roles, guarded)

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """No form of its own: anonymous people sign in where everybody does; no role here is a 403, not a loop."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")
