"""The table of the shared cache: rate limits count across processes. A demo register makes it, too, and does not use it."""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    # Named here: without a name the command looks at today's settings, and those may be a demo's.
    call_command("createcachetable", "registry_cache", database=schema_editor.connection.alias, verbosity=0)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE registry_cache")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
