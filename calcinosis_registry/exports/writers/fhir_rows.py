"""Which FHIR resource a row of each table becomes (clinical-model 9.4). A table without one becomes Observations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from calcinosis_registry.exports.writers import terms
from calcinosis_registry.exports.writers.fhir_values import (
    HL7,
    OURS,
    SYSTEMS,
    Json,
    coding,
    components,
    concept,
    constant,
    day,
    extensions,
    id_of,
    number_columns,
    own_coding,
    pointer,
    quantity,
    reference,
    resource,
    several,
    target_of,
)  # fmt: skip
from calcinosis_registry.exports.writers.pieces import joined, slices

if TYPE_CHECKING:
    from calcinosis_registry.cohorts.dataset import Table

Resource = dict[str, Any]
LABORATORY = constant(
    [concept({"system": f"{HL7}/observation-category", "code": "laboratory", "display": "Laboratory"})]
)
Row = dict[str, Any]
STUDY = "study"
WHEN = ("completed_on", "collected_on", "read_at", "measured_on", "tested_on", "onset", "visit_date")
PARTS = ("", "_year", "_earliest", "_precision")
# The columns an Observation is made of, beside its components and its links.
READ = {"patient", "instrument", "instrument_version"} | {f"{name}{end}" for name in WHEN for end in PARTS}
# The resource a row of a table is referred to as; every other table is an Observation.
KINDS = {
    "visits": "Encounter", "lesions": "BodyStructure", "imaging": "ImagingStudy", "treatments": "MedicationStatement",
    "procedures": "Procedure", "biopsies": "Specimen",
}  # fmt: skip


class Sheet:
    """What is the same in every row of a table: its own number, its links, how its values are said."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = {one.name: one for one in table.columns}
        self.own = next(
            (name for name, to in number_columns().items() if to == table.name and name in self.columns), ""
        )
        self.resources = RESOURCES.get(table.name, observation)
        observes = self.resources in (observation, _visit)
        self.pieces = components(table) if observes else extensions(table)
        self.code = constant(concept({"system": f"{OURS}:table", "code": table.name, "display": table.label}))
        self.sources = [one for one in ("imaging_no", "hand_score_no") if target_of(one) != table.name]
        self.links = {name: (KINDS.get(to, "Observation"), to) for name in self.columns if (to := target_of(name))}
        self.when = [one for one in WHEN if any(f"{one}{end}" in self.columns for end in PARTS)]
        self.codings: dict[tuple[str, str], Resource] = {}  # shared between resources, so never to be changed
        self.concepts: dict[tuple[str, ...], Json] = {}

    def rows(self) -> Iterator[tuple[str, tuple[Row, str]]]:
        """(pseudonym, (row, its values in JSON))."""
        some = self.resources is observation
        names = [name for name in self.columns if not some or target_of(name) or name in READ]
        for batch in slices(self.table):
            said = joined(self.table.columns, self.pieces, batch, ",")
            cells = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
            for row, values in zip(cells, said, strict=True):
                yield row[0], (dict(zip(names, row, strict=True)), values)


class Told:
    """A row with its table, its resource's id, and the references every kind of resource needs."""

    def __init__(self, sheet: Sheet, patient: str, number: int, row: Row, values: str, linked: list[str]) -> None:
        self.sheet, self.table, self.patient, self.row, self.linked = sheet, sheet.table, patient, row, linked
        own = row[sheet.own] if sheet.own else None
        self.number = number if own is None else own
        self.id = id_of(patient, self.table.name, self.number)
        self.values = values

    @property
    def subject(self) -> Json:
        return pointer("Patient", self.patient)

    @property
    def everything(self) -> Json | None:
        return several([self.values, *self.linked] if self.values else self.linked)

    def to(self, column: str) -> Json | None:
        """The resource a linking column points at."""
        if column not in self.sheet.links or self.row[column] is None:
            return None
        kind, target = self.sheet.links[column]
        return pointer(kind, id_of(self.patient, target, self.row[column]))

    def own(self, column: str) -> Resource | None:
        """A coded value with the register's own code."""
        code, known = self.row.get(column), self.sheet.codings
        if code is None:
            return None
        if (column, code) not in known:
            known[column, code] = own_coding(self.table, self.sheet.columns[column], code)
        return known[column, code]

    def coded(self, column: str, *more: terms.Term) -> Json | None:
        own, known = self.own(column), self.sheet.concepts
        if own is None:
            return None
        key = (column, own["code"], *(one.code for one in more))
        if key not in known:
            known[key] = constant(concept(*(coding(term) for term in more), own))
        return known[key]


