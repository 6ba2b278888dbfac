"""Run inside a register's environment: threads that save visits by themselves; prints the seconds each save took."""

from __future__ import annotations

import datetime
import json
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(process: int, threads: int, saves: int, queue: bool) -> None:
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from calcinosis_registry.accounts.models import User
    from calcinosis_registry.operations.sqlite_queue import base
    from lesions.models import Lesion, LesionObservation
    from lesions.services import VisitEntry, save_visit
    from patients.models import Patient, Visit

    if not queue:
        base.Turn.take = lambda self: None  # type: ignore[method-assign]
    patients, by = list(Patient.objects.order_by("pk")), User.objects.first()
    took: list[float] = []
    errors: list[str] = []

    def write(thread: int) -> None:
        patient = patients[thread % len(patients)]
        lesions = list(Lesion.objects.filter(patient=patient))
        for n in range(saves):
            day = datetime.date(2019, 2, 1) + datetime.timedelta(days=saves * (process * threads + thread) + n)
            visit = Visit(patient=patient, visit_date=day, visit_type="FOLLOW_UP", calcinosis_present="Y", pain_nrs=4)
            seen = [
                LesionObservation(
                    patient=patient, visit=visit, lesion=one, status_change="STABLE", ulcerated="N", drainage="NONE",
                    infection="NONE", flare="N", length_mm=Decimal(9), width_mm=Decimal(7), size_method="CALIPER",
                )
                for one in lesions
            ]  # fmt: skip
            start = time.perf_counter()
            try:
                save_visit(entry=VisitEntry(visit=visit, observations=seen), by=by, now=timezone.now())
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
            took.append(time.perf_counter() - start)
        connection.close()

    running = [threading.Thread(target=write, args=(n,)) for n in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    print(json.dumps({"took": took, "errors": errors}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "queue")
