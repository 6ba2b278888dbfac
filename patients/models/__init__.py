"""Who and when."""

from patients.models.consent import OF_AGE, Consent, GivenBy, in_force
from patients.models.diagnosis import (
    Aetiology,
    Antibody,
    Basis,
    Cause,
    Diagnosis,
    Differential,
    SubsetChange,
    newest_antibodies,
)
from patients.models.laboratory import LaboratoryResult
from patients.models.merger import Merger
from patients.models.outcome import InstrumentScore, Plan, QualityOfLife
from patients.models.patient import (
    DUE_WINDOW,
    LOST_AFTER,
    FollowUp,
    Hand,
    Patient,
    PatientRecord,
    Sex,
    Smoking,
    Status,
    VisitRecord,
    on_or_before,
)
from patients.models.phenotype import Phenotype
from patients.models.signature import Meaning, Signature
from patients.models.summary import Summary
from patients.models.visit import (
    NRS_FIELDS,
    Change,
    NoneOrList,
    Visit,
    VisitState,
    VisitType,
)

__all__ = [
    "DUE_WINDOW",
    "LOST_AFTER",
    "NRS_FIELDS",
    "OF_AGE",
    "Aetiology",
    "Antibody",
    "Basis",
    "Cause",
    "Change",
    "Consent",
    "Diagnosis",
    "Differential",
    "FollowUp",
    "GivenBy",
    "Hand",
    "InstrumentScore",
    "LaboratoryResult",
    "Meaning",
    "Merger",
    "NoneOrList",
    "Patient",
    "PatientRecord",
    "Phenotype",
    "Plan",
    "QualityOfLife",
    "Sex",
    "Signature",
    "Smoking",
    "Status",
    "SubsetChange",
    "Summary",
    "Visit",
    "VisitRecord",
    "VisitState",
    "VisitType",
    "in_force",
    "newest_antibodies",
    "on_or_before",
]
