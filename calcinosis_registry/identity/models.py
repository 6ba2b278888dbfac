"""Who a registry number is. Every reading is an event (services.read_identity)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calcinosis_registry.audit.traced import Traced
from calcinosis_registry.clinics.models import Clinic
from calcinosis_registry.clinics.policy import ScopedQuerySet
from calcinosis_registry.codebook.items import Privacy, clinical

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LAST_CHARACTER = chr(0x10FFFF)


def search_key(text: str) -> str:
    """Casefolded, without accents and double spaces: what a b-tree prefix search compares.

    The Turkish dotless ı is the small letter of I, so Işık is found as IŞIK and as isik.
    """
    plain = unicodedata.normalize("NFKD", text).replace("ı", "i")
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).casefold().split())


class SearchKeyField(models.CharField):
    """Text compared by its code points, as LAST_CHARACTER supposes: on PostgreSQL the database's own collation may know
    another order, so the column says "C"; SQLite compares like that anyway and knows no collation of that name."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        told: dict[str, Any] = super().db_parameters(connection)  # type: ignore[assignment]
        return {**told, "collation": "C"} if connection.vendor == "postgresql" else told


class IdentityQuerySet(ScopedQuerySet):
    def starting_with(self, text: str) -> Self:
        """Family name, given name or hospital number begins with ``text``; a range of the index, not a scan."""
        key = search_key(text)
        found = Q()
        for column in ("family_key", "given_key", "hospital_key"):
            found |= Q(**{f"{column}__gte": key, f"{column}__lt": key + LAST_CHARACTER})
        return self.filter(found)

    def called(self, text: str) -> Self:
        """Begins with ``text``, or with its words as given and family name in either order; nothing for no text."""
        words = search_key(text.replace(",", " ")).split()[:6]
        if not words:
            return self.none()
        found = self.starting_with(text)
        for cut in range(1, len(words)):
            found |= self.starting_with(" ".join(words[:cut])).starting_with(" ".join(words[cut:]))
        return found


# A Cyrillic а in a number looks like a Latin one and is never found again.
NUMBER_SIGNS = RegexValidator(
    r"^[A-Za-z0-9 ./_#+:-]*\Z", _("Only the letters A to Z, digits, spaces and . / - _ # + : are allowed.")
)


def _kept(
    label: StrOrPromise, length: int, *, blank: bool = True, help_text: StrOrPromise = "", signs: Any = ()
) -> models.CharField:
    return clinical(
        models.CharField(label, max_length=length, blank=blank, help_text=help_text, validators=signs),
        section="Identity", privacy=Privacy.IDENTITY, source="product.md, Register a patient",
    )  # fmt: skip


def _key() -> models.CharField:
    return SearchKeyField(max_length=120, editable=False, db_index=True, default="")


class Identity(Traced):
    registry_number = models.CharField(_("registry number"), max_length=12, unique=True)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    family_name = _kept(_("family name"), 100, blank=False)
    given_name = _kept(_("given name"), 100, blank=False)
    hospital_number = _kept(_("hospital number"), 40, signs=[NUMBER_SIGNS])
    national_number = _kept(_("national number"), 40, signs=[NUMBER_SIGNS])
    contact = _kept(_("contact"), 300, help_text=_("Telephone, e-mail or address."))
    family_key = _key()
    given_key = _key()
    hospital_key = _key()

    objects = IdentityQuerySet.as_manager()
    clinic_path = "clinic_id"

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def trail_patient(self) -> str:  # type: ignore[override]
        return self.registry_number

    @property
    def numbers(self) -> tuple[str, str, str]:
        """What the person is known by: hospital, national and registry number."""
        return self.hospital_number, self.national_number, self.registry_number

    def remember_keys(self) -> None:
        """Set the search columns. bulk_create does not call save(), so bulk writers call this themselves."""
        self.family_key = search_key(self.family_name)[:120]
        self.given_key = search_key(self.given_name)[:120]
        self.hospital_key = search_key(self.hospital_number)[:120]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.remember_keys()
        super().save(*args, **kwargs)
