"""The field tables of the clinical model, sections 1 to 8, row by row, and the column that holds each.

One row: section, the name there, ``model.field`` here, and what the table says of it. Codes are exactly those of the
table, with ``plus`` for codes that were added so that nobody is forced into a wrong answer (12.1: unknown, other).
"""

from __future__ import annotations

from dataclasses import dataclass

YES_NO_UNKNOWN = "Y N U"


@dataclass(frozen=True)
class Row:
    section: str
    name: str
    field: str
    codes: str = ""
    plus: str = ""
    unit: str | None = None
    possible: tuple[float | str, float | str] | None = None
    plausible: tuple[float | str, float | str] | None = None
    decimals: int | None = None
    longest: int | None = None
    partial_date: bool = False
    need: str = ""
    verified: bool = True


def rows_of(section: str, *rows: tuple) -> list[Row]:
    return [Row(section, *row[:2], **(row[2] if len(row) > 2 else {})) for row in rows]


Y = {"codes": YES_NO_UNKNOWN}
DAY = {"partial_date": True}
BASIS = "EXAM EXTRUSION_HISTORY XRAY US CT DECT MRI BIOPSY FINE_NEEDLE"
NRS = {"possible": (0, 10), "unit": "NRS 0–10"}

MODEL: list[Row] = [
    *rows_of(
        "1",
        ("diagnostic_basis", "diagnosis.diagnostic_basis", {"codes": BASIS, "need": "always"}),
        ("diagnostic_basis", "lesion.diagnostic_basis", {"codes": BASIS, "need": "complete"}),
        ("aetiology_subtype", "diagnosis.aetiology_subtype",
         {"codes": "DYSTROPHIC METASTATIC IDIOPATHIC IATROGENIC CALCIPHYLAXIS UNKNOWN", "need": "always"}),
        ("ssc_xray_morphology", "lesion.ssc_xray_morphology", {"codes": "STONE NET PLATE AMORPHOUS UNCLASSIFIABLE"}),
        ("ssc_clinical_morphology", "lesion.ssc_clinical_morphology", {"codes": "MOUSSE STONE NET PLATE NA"}),
        ("visibility", "lesion.visibility", {"codes": "VISIBLE_PALPABLE PALPABLE_ONLY IMAGING_ONLY"}),
        ("JDM types", "lesion.mdi_types", {"codes": "JDM_SUPERFICIAL JDM_TUMORAL JDM_PLANAR JDM_EXOSKELETON"}),
        ("extensive_sheet_like", "diagnosis.extensive_sheet_like", Y),
    ),
    *rows_of(
        "2.2",
        ("coverage_pct", "handscoresite.coverage_pct", {"possible": (0, 100), "unit": "%", "verified": False}),
        ("density", "handscoresite.density", {"possible": (0, 3), "verified": False}),
        ("scorable", "handscoresite.scorable", {"verified": False}),
        ("rater_role", "handscore.rater_role"),
        ("blinded", "handscore.blinded"),
        ("read_number", "handscore.read_number"),
        ("read_datetime", "handscore.read_at"),
        ("total_score", "handscore.total", {"verified": False}),
        ("n_sites", "handscore.n_sites", {"verified": False}),
        ("max_density", "handscore.max_density", {"verified": False}),
    ),
    *rows_of(
        "2.3",
        ("simple severity", "handscore.simple_severity", {"codes": "0 1 2 3"}),
        ("simple severity", "imagingstudy.simple_severity", {"codes": "0 1 2 3"}),
        ("Doppler", "imagingstudy.doppler", {"codes": "0 1 2 3"}),
        ("ulnar artery occlusion", "imagingstudy.ulnar_occlusion", Y),
        ("area, volume, number, score, firmness", "imagingmeasure.measured",
         {"codes": "LENGTH WIDTH DEPTH PLANIMETRIC_AREA VOLUME COUNT AGATSTON DUROMETER"}),
    ),
    *rows_of(
        "2.4",
        ("modality", "imagingstudy.modality", {"need": "always"}),
        ("dual_energy", "imagingstudy.dual_energy"),
        ("study_date", "imagingstudy.study_date", DAY),
        ("body_region", "imagingstudy.body_region"),
        ("laterality", "imagingstudy.laterality", {"codes": "R L B M"}),
        ("view", "imagingstudy.view", {"codes": "PA_AP LATERAL OBLIQUE"}),
        ("indication", "imagingstudy.indication"),
        ("calcinosis_present", "imagingstudy.calcinosis_present", {"codes": "Y N I"}),
        ("acro_osteolysis", "imagingstudy.acro_osteolysis", Y),
        ("erosion", "imagingstudy.erosion", Y),
        ("osteopenia", "imagingstudy.osteopenia", Y),
        ("report_text", "imagingstudy.report_text"),
        ("study_instance_uid", "imagingstudy.study_uid"),
        ("quality", "imagingstudy.quality", {"codes": "DIAGNOSTIC LIMITED NON_DIAGNOSTIC"}),
        ("biopsy date", "biopsy.taken_on", {**DAY, "need": "always"}),
        ("method", "biopsy.method", {"codes": "PUNCH INCISIONAL EXCISIONAL NEEDLE SURGICAL_SPECIMEN"}),
        ("level", "biopsy.level", {"codes": "DERMIS SUBCUTIS DEEPER"}),
        ("stain", "biopsy.stains", {"codes": "HE VON_KOSSA ALIZARIN_RED"}),
        ("calcium_confirmed", "biopsy.calcium_confirmed", Y),
        ("inflammation", "biopsy.inflammation", {"codes": "0 1 2 3"}),
        ("foreign-body reaction", "biopsy.foreign_body_reaction", Y),
        ("ossification", "biopsy.ossification", Y),
        ("other diagnosis found", "biopsy.other_diagnosis"),
        ("wound healed date", "biopsy.wound_healed", DAY),
        ("healing complication", "biopsy.healing_complication", Y),
    ),
    *rows_of(
        "3",
        ("pain NRS", "visit.pain_nrs", {**NRS, "need": "complete"}),
        ("pain VAS", "visit.pain_vas", {"possible": (0, 100), "unit": "mm"}),
        ("patient global", "visit.patient_global", {**NRS, "need": "complete"}),
        ("physician global", "visit.physician_global", {**NRS, "need": "complete"}),
        ("worst-lesion NRS", "visit.worst_lesion_nrs", NRS),
        ("global change", "visit.global_change", {"codes": "1 2 3 4 5"}),
        ("instrument", "instrumentscore.instrument", {"need": "always"}),
        ("version", "instrumentscore.version_label"),
        ("language", "instrumentscore.language"),
        ("mode", "instrumentscore.mode", {"codes": "SELF CLINICIAN PROXY"}),
        ("completed_at", "instrumentscore.completed_on"),
        ("completion_status", "instrumentscore.completion", {"codes": "COMPLETE PARTIAL NOT_DONE", "need": "always"}),
        ("reason_not_done", "instrumentscore.reason_not_done",
         {"codes": "HAND_DISABILITY", "plus": "REFUSED TIME LANGUAGE OTHER U"}),
        ("MDI superficial", "myositisdamage.superficial", {"codes": "Y N NA"}),
        ("MDI tumoral", "myositisdamage.tumoral", {"codes": "Y N NA"}),
        ("MDI planar", "myositisdamage.planar", {"codes": "Y N NA"}),
        ("MDI exoskeleton", "myositisdamage.exoskeleton", {"codes": "Y N NA"}),
        ("MDI severity VAS", "myositisdamage.severity_vas", {"possible": (0, 100)}),
    ),
    *rows_of(
        "4.1, 4.2, 4.3",
        *((name, f"diagnosis.{name}", Y) for name in (
            "skin_proximal_to_mcp", "puffy_fingers", "sclerodactyly", "digital_tip_ulcers", "pitting_scars",
            "telangiectasia", "abnormal_capillaries", "pah", "ild", "raynaud",
        )),
        ("exclusion_flag", "diagnosis.criteria_excluded", Y),
        ("ssc_subset", "diagnosis.ssc_subset", {"codes": "LCSSC DCSSC SINE EARLY_VEDOSS UNKNOWN"}),
        ("primary_ctd", "diagnosis.primary_ctd", {
            "codes": "SSC DM_ADULT JDM AMYOPATHIC_DM POLYMYOSITIS SLE LUPUS_PANNICULITIS MCTD OVERLAP UCTD RA OTHER",
            "need": "always",
        }),
        ("overlap_with", "diagnosis.overlap_with", {
            "codes": "SSC DM_ADULT JDM AMYOPATHIC_DM POLYMYOSITIS SLE LUPUS_PANNICULITIS MCTD OVERLAP UCTD RA OTHER",
        }),
        ("subset_date", "diagnosis.subset_date", DAY),
        ("subset history", "subsetchange.subset_date", DAY),
        ("antibody", "antibody.antibody", {
            "codes": "ANA ACA SCL70 RNAP3 PMSCL U1RNP U3RNP THTO KU RO52 NXP2 MDA5 TIF1G MI2 JO1 SAE "
                     "APL DSDNA SM",
            "need": "always",
        }),
        ("result", "antibody.result", {"codes": "POS NEG BORDERLINE NOT_TESTED", "need": "always"}),
        ("method", "antibody.method"),
        ("titre", "antibody.titre"),
        ("date", "antibody.tested_on", DAY),
    ),
    *rows_of(
        "4.4",
        *((f"mRSS {name}", f"skinscore.{name}", {"possible": (0, 3)}) for name in (
            "face", "anterior_chest", "abdomen", "fingers_right", "fingers_left", "hand_dorsum_right",
            "hand_dorsum_left", "forearm_right", "forearm_left", "upper_arm_right", "upper_arm_left", "thigh_right",
            "thigh_left", "lower_leg_right", "lower_leg_left", "foot_right", "foot_left",
        )),
        ("mRSS total", "skinscore.total", {"possible": (0, 51)}),
        ("first Raynaud", "diagnosis.first_raynaud", {**DAY, "need": "always"}),
        ("first non-Raynaud sign", "diagnosis.first_non_raynaud", {**DAY, "need": "always"}),
        ("diagnosis", "diagnosis.diagnosed_on", {**DAY, "need": "always"}),
        ("first calcinosis", "diagnosis.first_calcinosis", {**DAY, "need": "always"}),
        *((name, f"phenotype.{name}", Y) for name in (
            "raynaud", "digital_ulcers_now", "digital_ulcers_ever", "pitting_scars", "gangrene", "autoamputation",
            "pulp_loss", "giant_capillaries", "capillary_haemorrhages", "ild", "pah", "pah_by_catheter", "heart",
            "oesophagus", "intestine", "kidney", "renal_crisis", "arthritis", "contracture", "friction_rub", "myositis",
            "acro_osteolysis", "osteoporosis", "fragility_fracture",
        )),
        *((name, f"phenotype.{name}", DAY) for name in (
            "heart_since", "oesophagus_since", "intestine_since", "renal_crisis_on",
        )),
        ("digital ulcers, count", "phenotype.digital_ulcer_count"),
        ("digital ulcer origin", "phenotype.digital_ulcer_origin",
         {"codes": "PITTING_SCAR PURE CALCINOSIS GANGRENE", "plus": "U"}),
        ("digital ulcer category", "phenotype.digital_ulcer_category",
         {"codes": "EPISODIC RECURRENT CHRONIC", "plus": "U"}),
        ("capillaroscopy", "phenotype.capillaroscopy",
         {"codes": "NORMAL NON_SPECIFIC EARLY ACTIVE LATE", "plus": "NOT_DONE"}),
        ("capillaries per mm", "phenotype.capillaries_per_mm", {"unit": "/mm"}),
        ("HRCT extent", "phenotype.hrct_extent", {"possible": (0, 100), "unit": "%"}),
        ("FVC", "phenotype.fvc", {"possible": (10, 200)}),
        ("DLCO", "phenotype.dlco", {"possible": (5, 200)}),
        ("DXA lumbar", "phenotype.dxa_lumbar", {"possible": (-8, 8)}),
        ("DXA hip", "phenotype.dxa_hip", {"possible": (-8, 8)}),
        ("SCTC-DI", "phenotype.damage_index", {"verified": False}),
    ),
    *rows_of(
        "4.5",
        ("value_original", "laboratoryresult.value_original", {"need": "always"}),
        ("unit_original", "laboratoryresult.unit_original", {"need": "always"}),
        ("comparator", "laboratoryresult.comparator", {"codes": "< >"}),
        ("reference limits", "laboratoryresult.lower_limit"),
        ("reference limits", "laboratoryresult.upper_limit"),
    ),
    *rows_of(
        "5.1",
        ("site_code", "lesion.site", {"need": "always"}),
        ("laterality", "lesion.laterality", {"codes": "R L M"}),
        ("free text", "lesion.site_text", {"longest": 80}),
        ("body map x", "lesion.map_x", {"possible": (0, 1)}),
        ("body map y", "lesion.map_y", {"possible": (0, 1)}),
        ("dominant hand", "patient.dominant_hand", {"codes": "R L AMBI", "plus": "U"}),
    ),
    *rows_of(
        "6.1",
        ("number", "lesion.number"),
        ("lesion_kind", "lesion.lesion_kind", {"codes": "SINGLE CLUSTER SHEET", "need": "always"}),
        ("first_noticed", "lesion.first_noticed", DAY),
        ("first_recorded", "lesion.first_recorded"),
        ("parent_lesion", "lesion.lineage", {"codes": "RECURRENCE SPLIT"}),
        ("target_lesion", "lesion.target"),
        ("is_index_treated", "lesion.index_treated"),
        ("current_status", "lesion.current_status"),
    ),
    *rows_of(
        "6.2",
        ("observed", "lesionobservation.observed", {"codes": "EXAMINED NOT_EXAMINED IMAGING_ONLY PATIENT_REPORTED"}),
        ("status_change", "lesionobservation.status_change", {
            "codes": "NEW LARGER STABLE SMALLER RESOLVED EXTRUDED_COMPLETE EXCISED RECURRED NOT_ASSESSED",
            "plus": "MERGED SPLIT", "need": "complete",
        }),
        ("length_mm", "lesionobservation.length_mm",
         {"possible": (0.5, 400), "plausible": (0.5, 100), "unit": "mm", "decimals": 1}),
        ("width_mm", "lesionobservation.width_mm", {"possible": (0.5, 400), "unit": "mm", "decimals": 1}),
        ("depth_mm", "lesionobservation.depth_mm", {"possible": (0.5, 200), "unit": "mm"}),
        ("size_method", "lesionobservation.size_method", {"codes": "RULER CALIPER US XRAY CT MRI PHOTO_SCALE"}),
        ("count_estimate", "lesionobservation.count_estimate", {"codes": "1 2-5 6-10 11-50 >50"}),
        ("consistency", "lesionobservation.consistency",
         {"codes": "ROCK_HARD FIRM RUBBERY SOFT_CREAMY LIQUID_MILKY MIXED"}),
        ("tissue_depth", "lesionobservation.tissue_depth", {
            "codes": "INTRADERMAL SUBCUTANEOUS FASCIAL MUSCLE TENDON_PERITENDON PERIARTICULAR BURSA UNKNOWN",
        }),
        ("overlying_skin", "lesionobservation.overlying_skin", {
            "codes": "NORMAL ERYTHEMA SHINY_ATROPHIC SCLEROTIC WHITE_YELLOW_SHOWING HYPERKERATOTIC MACERATED SCAR",
        }),
        ("mobile", "lesionobservation.mobile", Y),
        ("ulcerated", "lesionobservation.ulcerated", {**Y, "need": "complete"}),
        ("ulcer_size_mm", "lesionobservation.ulcer_size_mm", {"possible": (0.5, 300), "unit": "mm"}),
        ("ulcer_base", "lesionobservation.ulcer_base", {
            "codes": "DRY_NECROTIC SLOUGH GRANULATING EPITHELIALISING EXPOSED_CALCIUM EXPOSED_BONE_TENDON",
        }),
        ("extrusion/drainage", "lesionobservation.drainage",
         {"codes": "NONE CHALKY MILKY PURULENT SEROUS MIXED", "plus": "U", "need": "complete"}),
        ("infection", "lesionobservation.infection",
         {"codes": "NONE SUSPECTED CONFIRMED_CULTURE", "plus": "U", "need": "complete"}),
        ("organism", "lesionobservation.organism"),
        ("fever (12.3 (5))", "lesionobservation.fever", Y),
        ("flare", "lesionobservation.flare", {**Y, "need": "complete"}),
        ("tenderness", "lesionobservation.tenderness", {"codes": "0 1 2 3"}),
        ("lesion_pain_nrs", "lesionobservation.lesion_pain_nrs", NRS),
        ("functional_limit", "lesionobservation.functional_limit", {"codes": "0 1 2 3"}),
        ("nerve_compression", "lesionobservation.nerve_compression", Y),
        ("contracture", "lesionobservation.contracture", Y),
        ("bone_erosion", "lesionobservation.bone_erosion", Y),
        ("clinician_certainty", "lesionobservation.certainty", {"codes": "CERTAIN PROBABLE"}),
    ),
    *rows_of(
        "7",
        ("agent", "treatmentcourse.agent", {"need": "always"}),
        ("intent", "treatmentcourse.intent", {"codes": "CALCINOSIS UNDERLYING_CTD VASCULAR PAIN INFECTION BONE"}),
        ("route", "treatmentcourse.route", {"codes": "ORAL IV SC IM TOPICAL INTRALESIONAL INHALED"}),
        ("dose", "treatmentcourse.dose"),
        ("unit", "treatmentcourse.dose_unit"),
        ("frequency", "treatmentcourse.frequency"),
        ("start", "treatmentcourse.start", DAY),
        ("stop", "treatmentcourse.stop", DAY),
        ("ongoing", "treatmentcourse.ongoing", Y),
        ("reason stopped", "treatmentcourse.reason_stopped", {
            "codes": "INEFFECTIVE ADVERSE_EVENT REMISSION COST_ACCESS PATIENT_CHOICE PREGNANCY OTHER", "plus": "U",
        }),
        ("response", "treatmentcourse.response", {"codes": "COMPLETE PARTIAL NONE WORSE TOO_EARLY", "plus": "U"}),
        ("responder_assessor", "treatmentcourse.assessor"),
        ("ATC", "treatmentcourse.atc"),
        ("ATC version", "treatmentcourse.atc_version"),
        ("procedure", "procedure.code", {"need": "always", "codes":
            "EXCISION DEBULKING CURETTAGE BURR CO2_LASER ESWL ASPIRATION NEEDLING AMPUTATION NERVE_RELEASE"}),
        ("anaesthesia", "procedure.anaesthesia"),
        ("closure", "procedure.closure"),
        ("level", "procedure.level"),
        ("passes", "procedure.passes"),
        ("fluence", "procedure.fluence", {"unit": "J/cm²"}),
        ("sessions", "procedure.sessions"),
        ("energy", "procedure.energy", {"unit": "mJ/mm²"}),
        ("dressing", "woundcare.dressing"),
        ("debridement", "woundcare.debridement"),
        ("PHYSIO / OT", "physiotherapy.therapy", {"codes": "PHYSIO OT"}),
        ("splint, hand exercise, aids", "physiotherapy.kinds", {"codes": "SPLINT HAND_EXERCISE AIDS"}),
        ("sessions", "physiotherapy.sessions"),
        ("smoking stop", "prevention.smoking_stop", Y),
        ("cold avoidance", "prevention.cold_avoidance", Y),
        ("trauma avoidance", "prevention.trauma_avoidance", Y),
        ("verbatim term", "adverseevent.term", {"need": "always"}),
        ("CTCAE term", "adverseevent.ctcae_term"),
        ("grade", "adverseevent.grade", {"codes": "1 2 3 4 5"}),
        ("onset", "adverseevent.onset", DAY),
        ("end", "adverseevent.ended", DAY),
        ("seriousness", "adverseevent.seriousness",
         {"codes": "DEATH LIFE_THREATENING HOSPITALISATION DISABILITY CONGENITAL IMPORTANT"}),
        ("relatedness", "adverseevent.relatedness", {"codes": "UNRELATED POSSIBLE PROBABLE DEFINITE", "plus": "U"}),
        ("action taken", "adverseevent.action_taken"),
        ("outcome", "adverseevent.outcome"),
    ),
    *rows_of(
        "8",
        ("code", "complication.code", {"need": "always"}),
        ("start", "complication.onset", DAY),
        ("healed", "complication.ended", DAY),
        ("NRS", "complication.nrs", NRS),
        ("organism", "complication.organism"),
        ("admission", "complication.admission", Y),
        ("antibiotics", "complication.antibiotics", Y),
        ("imaging proof", "complication.imaging_proof", Y),
        ("nerve", "complication.nerve", {"codes": "MEDIAN ULNAR DIGITAL RADICULAR_SPINAL", "plus": "U"}),
        ("NCS", "complication.nerve_conduction"),
        ("joint", "complication.joint"),
        ("degrees", "complication.degrees", {"unit": "°"}),
        ("level", "complication.level"),
        ("surgical/auto", "complication.amputation_kind", {"codes": "SURGICAL AUTO", "plus": "U"}),
        ("sleep", "qualityoflife.sleep_disturbed", Y),
        ("work disability", "qualityoflife.work_disability", Y),
        ("cosmetic", "qualityoflife.cosmetic_burden", Y),
        ("death related to calcinosis", "patient.death_from_calcinosis", Y),
        ("sepsis", "patient.death_from_sepsis", Y),
    ),
    *rows_of(
        "1, 3, 4, 5",
        ("distribution: circumscripta, universalis", "distributionassessment.distribution",
         {"codes": "LOCALISED UNIVERSALIS", "plus": "SPREAD"}),
        ("differential diagnoses", "differential.considered"),
        ("total of an instrument", "instrumentscore.score"),
        ("hand limitation", "qualityoflife.hand_limited", Y),
        ("SLE 2019, DM/JDM 2017 criteria: result", "diagnosis.other_criteria"),
        ("SLE 2019, DM/JDM 2017 criteria: date", "diagnosis.other_criteria_on", DAY),
        ("ssc_subset history", "subsetchange.ssc_subset", {"codes": "LCSSC DCSSC SINE EARLY_VEDOSS UNKNOWN"}),
        ("analyte", "laboratoryresult.analyte", {"need": "always"}),
        ("date", "laboratoryresult.collected_on", {"need": "always"}),
        ("aspect", "lesion.aspect", {"codes":
            "VOLAR DORSAL RADIAL ULNAR EXTENSOR FLEXOR ANTERIOR POSTERIOR MEDIAL LATERAL PULP NAIL_FOLD"}),
    ),
    *rows_of(
        "2",
        ("instrument", "handscore.instrument", {"verified": False}),
        ("version", "handscore.instrument_version", {"verified": False}),
        ("hand_score(R)", "handscore.right_total", {"verified": False}),
        ("hand_score(L)", "handscore.left_total", {"verified": False}),
        ("laterality", "handscoresite.laterality", {"codes": "R L", "verified": False}),
        ("site_code", "handscoresite.site", {"verified": False}),
        ("pattern (whole-body CT)", "imagingstudy.pattern"),
        ("value", "imagingmeasure.value", {"need": "always"}),
        ("date", "imagingmeasure.measured_on", DAY),
        ("area A = π/4·a·b", "lesionobservation.area_mm2", {"unit": "mm²"}),
    ),
    *rows_of(
        "7, 8",
        ("date", "procedure.performed_on", {**DAY, "need": "always"}),
        ("response", "procedure.response", {"codes": "COMPLETE PARTIAL NONE WORSE TOO_EARLY", "plus": "U"}),
        ("assessor", "procedure.assessor"),
        ("healed", "procedure.healed", DAY),
        ("recurrence, delayed healing, infection", "procedure.complications",
         {"codes": "RECURRENCE DELAYED_HEALING INFECTION"}),
        ("emollients", "woundcare.emollient", Y),
        ("topical product", "woundcare.product"),
        ("frequency", "woundcare.frequency"),
        ("start", "woundcare.start", DAY),
        ("stop", "woundcare.stop", DAY),
        ("response", "woundcare.response", {"codes": "COMPLETE PARTIAL NONE WORSE TOO_EARLY", "plus": "U"}),
        ("start", "physiotherapy.start", DAY),
        ("stop", "physiotherapy.stop", DAY),
        ("response", "physiotherapy.response", {"codes": "COMPLETE PARTIAL NONE WORSE TOO_EARLY", "plus": "U"}),
        ("serious", "adverseevent.serious", Y),
        ("joint, side", "complication.joint_side"),
    ),
]  # fmt: skip

# Columns that name these sections without a row of their own: the words of an "other", and what follows from the rest.
WITHOUT_A_ROW = frozenset(
    [
        "diagnosis.primary_ctd_other",
        "treatmentcourse.agent_other",
        "treatmentcourse.frequency_text",
        "lesion.map_version",
        "lesion.ulcerated_now",
        "lesion.infected_now",
        "lesion.last_area_mm2",
        "lesion.closed_on",
        "handscore.complete",
        "handscore.reading_kind",
        "handscore.of_record",
        "handscore.adjudicated_by",
        "handscore.adjudication_reason",
    ]
)
