"""What must be true of a register's tables, asked of the database itself."""

from __future__ import annotations

from tests.operations.register import Register


def assert_self_consistent(register: Register) -> None:
    """Sound; every visit has one event of its making, both observations with theirs, and is counted."""
    ask = register.rows
    if not register.database:
        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert not ask("PRAGMA foreign_key_check")
    for table, model in (
        ("patients_visit", "patients.visit"),
        ("lesions_lesionobservation", "lesions.lesionobservation"),
    ):
        alone = ask(
            f"SELECT t.id FROM {table} t LEFT JOIN audit_event e ON e.model = '{model}' "
            "AND e.object_id = t.id AND e.action = 'create' GROUP BY t.id HAVING COUNT(e.id) <> 1"
        )
        assert not alone, f"{len(alone)} rows of {table} without their event"
    assert not ask(
        "SELECT v.id FROM patients_visit v LEFT JOIN lesions_lesionobservation o ON o.visit_id = v.id "
        "GROUP BY v.id HAVING COUNT(o.id) <> 2"
    ), "a visit without its observations"
    assert not ask(
        "SELECT s.patient_id FROM patients_summary s LEFT JOIN patients_visit v ON v.patient_id = s.patient_id "
        "GROUP BY s.patient_id, s.visit_count HAVING COUNT(v.id) <> s.visit_count"
    ), "a summary that does not count its visits"
    assert not ask("SELECT patient_id FROM patients_visit GROUP BY patient_id, visit_date HAVING COUNT(*) > 1")
