from django.conf import settings
from django.db import migrations, models

from calcinosis_registry.audit import chain, witness
from calcinosis_registry.audit.models import _salts

BATCH = 2000


def join_what_stands(apps, schema_editor):
    """Events written before there was a chain join it in their order; their numbers become gap-free."""
    Event, alias = apps.get_model("audit", "Event"), schema_editor.connection.alias
    key, number, seal = settings.AUDIT_KEY.encode(), 0, chain.FIRST
    last = 0
    while some := list(Event.objects.using(alias).filter(pk__gt=last).order_by("pk")[:BATCH]):
        last, rows = some[-1].pk, []
        for event, salt in zip(some, _salts(len(some)), strict=True):
            number, was = number + 1, event.pk
            event.pk, event.commitment = number, chain.commitment(salt, event.changes, event.reason)
            seal = chain.seal(key, seal, [getattr(event, name) for name in chain.BOUND])
            rows.append((number, salt, event.commitment, seal, was))
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE audit_event SET id = %s, salt = %s, commitment = %s, seal = %s WHERE id = %s", rows
            )
    if number:
        witness.note(number, seal, even_back=True)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="commitment",
            field=models.CharField(default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="event",
            name="salt",
            field=models.CharField(blank=True, editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name="event",
            name="seal",
            field=models.CharField(default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="event",
            name="action",
            field=models.CharField(choices=[("create", "created"), ("change", "changed"), ("delete", "deleted"), ("sign", "signed"), ("unlock", "unlocked"), ("read", "read"), ("export", "exported"), ("sign_in", "signed in"), ("sign_out", "signed out"), ("account", "account changed"), ("erase", "erased"), ("restore", "restored from a backup")], max_length=12, verbose_name="what"),
        ),
        migrations.RunPython(join_what_stands, migrations.RunPython.noop),
    ]
