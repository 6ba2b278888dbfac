"""Which patients, which values: projects, the cohort builder, the one dataset that reports and exports read."""