def observation(told: Told) -> Iterator[Resource]:
    """Any row: its values as components."""
    focus = several([one for one in (told.to("lesion_no"),) if one])
    sources = several([one for name in told.sheet.sources if (one := told.to(name))])
    when = next((found for name in told.sheet.when if (found := day(told.row, name))), None)
    yield resource(
        "Observation", told.id, status="final", subject=told.subject, encounter=told.to("visit_no"), focus=focus,
        code=told.sheet.code, effectiveDateTime=when, derivedFrom=sources, method=_method(told.row),
        extension=several(told.linked), component=several([told.values] if told.values else []),
    )  # fmt: skip


def _method(row: Row) -> Resource | None:
    if not row.get("instrument_version"):
        return None
    return concept(text=f"{row.get('instrument') or ''} {row['instrument_version']}".strip())


def _patient(told: Told) -> Iterator[Resource]:
    row = told.row
    died = day(row, "death_date")
    dead = {"deceasedDateTime": died} if died else {"deceasedBoolean": row.get("status") == "DEAD" or None}
    yield resource(
        "Patient", told.patient, extension=told.everything, **dead,
        identifier=[{"system": f"{OURS}:pseudonym", "value": told.patient}],
        gender={"F": "female", "M": "male"}.get(row.get("sex_at_birth") or "", "unknown"),
    )  # fmt: skip
    yield resource(
        "Consent", f"{told.patient}-consent", status="active", patient=told.subject,
        scope=concept({"system": f"{HL7}/consentscope", "code": "research", "display": "Research"}),
        category=[concept({"system": f"{HL7}/consentcategorycodes", "code": "research"})],
        policyRule=concept(text="Consent to research in the register, in force when the export was made"),
    )  # fmt: skip
    yield resource(
        "ResearchSubject", f"{told.patient}-subject", status="on-study", individual=told.subject,
        study=reference("ResearchStudy", STUDY),
    )  # fmt: skip


def _diagnosis(told: Told) -> Iterator[Resource]:
    row = told.row
    problem = [
        concept({"system": f"{HL7}/condition-category", "code": "problem-list-item", "display": "Problem List Item"})
    ]
    subset = told.coded("ssc_subset", *terms.of_subset(row.get("ssc_subset") or ""))
    code = told.coded("primary_ctd", *terms.of_diagnosis(row.get("primary_ctd") or ""))
    yield resource(
        "Condition", told.id, category=problem, subject=told.subject, encounter=told.to("visit_no"),
        code=code or concept(text="Connective tissue disease: not answered"),
        onsetDateTime=day(row, "first_non_raynaud"), stage=Json(f'[{{"summary":{subset}}}]') if subset else None,
        extension=told.everything,
    )  # fmt: skip
    found = concept(coding(terms.of_concept(terms.CALCINOSIS)))
    yield resource(
        "Condition", id_of(told.patient, "calcinosis", told.number), category=problem, subject=told.subject,
        code=concept({"system": SYSTEMS["ICD10"], "code": "L94.2", "display": "Calcinosis cutis"}),
        onsetDateTime=day(row, "first_calcinosis"), evidence=[{"code": [found]}],
    )  # fmt: skip


def _visit(told: Told) -> Iterator[Resource]:
    date = day(told.row, "visit_date")
    remote = told.row.get("visit_type") == "TELE"
    code, display = ("VR", "virtual") if remote else ("AMB", "ambulatory")
    states = {"SIGNED": "finished", "COMPLETE": "finished", "OPEN": "in-progress", "MISSED": "cancelled"}
    kind = told.coded("visit_type")
    encounter = resource(
        "Encounter", told.id, status=states.get(told.row.get("state") or "", "unknown"), subject=told.subject,
        type=several([kind] if kind else []), period={"start": date, "end": date} if date else {},
    )  # fmt: skip
    encounter["class"] = {"system": f"{HL7}/v3-ActCode", "code": code, "display": display}
    yield encounter
    for one in observation(told):
        yield one | {"encounter": pointer("Encounter", told.id)}


def _lesion(told: Told) -> Iterator[Resource]:
    side = told.coded("laterality")
    yield resource(
        "BodyStructure", told.id, patient=told.subject, extension=told.everything,
        identifier=[{"system": f"{OURS}:lesion", "value": f"{told.patient}/{told.number}"}],
        location=told.coded("site", *terms.of_site(told.row.get("site") or "")),
        locationQualifier=several([side] if side else []), morphology=told.coded("lesion_kind"),
    )  # fmt: skip


def _lab(told: Told) -> Iterator[Resource]:
    row = told.row
    value, unit = row.get("value"), row.get("unit") or ""
    analyte = told.coded("analyte", *terms.of_analyte(row.get("analyte") or "", unit))
    yield resource(
        "Observation", told.id, status="final", subject=told.subject, encounter=told.to("visit_no"),
        category=LABORATORY,
        code=analyte or concept(text="Analyte: not answered"),
        valueQuantity=None if value is None else quantity(value, unit, unit, row.get("comparator")),
        effectiveDateTime=day(row, "collected_on"), extension=told.everything,
    )  # fmt: skip


