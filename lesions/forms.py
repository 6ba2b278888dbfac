"""Forms of lesions that are more than the codebook's."""

from __future__ import annotations

from calcinosis_registry.records.forms import RecordForm, form_field
from lesions.models import HandScore

ENTERED = ["rater_role", "blinded", "simple_severity"]


class ReadingForm(RecordForm):
    """Beside the grid of sites, which is no form: any save of the reading meanwhile is a conflict."""

    whole = False

    class Meta:
        model = HandScore
        fields = ENTERED
        formfield_callback = form_field
