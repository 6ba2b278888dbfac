"""Names of the sites, read from the one list of sites."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

SITES_CSV = Path(__file__).resolve().parent.parent / "data" / "sites.csv"


@lru_cache(maxsize=1)
def site_labels() -> dict[str, str]:
    """{site code: English label} of lesions/data/sites.csv (comment lines start with #)."""
    with SITES_CSV.open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["label"] for row in csv.DictReader(line for line in lines if not line.startswith("#"))}
