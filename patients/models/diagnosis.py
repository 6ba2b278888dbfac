"""The underlying disease, its classification, antibodies, causes and what else was considered (clinical-model 1, 4)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from calcinosis_registry.codebook import codelists
from calcinosis_registry.codebook.fields import CodesField, PartialDateField
from calcinosis_registry.codebook.items import Need, Privacy, choice, clinical, yes_no_unknown
from patients import scoring
from patients.models.patient import PatientRecord

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DATA = Path(__file__).parent.parent / "data"


def diseases() -> list[tuple[str, str]]:
    return codelists.choices(DATA / "diagnoses.csv")


def subsets() -> list[tuple[str, str]]:
    return codelists.choices(DATA / "ssc_subsets.csv")


def antibodies() -> list[tuple[str, str]]:
    return codelists.choices(DATA / "antibodies.csv")


def key_antibodies() -> list[tuple[str, str]]:
    """Those asked for at registration (clinical-model 12.2)."""
    return [(row["code"], row["label"]) for row in codelists.read(DATA / "antibodies.csv") if row["key"] == "1"]


class Basis(models.TextChoices):
    EXAM = "EXAM", __("Seen or felt on examination")
    EXTRUSION_HISTORY = "EXTRUSION_HISTORY", __("Clear history of extruded chalky material")
    XRAY = "XRAY", __("Plain radiograph")
    US = "US", __("Ultrasound")
    CT = "CT", __("CT")
    DECT = "DECT", __("Dual-energy CT")
    MRI = "MRI", __("MRI (supportive)")
    BIOPSY = "BIOPSY", __("Biopsy")
    FINE_NEEDLE = "FINE_NEEDLE", __("Fine-needle aspiration")


class Aetiology(models.TextChoices):
    DYSTROPHIC = "DYSTROPHIC", __("Dystrophic")
    METASTATIC = "METASTATIC", __("Metastatic")
    IDIOPATHIC = "IDIOPATHIC", __("Idiopathic")
    IATROGENIC = "IATROGENIC", __("Iatrogenic")
    CALCIPHYLAXIS = "CALCIPHYLAXIS", __("Calciphylaxis")
    UNKNOWN = "UNKNOWN", __("Not established")


MOST_WITHOUT = 19  # ACR/EULAR points without the item that suffices alone (clinical-model 4.1, 12.4 (14))
WHEN_IN_LIFE = [
    ("ANTENATAL", __("Antenatal")), ("BIRTH", __("At birth")), ("DATE", __("As dated")), ("U", __("Undetermined")),
]  # fmt: skip
_date = partial(PartialDateField, help_text=__("Year, year-month, full date or “unknown”."))


def _onset(label: StrOrPromise, source: str, need: Need = Need.ALWAYS) -> PartialDateField:
    return clinical(_date(label), section="Dates", privacy=Privacy.DATE, source=source, need=need)


def _criterion(name: str) -> models.CharField:
    item = next(one for one in scoring.ACR_EULAR_ITEMS if one.name == name)
    return yes_no_unknown(
        item.label, section="ACR/EULAR 2013", source="clinical-model 4.1",
        help_text=__("At any time so far; counts %(points)s.") % {"points": item.points},
    )  # fmt: skip


class Diagnosis(PatientRecord):
    """One per patient: the disease behind the calcinosis."""

    single = True

    primary_ctd = clinical(
        models.CharField(__("connective tissue disease"), max_length=32, choices=diseases),
        section="Disease", privacy=Privacy.CLINICAL, source="clinical-model 4.2, 9.3", need=Need.ALWAYS,
    )  # fmt: skip
    primary_ctd_other = clinical(
        models.CharField(__("which other disease"), max_length=80, blank=True),
        section="Disease", privacy=Privacy.FREE_TEXT, source="clinical-model 4.2", only_if={"primary_ctd": "OTHER"},
    )  # fmt: skip
    overlap_with = clinical(
        CodesField(__("overlap with"), codes=diseases),
        section="Disease", privacy=Privacy.CLINICAL, source="clinical-model 4.2",
    )  # fmt: skip
    ssc_subset = clinical(
        models.CharField(__("SSc subset"), max_length=32, choices=subsets, blank=True),
        section="Disease", privacy=Privacy.CLINICAL, source="clinical-model 4.2 (LeRoy)", need=Need.ALWAYS,
        only_if={"primary_ctd": ("SSC", "OVERLAP")},
    )  # fmt: skip
    subset_date = clinical(
        _date(__("subset assessed")),
        section="Disease", privacy=Privacy.DATE, source="clinical-model 4.2",
        only_if={"primary_ctd": ("SSC", "OVERLAP")},
    )  # fmt: skip
    aetiology_subtype = clinical(
        models.CharField(
            __("type of calcinosis"), max_length=32, choices=Aetiology.choices, default=Aetiology.DYSTROPHIC
        ),
        section="Calcinosis", privacy=Privacy.CLINICAL, source="clinical-model 1.3", need=Need.ALWAYS,
    )  # fmt: skip
    diagnostic_basis = clinical(
        CodesField(__("calcinosis diagnosed by"), codes=Basis.choices),
        section="Calcinosis", privacy=Privacy.CLINICAL, source="clinical-model 1.2", need=Need.ALWAYS,
    )  # fmt: skip
    extensive_sheet_like = yes_no_unknown(
        __("extensive sheet-like calcinosis"), section="Calcinosis", source="clinical-model 1.4 C"
    )
    first_calcinosis = _onset(__("first calcinosis"), "clinical-model 4.4, 12.2")
    first_raynaud = _onset(__("first Raynaud"), "clinical-model 4.4, 12.2")
    first_non_raynaud = _onset(__("first sign other than Raynaud"), "clinical-model 4.4, 12.2")
    diagnosed_on = _onset(__("disease diagnosed"), "clinical-model 9.1 (8), 12.2")
    onset_type = choice(
        __("age at onset"),
        WHEN_IN_LIFE,
        section="Dates", source="clinical-model 9.1 (7)",
    )  # fmt: skip
    diagnosis_type = choice(
        __("age at diagnosis"),
        WHEN_IN_LIFE,
        section="Dates", source="clinical-model 9.1 (8)",
    )  # fmt: skip
    skin_proximal_to_mcp = _criterion("skin_proximal_to_mcp")
    puffy_fingers = _criterion("puffy_fingers")
    sclerodactyly = _criterion("sclerodactyly")
    digital_tip_ulcers = _criterion("digital_tip_ulcers")
    pitting_scars = _criterion("pitting_scars")
    telangiectasia = _criterion("telangiectasia")
    abnormal_capillaries = _criterion("abnormal_capillaries")
    pah = _criterion("pah")
    ild = _criterion("ild")
    raynaud = _criterion("raynaud")
    criteria_excluded = yes_no_unknown(
        __("criteria do not apply"), section="ACR/EULAR 2013", source="clinical-model 4.1",
        help_text=__("Skin thickening spares the fingers, or another disorder explains the picture better."),
    )  # fmt: skip
    other_criteria = clinical(
        models.CharField(
            __("other classification criteria"), max_length=200, blank=True,
            help_text=__("EULAR/ACR 2019 (SLE) or 2017 (myositis): result."),
        ),
        section="Other criteria", privacy=Privacy.FREE_TEXT, source="clinical-model 4.1",
    )  # fmt: skip
    other_criteria_on = clinical(
        _date(__("date of those criteria")), section="Other criteria", privacy=Privacy.DATE, source="clinical-model 4.1"
    )
    ever_digital_ulcer = yes_no_unknown(__("digital ulcers ever"), section="Ever", source="clinical-model 12.2")
    ever_acro_osteolysis = yes_no_unknown(__("acro-osteolysis ever"), section="Ever", source="clinical-model 12.2")
    ever_osteoporosis = yes_no_unknown(__("osteoporosis ever"), section="Ever", source="clinical-model 12.2")
    ever_gi = yes_no_unknown(__("gastrointestinal involvement ever"), section="Ever", source="clinical-model 12.2")
    ever_myositis = yes_no_unknown(__("myositis ever"), section="Ever", source="clinical-model 12.2")
    # Maintained: the range of the ACR/EULAR score, unknown items as absent and as present; never edited by hand.
    acr_eular_min = models.SmallIntegerField(null=True, editable=False)
    acr_eular_max = models.SmallIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = __("diagnosis")
        verbose_name_plural = __("diagnoses")
        constraints = [
            models.UniqueConstraint(fields=["patient"], name="diagnosis_one_per_patient"),
            models.CheckConstraint(
                name="diagnosis_acr_eular_at_most_19_without_proximal_skin",
                condition=(
                    Q(acr_eular_min__isnull=True) | Q(acr_eular_min__lte=MOST_WITHOUT) | Q(skin_proximal_to_mcp="Y")
                )
                & (Q(acr_eular_max__isnull=True) | Q(acr_eular_max__lte=MOST_WITHOUT) | ~Q(skin_proximal_to_mcp="N")),
            ),
        ]

    def __str__(self) -> str:
        return self.get_primary_ctd_display()

    @property
    def short(self) -> str:
        """The disease as people say it in a header: lcSSc, SSc, JDM."""
        short = {"LCSSC": "lcSSc", "DCSSC": "dcSSc", "SINE": "ssSSc", "EARLY_VEDOSS": "early SSc"}
        if self.primary_ctd == "SSC":
            return short.get(self.ssc_subset, "SSc")
        if self.primary_ctd in ("JDM", "SLE", "MCTD", "UCTD", "RA"):
            return self.primary_ctd
        return {"DM_ADULT": "DM"}.get(self.primary_ctd, self.get_primary_ctd_display())

    def criteria(self, tested: dict[str, str]) -> scoring.AcrEular:
        """The ACR/EULAR score; ``tested`` = {antibody code: newest result}."""
        answers = {item.name: getattr(self, item.name, "") for item in scoring.ACR_EULAR_ITEMS}
        for name, code in (("anticentromere", "ACA"), ("anti_scl70", "SCL70"), ("anti_rnap3", "RNAP3")):
            answers[name] = {"POS": "Y", "NEG": "N"}.get(tested.get(code, ""), "")
        return scoring.acr_eular_2013(answers, excluded=self.criteria_excluded == "Y")

    def clean(self) -> None:
        super().clean()
        if self.primary_ctd and self.primary_ctd in self.overlap_with:
            raise ValidationError({"overlap_with": _("The overlap repeats the main disease.")})
        if self.pk or self.patient_id:
            self.score()

    def score(self) -> None:
        """Set the criteria as the answers and the antibodies now are."""
        score = self.criteria(newest_antibodies(self.patient))
        applies = score.classified != "NOT_APPLICABLE"
        self.acr_eular_min = score.score_min if applies else None
        self.acr_eular_max = score.score_max if applies else None


def newest_antibodies(patient: object) -> dict[str, str]:
    """{antibody: newest result}; the later entry wins where the dates do not tell."""
    rows = sorted(patient.antibody_set.all(), key=lambda one: (str(one.tested_on or ""), one.pk or 0))  # type: ignore[attr-defined]
    return {one.antibody: one.result for one in rows}


class Antibody(PatientRecord):
    antibody = clinical(
        models.CharField(__("antibody"), max_length=32, choices=antibodies),
        section="Antibody", privacy=Privacy.CLINICAL, source="clinical-model 4.3", need=Need.ALWAYS,
    )  # fmt: skip
    result = choice(
        __("result"),
        [
            ("POS", __("Positive")), ("NEG", __("Negative")), ("BORDERLINE", __("Borderline")),
            ("NOT_TESTED", __("Not tested")),
        ],
        section="Antibody", source="clinical-model 4.3", need=Need.ALWAYS,
    )  # fmt: skip
    method = clinical(
        models.CharField(__("method"), max_length=60, blank=True),
        section="Antibody", privacy=Privacy.FREE_TEXT, source="clinical-model 4.3",
    )  # fmt: skip
    titre = clinical(
        models.CharField(__("titre"), max_length=30, blank=True),
        section="Antibody", privacy=Privacy.FREE_TEXT, source="clinical-model 4.3",
    )  # fmt: skip
    tested_on = clinical(_date(__("tested")), section="Antibody", privacy=Privacy.DATE, source="clinical-model 4.3")

    class Meta:
        verbose_name = __("antibody")
        verbose_name_plural = __("antibodies")
        ordering = ["antibody", "id"]

    def __str__(self) -> str:
        return f"{self.get_antibody_display()}: {self.get_result_display()}"


class Cause(PatientRecord):
    """A suspected cause or trigger of the calcinosis."""

    cause = choice(
        __("cause or trigger"),
        [
            ("AUTOIMMUNE", __("Autoimmune disease")), ("TRAUMA", __("Trauma")), ("GENETIC", __("Genetic finding")),
            ("METABOLIC", __("Metabolic")), ("DRUG", __("Drug or injection")), ("OTHER", __("Other")),
        ],
        section="Cause", source="product issue: suspected causes and triggers", need=Need.ALWAYS,
    )  # fmt: skip
    detail = clinical(
        models.CharField(__("what exactly"), max_length=200, blank=True),
        section="Cause", privacy=Privacy.FREE_TEXT, source="product issue: suspected causes and triggers",
    )  # fmt: skip
    certainty = choice(
        __("how sure"), [("SUSPECTED", __("Suspected")), ("ESTABLISHED", __("Established")), ("U", __("Unknown"))],
        section="Cause", source="product issue: suspected causes and triggers",
    )  # fmt: skip
    occurred = clinical(
        _date(__("when")), section="Cause", privacy=Privacy.DATE, source="product issue: suspected causes and triggers"
    )

    class Meta:
        verbose_name = __("suspected cause")
        verbose_name_plural = __("suspected causes and triggers")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_cause_display()


class Differential(PatientRecord):
    """Another diagnosis that was considered, and why it was excluded or not."""

    considered = choice(
        __("diagnosis considered"),
        [
            ("TOPHUS", __("Gouty tophus")), ("RHEUMATOID_NODULE", __("Rheumatoid nodule")),
            ("XANTHOMA", __("Xanthoma")),
            ("WART", __("Wart")), ("CYST", __("Cyst")), ("TUMORAL_CALCINOSIS", __("Tumoral calcinosis")),
            ("OSTEOMA_CUTIS", __("Osteoma cutis")), ("METASTATIC", __("Metastatic calcification")),
            ("CALCIPHYLAXIS", __("Calciphylaxis")), ("OTHER", __("Other")),
        ],
        section="Differential", source="clinical-model 1.3, 11", need=Need.ALWAYS,
    )  # fmt: skip
    considered_other = clinical(
        models.CharField(__("which other"), max_length=80, blank=True),
        section="Differential", privacy=Privacy.FREE_TEXT, source="clinical-model 11", only_if={"considered": "OTHER"},
    )  # fmt: skip
    excluded = yes_no_unknown(__("excluded"), section="Differential", source="product issue: differential diagnoses")
    why = clinical(
        models.CharField(__("why"), max_length=300, blank=True, help_text=__("Which finding decided it.")),
        section="Differential", privacy=Privacy.FREE_TEXT, source="product issue: differential diagnoses",
    )  # fmt: skip
    decided_on = clinical(
        _date(__("decided")),
        section="Differential",
        privacy=Privacy.DATE,
        source="product issue: differential diagnoses",
    )

    class Meta:
        verbose_name = __("differential diagnosis")
        verbose_name_plural = __("differential diagnoses")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_considered_display()


class SubsetChange(PatientRecord):
    """An earlier or later subset: it may change, and the history is kept."""

    ssc_subset = clinical(
        models.CharField(__("SSc subset"), max_length=32, choices=subsets),
        section="Subset", privacy=Privacy.CLINICAL, source="clinical-model 4.2", need=Need.ALWAYS,
    )  # fmt: skip
    subset_date = clinical(
        _date(__("assessed")), section="Subset", privacy=Privacy.DATE, source="clinical-model 4.2", need=Need.ALWAYS
    )

    class Meta:
        verbose_name = __("subset over time")
        verbose_name_plural = __("subsets over time")
        ordering = ["subset_date", "id"]

    def __str__(self) -> str:
        return self.get_ssc_subset_display()


CLASSIFIED = Q(acr_eular_min__gte=scoring.ACR_EULAR_THRESHOLD)
