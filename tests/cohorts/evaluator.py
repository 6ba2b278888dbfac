"""The question language once more, row by row in plain Python: slow, and owing nothing to the database's way."""

from __future__ import annotations

import datetime
from typing import Any

from calcinosis_registry.codebook.partial_dates import PartialDate
from calcinosis_registry.cohorts.structure import levels
from lesions.sites import descendants
from patients.models import Patient

YEAR_DAYS = 365.25
DATES = {  # what says when a record was; of the others the visit does
    "visit": "visit_date", "lesion": "first_recorded", "treatmentcourse": "start", "complication": "onset",
    "diagnosis": "diagnosed_on", "laboratoryresult": "collected_on",
}  # fmt: skip
PARENTS = {
    "lesionobservation": {"lesion": "lesion_id", "visit": "visit_id"}, "lesion": {"visit": "visit_id"},
    "treatmentcourse": {"visit": "visit_id"}, "complication": {"visit": "visit_id"}, "diagnosis": {"visit": "visit_id"},
    "visit": {}, "patient": {}, "laboratoryresult": {"visit": "visit_id"},
}  # fmt: skip


class World:
    """Every row of the kinds above, as objects; unsigned visits and what hangs on them left out on request."""

    def __init__(self, *, all_visits: bool) -> None:
        self.rows = {kind: list(levels()[kind].model._default_manager.all()) for kind in PARENTS}
        self.visits = {one.pk: one for one in self.rows["visit"]}
        if not all_visits:
            signed = {pk for pk, one in self.visits.items() if one.state == "SIGNED"}
            seen = {one.lesion_id for one in self.rows["lesionobservation"] if one.visit_id in signed}
            for kind, rows in self.rows.items():
                if kind == "visit":
                    self.rows[kind] = [one for one in rows if one.pk in signed]
                elif kind != "patient":
                    self.rows[kind] = [
                        one
                        for one in rows
                        if one.visit_id is None or one.visit_id in signed or (kind == "lesion" and one.pk in seen)
                    ]

    def found(self, definition: dict[str, Any]) -> set[int]:
        return {one.pk for one in Patient.objects.all() if self.holds(definition, one, "patient", outside=True)}

    # ---- nodes

    def holds(self, node: dict[str, Any], row: Any, kind: str, *, outside: bool) -> bool:
        """``outside``: not inside a record, so a plain test is "of some record"."""
        if "record" in node:
            return self.records(node, row, kind, outside=outside)
        if "item" in node:
            return self.some(node, row) if outside else self.tests(node, row, kind)
        truths = [self.holds(one, row, kind, outside=outside) for one in node["conditions"]]
        return {"all": all(truths), "any": any(truths), "none": not any(truths)}[node.get("join", "all")]

    def some(self, node: dict[str, Any], patient: Any) -> bool:
        kind = node["item"].split(".")[0]
        operator = {"is not": "is", "not answered": "answered"}.get(node["operator"])
        if operator is None:
            return any(self.tests(node, row, kind) for row in self.of(kind, patient, "patient", outside=True))
        return not self.some(node | {"operator": operator}, patient)

    def of(self, kind: str, row: Any, outer: str, *, outside: bool) -> list[Any]:
        if kind == "patient":
            return [row]
        if outside:
            return [one for one in self.rows[kind] if one.patient_id == row.pk]
        key = PARENTS[kind][outer]
        return [one for one in self.rows[kind] if getattr(one, key) == row.pk]

    def records(self, node: dict[str, Any], row: Any, outer: str, *, outside: bool) -> bool:
        rows = self.of(node["record"], row, outer, outside=outside)
        count = len(self.chosen(node, rows))
        times = node.get("times")
        if times is None:
            return count > 0
        return {
            "at least": count >= times["number"],
            "at most": count <= times["number"],
            "exactly": count == times["number"],
        }[times["operator"]]

    def chosen(self, node: dict[str, Any], rows: list[Any]) -> list[Any]:
        """The rows that fit; the first or last one where that is asked, if it fits."""
        kind, which = node["record"], node.get("which", "ever")

        def fits(row: Any) -> bool:
            group = {"join": node.get("join", "all"), "conditions": node["conditions"]}
            return not group["conditions"] or self.holds(group, row, kind, outside=False)

        if which == "baseline":
            baseline = {pk for pk, one in self.visits.items() if one.visit_type == "BASELINE"}
            rows = [one for one in rows if (one.pk if kind == "visit" else one.visit_id) in baseline]
        if which.endswith("such"):
            rows = [row for row in rows if fits(row)]
        if which.startswith(("first", "last")):
            dated = [row for row in rows if self.span(node, row)]
            if which.startswith("first"):
                dated.sort(key=lambda row: (self.span(node, row)[0], row.pk))
            else:
                dated.sort(key=lambda row: (self.span(node, row)[1], row.pk), reverse=True)
            rows = dated[:1]
        rows = [row for row in rows if fits(row)]
        return [row for row in rows if self.in_time(node, row)] if node.get("when") else rows

    # ---- time

    def span(self, node: dict[str, Any], row: Any) -> Any:
        """(first, last possible day), or None."""
        kind, dated = node["record"], node.get("dated")
        name = dated.split(".")[1] if dated else DATES.get(kind)
        value = getattr(row, name) if name else self.visits[row.visit_id].visit_date if row.visit_id else None
        if isinstance(value, PartialDate):
            return (value.earliest, value.latest) if value.earliest else None
        return (value, value) if value else None

    def in_time(self, node: dict[str, Any], row: Any) -> bool:
        when, own = node["when"], self.span(node, row)
        if own is None:
            return False
        if when.get("day"):
            day = datetime.date.fromisoformat(when["day"])
            return self.near(when, own, (day, day))
        patient = Patient(pk=row.pk if node["record"] == "patient" else row.patient_id)
        event = when["event"]
        events = self.chosen(event, self.of(event["record"], patient, "patient", outside=True))
        return any(self.near(when, own, other) for one in events if (other := self.span(event, one)))

    @staticmethod
    def near(when: dict[str, Any], own: Any, event: Any) -> bool:
        """For every day each of the two may have been."""
        (low, high), (begun, over) = own, event
        gaps = ((low - over).days, (high - begun).days)  # least and greatest number of days from event to row
        if when.get("months") is None:
            return gaps[0] > 0 if when["relation"] == "after" else gaps[1] < 0
        most = round(int(when["months"]) * YEAR_DAYS / 12)
        lowest = 0 if when["relation"] == "after" else -most
        highest = 0 if when["relation"] == "before" else most
        return lowest <= gaps[0] and gaps[1] <= highest

    # ---- values

    def tests(self, node: dict[str, Any], row: Any, kind: str) -> bool:
        of, name = node["item"].split(".")
        if of != kind:
            above = [one for one in self.rows[of] if one.pk == getattr(row, PARENTS[kind][of])]
            return bool(above) and self.tests(node, above[0], of)
        value, operator, given = getattr(row, name), node["operator"], node.get("value")
        known = value not in (None, "", ())
        if operator in ("answered", "not answered"):
            return known is (operator == "answered")
        if not known:
            return False
        return self.compared(value, operator, given, node["item"])

    def compared(self, value: Any, operator: str, given: Any, item: str) -> bool:
        if operator == "is not":
            return not self.compared(value, "is", given, item)
        if operator in ("is", "any of"):
            wanted = set(given if isinstance(given, list) else [given])
            if item == "lesion.site":
                wanted |= {one.code for code in wanted for one in descendants(code)}
            if isinstance(value, bool):
                return value is (given == "yes")
            if isinstance(value, tuple):
                return bool(wanted & set(value))
            return (str(value) if isinstance(value, str) else value) in wanted
        if operator in ("at least", "at most"):
            return value >= given if operator == "at least" else value <= given
        if isinstance(value, PartialDate):
            if value.earliest is None:
                return False
            low, high = value.earliest, value.latest
        else:
            low = high = value
        if operator == "between":
            bounds = [datetime.date.fromisoformat(one) if isinstance(one, str) else one for one in given]
            return bounds[0] <= low and high <= bounds[1]
        day = datetime.date.fromisoformat(given)
        return high < day if operator == "before" else low > day
