"""Work that takes longer than a page may: rows in the database, a worker that runs them (docs/decisions/0022)."""
