"""Sections 9.1 and 12 of the clinical model: what registration and a visit ask, and the column that holds each."""

from __future__ import annotations

from tests.clinical_rules.clinical_model import DAY, NRS, Row, Y, rows_of

ENTRY: list[Row] = [
    *rows_of(
        "12.2",
        ("consent_date", "consent.consented_on", {"need": "always"}),
        ("consent_version", "consent.form_version", {"need": "always"}),
        ("consent_reuse", "consent.research"),
        ("consent_contact", "consent.contact"),
        ("birth_date or birth_year", "patient.birth_date", {**DAY, "need": "always"}),
        ("sex_at_birth", "patient.sex_at_birth", {"codes": "F M UNDETERMINED FOETUS", "need": "always"}),
        ("smoking", "patient.smoking", {"codes": "NEVER EX CURRENT U"}),
        ("ever digital ulcer", "diagnosis.ever_digital_ulcer", Y),
        ("ever acro-osteolysis", "diagnosis.ever_acro_osteolysis", Y),
        ("ever osteoporosis", "diagnosis.ever_osteoporosis", Y),
        ("ever GI", "diagnosis.ever_gi", Y),
        ("ever myositis", "diagnosis.ever_myositis", Y),
    ),
    *rows_of(
        "9.1",
        ("status", "patient.status", {"codes": "ALIVE DEAD LOST OPTED_OUT"}),
        ("death date", "patient.death_date", DAY),
        ("first contact", "patient.first_contact", DAY),
        ("age at onset", "diagnosis.onset_type", {"codes": "ANTENATAL BIRTH DATE U"}),
        ("age at diagnosis", "diagnosis.diagnosis_type", {"codes": "ANTENATAL BIRTH DATE U"}),
        ("genetic diagnosis", "patient.genetic_diagnosis"),
        ("undiagnosed case", "patient.undiagnosed", Y),
        ("biological sample", "patient.biosample", Y),
        ("link to a biobank", "patient.biobank_link"),
        ("disability score", "patient.disability_score"),
    ),
    *rows_of(
        "12.3",
        ("(1) visit_date", "visit.visit_date", {"need": "always"}),
        ("(2) visit_type", "visit.visit_type", {"codes": "BASELINE FOLLOW_UP UNSCHEDULED TELE", "need": "always"}),
        ("(3) calcinosis_present_now", "visit.calcinosis_present", {**Y, "need": "complete"}),
        ("(8) pain NRS", "visit.pain_nrs", {**NRS, "need": "complete"}),
        ("(8) NOT_DONE", "visit.pain_not_done"),
        ("(9) patient global", "visit.patient_global", {**NRS, "need": "complete"}),
        ("(9) NOT_DONE", "visit.patient_global_not_done"),
        ("(10) physician global", "visit.physician_global", {**NRS, "need": "complete"}),
        ("(11) global change", "visit.global_change", {"codes": "1 2 3 4 5"}),
        ("(12) new digital ulcer", "visit.new_digital_ulcer", Y),
        ("(12) number", "visit.new_digital_ulcer_count", {"possible": (0, 10)}),
        ("(13) treatments changed", "visit.treatments_changed",
         {"codes": "NONE LIST", "plus": "U", "need": "complete"}),
        ("(14) complication or admission", "visit.complications",
         {"codes": "NONE LIST", "plus": "U", "need": "complete"}),
        ("(19) note", "visit.note", {"longest": 1000}),
        ("(20) next visit due", "visit.next_visit_due"),
    ),
]  # fmt: skip
