"""The rest of the disease, reviewed yearly: vessels, organs, bone (clinical-model 4.4)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook.fields import PartialDateField
from calcinosis_registry.codebook.items import Privacy, choice, clinical, yes_no_unknown
from patients.models.patient import VisitRecord

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SOURCE = "clinical-model 4.4"
_yes = partial(yes_no_unknown, source=SOURCE)


def _count(label: StrOrPromise, section: str, highest: int, **meaning: object) -> models.SmallIntegerField:
    return clinical(
        models.SmallIntegerField(label, null=True, blank=True),
        section=section, privacy=Privacy.CLINICAL, source=SOURCE, possible=(0, highest), **meaning,
    )  # fmt: skip


def _measure(
    label: StrOrPromise, section: str, low: float, high: float, unit: str, **meaning: object
) -> models.DecimalField:
    return clinical(
        models.DecimalField(label, max_digits=5, decimal_places=1, null=True, blank=True),
        section=section, privacy=Privacy.CLINICAL, source=SOURCE, possible=(low, high), unit=unit, **meaning,
    )  # fmt: skip


def _since(label: StrOrPromise, section: str, **meaning: object) -> PartialDateField:
    return clinical(PartialDateField(label), section=section, privacy=Privacy.DATE, source=SOURCE, **meaning)


class Phenotype(VisitRecord):
    """The yearly review of the underlying disease."""

    raynaud = _yes(__("Raynaud"), section="Vessels")
    digital_ulcers_now = _yes(
        __("digital ulcers now"), section="Vessels",
        help_text=__(
            "Loss of epidermal covering with a break in the basement membrane (World Scleroderma Foundation)."
        ),
    )  # fmt: skip
    digital_ulcers_ever = _yes(__("digital ulcers ever"), section="Vessels")
    digital_ulcer_count = _count(__("digital ulcers, number"), "Vessels", 40, only_if={"digital_ulcers_now": "Y"})
    digital_ulcer_origin = choice(
        __("origin of the digital ulcers"),
        [
            ("PITTING_SCAR", __("Pitting scar")), ("PURE", __("Pure")), ("CALCINOSIS", __("On calcinosis")),
            ("GANGRENE", __("Gangrene")), ("U", __("Unknown")),
        ],
        section="Vessels", source="clinical-model 4.4", only_if={"digital_ulcers_now": "Y"},
    )  # fmt: skip
    digital_ulcer_category = choice(
        __("course of the digital ulcers"),
        [
            ("EPISODIC", __("Episodic")), ("RECURRENT", __("Recurrent")), ("CHRONIC", __("Chronic")),
            ("U", __("Unknown")),
        ],
        section="Vessels", source=SOURCE, only_if={"digital_ulcers_ever": "Y"},
    )  # fmt: skip
    pitting_scars = _yes(__("pitting scars"), section="Vessels")
    gangrene = _yes(__("gangrene"), section="Vessels")
    autoamputation = _yes(__("autoamputation"), section="Vessels")
    pulp_loss = _yes(__("loss of finger pulp"), section="Vessels")
    capillaroscopy = choice(
        __("capillaroscopy"),
        [
            ("NORMAL", __("Normal")), ("NON_SPECIFIC", __("Non-specific")), ("EARLY", __("SSc early")),
            ("ACTIVE", __("SSc active")), ("LATE", __("SSc late")), ("NOT_DONE", __("Not done")),
        ],
        section="Capillaries", source=SOURCE,
    )  # fmt: skip
    giant_capillaries = _yes(__("giant capillaries"), section="Capillaries")
    capillary_haemorrhages = _yes(__("haemorrhages"), section="Capillaries")
    capillaries_per_mm = _measure(__("capillaries"), "Capillaries", 0, 20, "/mm")
    ild = _yes(__("interstitial lung disease"), section="Lung")
    hrct_extent = _count(__("extent on HRCT"), "Lung", 100, unit="%", only_if={"ild": "Y"})
    fvc = _measure(__("FVC"), "Lung", 10, 200, "% predicted")
    dlco = _measure(__("DLCO"), "Lung", 5, 200, "% predicted")
    pah = _yes(__("pulmonary arterial hypertension"), section="Lung")
    pah_by_catheter = _yes(__("confirmed by right heart catheter"), section="Lung", only_if={"pah": "Y"})
    heart = _yes(__("heart involvement"), section="Organs")
    heart_since = _since(__("heart since"), "Organs", only_if={"heart": "Y"})
    oesophagus = _yes(__("oesophageal involvement"), section="Organs")
    oesophagus_since = _since(__("oesophagus since"), "Organs", only_if={"oesophagus": "Y"})
    intestine = _yes(__("intestinal involvement"), section="Organs")
    intestine_since = _since(__("intestine since"), "Organs", only_if={"intestine": "Y"})
    kidney = _yes(__("kidney involvement"), section="Organs")
    renal_crisis = _yes(__("renal crisis"), section="Organs")
    renal_crisis_on = _since(__("renal crisis on"), "Organs", only_if={"renal_crisis": "Y"})
    arthritis = _yes(__("arthritis"), section="Joints and muscle")
    contracture = _yes(__("contracture"), section="Joints and muscle")
    friction_rub = _yes(__("tendon friction rub"), section="Joints and muscle")
    myositis = _yes(__("myositis"), section="Joints and muscle")
    acro_osteolysis = _yes(__("acro-osteolysis"), section="Joints and muscle")
    dxa_lumbar = _measure(__("DXA T-score, lumbar"), "Bone", -8, 8, "T-score")
    dxa_hip = _measure(__("DXA T-score, hip"), "Bone", -8, 8, "T-score")
    osteoporosis = _yes(__("osteoporosis"), section="Bone", help_text=__("T-score −2.5 or lower."))
    fragility_fracture = _yes(__("fragility fracture"), section="Bone")
    damage_index = clinical(
        models.DecimalField(__("SCTC damage index, total"), max_digits=5, decimal_places=1, null=True, blank=True),
        section="Damage", privacy=Privacy.CLINICAL, source=SOURCE, possible=(0, 100), verified=False,
    )  # fmt: skip

    class Meta:
        verbose_name = __("disease review")
        constraints = [models.UniqueConstraint(fields=["visit"], name="phenotype_one_per_visit")]

    def __str__(self) -> str:
        return str(__("Disease review"))