def _imaging(told: Told) -> Iterator[Resource]:
    row = told.row
    own = told.own("modality")
    label = own["display"] if own else ""
    modality = own | {"system": SYSTEMS["DICOM"]} if own else None
    yield resource(
        "ImagingStudy", told.id, status="available", subject=told.subject, started=day(row, "study_date"),
        encounter=told.to("visit_no"), modality=[modality] if modality else [], extension=told.everything,
    )  # fmt: skip
    yield resource(
        "DiagnosticReport", f"{told.id}-report", status="final", subject=told.subject, encounter=told.to("visit_no"),
        code=concept(text=f"Imaging: {label or 'modality not answered'}"), effectiveDateTime=day(row, "study_date"),
        imagingStudy=[reference("ImagingStudy", told.id)], conclusion=row.get("report_text"),
    )  # fmt: skip


def _biopsy(told: Told) -> Iterator[Resource]:
    date = day(told.row, "taken_on")
    yield resource(
        "Specimen", told.id, subject=told.subject, collection={"collectedDateTime": date} if date else {},
        extension=told.everything,
    )  # fmt: skip
    yield resource(
        "DiagnosticReport", f"{told.id}-report", status="final", subject=told.subject, encounter=told.to("visit_no"),
        code=concept(text="Histology"), specimen=[reference("Specimen", told.id)], effectiveDateTime=date,
    )  # fmt: skip


def _questionnaire(told: Told) -> Iterator[Resource]:
    row = told.row
    states = {"COMPLETE": "completed", "PARTIAL": "in-progress", "NOT_DONE": "stopped"}
    answer = [{"valueDecimal": row["score"]}] if row.get("score") is not None else []
    yield resource(
        "QuestionnaireResponse", told.id, status=states.get(row.get("completion") or "", "completed"),
        subject=told.subject, encounter=told.to("visit_no"), authored=day(row, "completed_on"),
        item=[{"linkId": "score", "text": row.get("instrument") or "Score", "answer": answer}] if answer else [],
        extension=told.everything,
    )  # fmt: skip


def _treatment(told: Told) -> Iterator[Resource]:
    row = told.row
    stopped = "stopped" if row.get("reason_stopped") else "completed"
    status = {"Y": "active", "N": stopped}.get(row.get("ongoing") or "", "unknown")
    drug = told.own("agent")
    atc = [{"system": SYSTEMS["ATC"], "code": row["atc"]}] if row.get("atc") else []
    period = {name: found for name, part in (("start", "start"), ("end", "stop")) if (found := day(row, part))}
    codes = [*atc, *([drug] if drug else [])]
    yield resource(
        "MedicationStatement", told.id, status=status, subject=told.subject, context=told.to("visit_no"),
        medicationCodeableConcept=concept(*codes) if codes else concept(text="Drug: not answered"),
        effectivePeriod=period, extension=told.everything,
    )  # fmt: skip


def _procedure(told: Told) -> Iterator[Resource]:
    yield resource(
        "Procedure", told.id, status="completed", subject=told.subject, encounter=told.to("visit_no"),
        code=told.coded("code"), performedDateTime=day(told.row, "performed_on"), extension=told.everything,
    )  # fmt: skip


def _adverse_event(told: Told) -> Iterator[Resource]:
    outcomes = {
        "RECOVERED": "resolved", "RECOVERING": "recovering", "SEQUELAE": "resolvedWithSequelae",
        "NOT_RECOVERED": "ongoing", "FATAL": "fatal", "U": "unknown",
    }  # fmt: skip
    serious = {"Y": "Serious", "N": "Non-serious"}.get(told.row.get("serious") or "")
    outcome = outcomes.get(told.row.get("outcome") or "")
    suspects = [f'{{"instance":{one}}}' for name in ("treatment_no", "procedure_no") if (one := told.to(name))]
    yield resource(
        "AdverseEvent", told.id, actuality="actual", subject=told.subject, encounter=told.to("visit_no"),
        date=day(told.row, "onset"), suspectEntity=several(suspects), extension=told.everything,
        seriousness=concept({"system": f"{HL7}/adverse-event-seriousness", "code": serious.lower(), "display": serious})
        if serious else None,
        outcome=concept({"system": f"{HL7}/adverse-event-outcome", "code": outcome}) if outcome else None,
    )  # fmt: skip


RESOURCES: dict[str, Callable[[Told], Iterator[Resource]]] = {
    "patients": _patient, "diagnoses": _diagnosis, "visits": _visit, "lesions": _lesion, "labs": _lab,
    "imaging": _imaging, "biopsies": _biopsy, "questionnaires": _questionnaire, "treatments": _treatment,
    "procedures": _procedure, "adverse_events": _adverse_event,
}  # fmt: skip
