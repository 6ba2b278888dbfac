"""Which clinic a registry number is at, now or at a past event: that of its code, until it moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db.models import Exists, OuterRef, Q

from calcinosis_registry.clinics.models import Clinic, Transfer, TransferQuerySet


def whereabouts() -> Callable[[str], int | None]:
    """``of(registry number)``: the clinic that has the record now; one small query for however many numbers."""
    codes = Clinic.objects.order_by().values_list("code", "pk")
    moved = _last_moves().order_by().values_list("registry_number", "to_clinic")
    found = dict(codes.union(moved, all=True))  # a code has no dash
    return lambda number: found.get(number) or found.get(number.partition("-")[0])


def _last_moves() -> TransferQuerySet:
    moved = Transfer.objects.moved()
    return moved.filter(~Exists(moved.filter(registry_number=OuterRef("registry_number"), pk__gt=OuterRef("pk"))))


def clinic_then(registry_number: str, event: int) -> int | None:
    """The clinic that had the record when this event was written; None where it never moved."""
    found = None
    for one in Transfer.objects.moved().about(registry_number).order_by("pk"):
        if one.last_event is None or event <= one.last_event:
            return one.from_clinic_id
        found = one.to_clinic_id
    return found


def events_of_clinics(clinics: Iterable[int]) -> Q:
    """Events about patients of these clinics, for a query of events.

    Who has a record has its whole history; who gave it away keeps what was until then. What is said about a move
    stands with both.
    """
    held, own = list(clinics), Q()
    for code in Clinic.objects.filter(pk__in=held).values_list("code", flat=True):
        own |= Q(patient__startswith=f"{code}-")
    moved = Transfer.objects.moved()
    here = _last_moves().filter(to_clinic__in=held)
    then = moved.filter(registry_number=OuterRef("patient"), from_clinic__in=held, last_event__gte=OuterRef("pk"))
    theirs = Transfer.objects.filter(Q(from_clinic__in=held) | Q(to_clinic__in=held))
    return (
        (own & ~Q(patient__in=moved.values("registry_number")))
        | Q(patient__in=here.values("registry_number"))
        | Exists(then)
        | Q(model=Transfer._meta.label_lower, object_id__in=theirs.values("pk"))
    )
