"""Forms of lesions that are more than the codebook's."""

from __future__ import annotations

from collections.abc import Mapping

from calcinosis_registry.records.conflict import Choice, only_one
from calcinosis_registry.records.forms import RecordForm, form_field
from lesions.hand_reading import Grid
from lesions.models import HandScore

ENTERED = ["rater_role", "blinded", "simple_severity"]


class ReadingForm(RecordForm):
    """What is asked of a reading as a whole. The grid of sites stands beside it; a site is one answer."""

    class Meta:
        model = HandScore
        fields = ENTERED
        formfield_callback = form_field

    def beside(self) -> dict[str, list[str]]:
        return {name: values for row in Grid.stored(self.instance).rows for name, values in row.as_posted.items()}

    def choices_beside(self, seen: Mapping[str, list[str] | None]) -> list[Choice]:
        stored, typed = Grid.stored(self.instance), Grid.typed(self.instance.tool, self.data)
        before = _shown(stored, seen)
        found = []
        for n, (theirs, mine) in enumerate(zip(stored.rows, typed.rows, strict=True)):
            if theirs.meant == mine.meant:
                continue
            was, picked = before.rows[n] if before else None, ""
            if was is not None:
                picked = only_one(was.meant == theirs.meant, was.meant == mine.meant)
            found.append(
                Choice(
                    theirs.name, theirs.title, was.said if was else "", theirs.said, mine.said, theirs.as_posted, picked
                )
            )
        return found


def _shown(stored: Grid, seen: Mapping[str, list[str] | None]) -> Grid | None:
    """The grid as the page showed it when it was opened; None where that is not known."""
    told = {name: seen.get(name) for row in stored.rows for name in row.as_posted}
    if None in told.values():
        return None
    return Grid.typed(stored.tool, {name: values[0] for name, values in told.items() if values})
