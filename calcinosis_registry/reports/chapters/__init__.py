"""The chapters of a report: each turns the rows of a cohort or clinic into exhibits. Pure."""
