"""The search keys are compared by code point on PostgreSQL, whatever the database's collation.

SQLite does so already: there only Django's notion of the columns changes, and the table is not rebuilt.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from calcinosis_registry.identity.models import SearchKeyField

KEYS = ("family_key", "given_key", "hospital_key")


def collate(name: str) -> Any:
    def alter(_apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":  # which also builds the columns' indexes again
            steps = ", ".join(f'ALTER COLUMN {key} TYPE varchar(120) COLLATE "{name}"' for key in KEYS)
            schema_editor.execute(f"ALTER TABLE identity_identity {steps}")

    return alter


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_number_signs")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(collate("C"), collate("default"))],
            state_operations=[
                migrations.AlterField(
                    model_name="identity",
                    name=key,
                    field=SearchKeyField(db_index=True, default="", editable=False, max_length=120),
                )
                for key in KEYS
            ],
        )
    ]
