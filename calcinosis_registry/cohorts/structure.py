"""How the records hang together: every kind of record, its table, and its way to patient and visit.

Read from the models themselves, so a new kind of record is asked and exported without an edit here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import translation
from django.utils.text import slugify

from calcinosis_registry.codebook.items import Privacy, codebook_models, item_fields
from calcinosis_registry.records.models import Record
from lesions.models import Lesion, LesionObservation
from patients.models import Patient, Visit, VisitState

# Values a question may ask and a coded export may carry; text by explicit choice only, the rest never.
SHAREABLE = frozenset({Privacy.CLINICAL, Privacy.DATE, Privacy.QUASI})

# Short names where the plural of the model would be long.
TABLES = {
    "lesionobservation": "observations", "imagingstudy": "imaging", "imagingmeasure": "measures",
    "laboratoryresult": "labs", "handscore": "hand_scores", "handscoresite": "hand_score_sites",
    "instrumentscore": "questionnaires", "qualityoflife": "quality_of_life", "skinscore": "skin_scores",
    "cause": "causes", "differential": "differential_diagnoses", "subsetchange": "subsets",
    "woundcare": "wound_care", "physiotherapy": "physiotherapy", "myositisdamage": "myositis_damage",
}  # fmt: skip
# Likewise what one row of a numbered table is called in the tables that point at it.
NUMBERS = {
    "lesion": "lesion_no", "imagingstudy": "imaging_no", "treatmentcourse": "treatment_no",
    "handscore": "hand_score_no", "woundcare": "wound_care_no",
}  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One kind of record. ``patient`` and ``visit``: lookups to the keys; ``visit`` is "" for what has no visit."""

    model: type[models.Model]
    patient: str
    visit: str

    @property
    def kind(self) -> str:
        return self.model._meta.model_name or ""

    @property
    def table(self) -> str:
        with translation.override("en"):  # a file is called the same in every language
            return TABLES.get(self.kind) or slugify(str(self.model._meta.verbose_name_plural)).replace("-", "_")

    @property
    def number(self) -> str:
        """The linking key of a row: ``visit_no``, ``lesion_no``."""
        return NUMBERS.get(self.kind, f"{self.kind}_no")

    @property
    def title(self) -> str:
        name = str(self.model._meta.verbose_name)
        return name[:1].upper() + name[1:]

    @property
    def is_patient(self) -> bool:
        return self.model is Patient

    def signed(self) -> Q:
        """Rows that do not belong to an unsigned visit. A lesion counts from its first signed observation."""
        if self.model is Visit:
            return Q(state=VisitState.SIGNED)
        if not self.visit:
            return Q()
        settled = Q(**{f"{self.visit}__isnull": True}) | Q(**{f"{self.visit}__state": VisitState.SIGNED})
        if self.model is Lesion:
            seen = LesionObservation.objects.filter(lesion=OuterRef("pk"), visit__state=VisitState.SIGNED)
            return settled | Q(Exists(seen))
        return settled


@cache
def levels() -> dict[str, Level]:
    """{model name: Level} of every record below a patient that has something to share."""
    return {level.kind: level for level in _levels()}


def _levels() -> Iterator[Level]:
    for model in codebook_models():
        way = way_to(model, Patient)
        shares = any(field.item.privacy in SHAREABLE for field in item_fields(model))  # type: ignore[attr-defined]
        if way is not None and shares:
            yield Level(model, way, "pk" if model is Visit else way_to(model, Visit) or "")


def way_to(model: type[models.Model], target: type[models.Model]) -> str | None:
    """The lookup from a record to its patient or visit, at most one record between; None where there is none.

    Identity has none: it knows a patient by registry number only.
    """
    if model is target:
        return "pk"
    keys = [field for field in model._meta.concrete_fields if field.is_relation]
    name = target._meta.model_name
    if any(field.name == name and field.related_model is target for field in keys):
        return name
    for field in keys:
        beyond = field.related_model
        if beyond in (model, Patient, Visit) or not issubclass(beyond, Record):  # type: ignore[arg-type]
            continue
        if any(one.name == name and one.related_model is target for one in beyond._meta.concrete_fields):  # type: ignore[union-attr]
            return f"{field.name}__{name}"
    return None
