"""What of this is somebody's work: the records offered to their clinic."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from calcinosis_registry.clinics.models import Transfer
from calcinosis_registry.clinics.policy import grants
from calcinosis_registry.clinics.roles import Permission
from patients.worklist import SHOWN, More


def to_receive(user: Any) -> More:
    """For the work list. Nothing here tells who the person is: that stands on the page of the offer."""
    held = grants(user).get(Permission.MOVE_PATIENTS, set())
    rows = Transfer.objects.visible_to(user, Permission.MOVE_PATIENTS).offered()
    rows = rows if None in held else rows.filter(to_clinic__in=held)
    rows = rows.select_related("from_clinic", "to_clinic").order_by("offered_at", "pk")
    return More(
        list(rows[:SHOWN]), rows.order_by().count(), id="to-receive", title=_("Records offered to your clinic"),
        hint=_("Another clinic says the person is followed here from now on."),
        template="transfers/_work_transfer.html", url=reverse("transfers:list"), of_patients=False,
    )  # fmt: skip
