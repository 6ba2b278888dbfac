"""Secrets of authenticator apps and recovery codes that stand in the clear are sealed."""

from django.db import migrations

from calcinosis_registry.sealing import FACTORS

SECRETS = ("secret", "seed")


def _each(apps, change):
    for row in apps.get_model("mfa", "Authenticator").objects.exclude(type="webauthn"):
        for name in SECRETS:
            if name in row.data:
                row.data[name] = change(row.data[name])
        if "migrated_codes" in row.data:
            row.data["migrated_codes"] = [change(code) for code in row.data["migrated_codes"]]
        row.save(update_fields=["data"])


def seal(apps, schema_editor):
    _each(apps, FACTORS.seal)


def unseal(apps, schema_editor):
    _each(apps, FACTORS.open)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_cache_table"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(seal, unseal)]
