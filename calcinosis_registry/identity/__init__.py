"""Names, kept apart: linked to the patient by registry number only.

Cohorts, exports, reports and api never come here.
"""
