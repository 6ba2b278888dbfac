"""Moving a register from SQLite to PostgreSQL (docs/operations/move-to-postgresql.md)."""
