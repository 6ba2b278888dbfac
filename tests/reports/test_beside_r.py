"""Our statistics beside R's on the demonstration register: curves and tests, exact intervals, ICC, differences.

Runs where R with survival is (Debian: r-base); the largest absolute difference is printed.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess

import numpy as np
import pytest
from django.core.management import call_command

from calcinosis_registry.cohorts.scope import Scope
from calcinosis_registry.reports import histories
from calcinosis_registry.reports.chapters.outcomes import _readings
from calcinosis_registry.reports.making import subject_of
from calcinosis_registry.reports.reliability import icc_1_1
from calcinosis_registry.reports.statistics import comparison, rates, survival
from calcinosis_registry.reports.variables import VARIABLES

pytestmark = [pytest.mark.long, pytest.mark.django_db]
CLOSE = 1e-6

IN_R = r"""
library(survival)
d <- read.csv("lesions.csv"); p <- read.csv("patients.csv"); r <- read.csv("readings.csv"); x <- read.csv("values.csv")
out <- function(name, values) cat(name, format(values, digits = 15), sep = ",", fill = FALSE, "\n")
f <- survfit(Surv(years, event) ~ 1, data = d, cluster = patient, conf.type = "log-log")
out("km", f$surv); out("km_low", f$lower); out("km_high", f$upper)
f <- survfit(Surv(years, event) ~ 1, data = p, conf.type = "log-log")
out("km_patients", f$surv); out("km_patients_low", f$lower); out("km_patients_high", f$upper)
s <- survdiff(Surv(years, event) ~ group, data = p); out("log_rank", s$chisq)
m <- survfit(Surv(years, factor(cause, levels = 0:3)) ~ 1, data = d, cluster = patient)
for (cause in 1:3) out(paste0("aj_", cause), m$pstate[, cause + 1])
t <- poisson.test(sum(p$event), sum(p$years)); out("rate", 100 * c(t$estimate, t$conf.int))
b <- binom.test(sum(p$event), nrow(p)); out("share", c(b$estimate, b$conf.int))
a <- anova(lm(total ~ factor(image), data = r)); n <- table(r$image)
k <- (sum(n) - sum(n^2) / sum(n)) / (length(n) - 1)
out("icc", (a[1, 3] - a[2, 3]) / (a[1, 3] + (k - 1) * a[2, 3]))
one <- x$value[x$group == 0]; two <- x$value[x$group == 1]
out("difference", abs(mean(one) - mean(two)) / sqrt((var(one) + var(two)) / 2))
"""


def write(path, header, *columns) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        rows.writerows(zip(*columns, strict=True))


@pytest.fixture
def register():
    call_command("load_demo", patients=150, clinics=2, seed=1, verbosity=0)
    return subject_of(definition={}, scope=Scope(None, exact=True), by="patient.sex_at_birth")


def in_r(folder) -> dict[str, np.ndarray]:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("no Rscript here: apt install r-base")
    (folder / "ours.R").write_text(IN_R)
    ran = subprocess.run([program, "--vanilla", "ours.R"], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = csv.reader(io.StringIO(ran.stdout))
    return {row[0]: np.array([float(one) if one.strip() != "NA" else np.nan for one in row[1:] if one.strip()])
            for row in rows}  # fmt: skip


def test_every_statistic_is_that_of_r_on_the_demonstration_register(register, tmp_path):
    data = register.data
    lesions = histories.of_lesions(data, ("RESOLVED", "EXTRUDED_COMPLETE"))
    first = histories.first_in_patient(data, "ulcer")
    group = register.by.of[first.patient]
    readings = [(place, total) for place, totals in enumerate(
        totals for images in _readings(data).values() for totals in images.values() if len(totals) > 1)
        for total in totals]  # fmt: skip
    ages = next(one for one in VARIABLES if one.name == "age").values(data)
    known = [(age, sex) for age, sex in zip(ages, register.by.of.tolist(), strict=True) if age is not None]
    write(tmp_path / "lesions.csv", ("years", "event", "cause", "patient"), lesions.years, lesions.events,
          lesions.causes, lesions.patient)  # fmt: skip
    write(tmp_path / "patients.csv", ("years", "event", "group"), first.years, first.events, group)
    write(tmp_path / "readings.csv", ("image", "total"), *zip(*readings, strict=True))
    write(tmp_path / "values.csv", ("value", "group"), *zip(*known, strict=True))
    theirs = in_r(tmp_path)

    ours = survival.kaplan_meier(lesions.years, lesions.events, lesions.patient)
    alone = survival.kaplan_meier(first.years, first.events)
    names = [str(one) for one in group]
    mine = {
        "km": ours.estimate, "km_low": ours.low, "km_high": ours.high,
        "km_patients": alone.estimate, "km_patients_low": alone.low, "km_patients_high": alone.high,
        "log_rank": [survival.log_rank(first.years, first.events, names).chi2],
        **{f"aj_{cause}": survival.cumulative_incidence(lesions.years, lesions.causes, cause, lesions.patient).estimate
           for cause in (1, 2, 3)},
        "icc": [icc_1_1(list(by_image(readings).values())).value],
        "difference": [comparison.difference_of_means(*([age for age, sex in known if sex == one] for one in (0, 1)))],
    }  # fmt: skip
    rate = rates.exact_rate(int(first.events.sum()), float(first.years.sum()))
    share = rates.exact_share(int(first.events.sum()), len(first))
    mine |= {"rate": [rate.value, rate.low, rate.high], "share": [share.value, share.low, share.high]}
    assert first.events.sum() > 5 and lesions.events.sum() > 20 and len(readings) > 10
    assert mine.keys() == theirs.keys()
    apart = {name: largest(np.asarray(mine[name]), theirs[name]) for name in mine}
    print("\nlargest absolute difference from R:", max(apart.values()), apart)
    assert max(apart.values()) < CLOSE, apart


def by_image(readings: list[tuple[int, float]]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for place, total in readings:
        found.setdefault(place, []).append(total)
    return found


def largest(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Where both say a number; R says none for a band around 1 and 0."""
    assert len(ours) == len(theirs)
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    assert both.sum() >= 0.5 * len(ours) or len(ours) == 1
    return float(np.max(np.abs(ours - theirs)[both], initial=0.0))
