"""The signs of hospital and national numbers; the search keys of names with a dotless ı, written anew."""

import django.core.validators
from django.db import migrations, models
from django.db.models import Q

COLUMNS = ("family_key", "given_key", "hospital_key")
SIGNS = django.core.validators.RegexValidator(
    r"^[A-Za-z0-9 ./_#+:-]*\Z", "Only the letters A to Z, digits, spaces and . / - _ # + : are allowed."
)


def rewrite_keys(apps, schema_editor):
    holds = Q()
    for column in COLUMNS:
        holds |= Q(**{f"{column}__contains": "ı"})
    rows = apps.get_model("identity", "Identity").objects.using(schema_editor.connection.alias).filter(holds)
    for row in rows.iterator():
        for column in COLUMNS:
            setattr(row, column, getattr(row, column).replace("ı", "i"))
        row.save(update_fields=COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="identity",
            name="hospital_number",
            field=models.CharField(blank=True, max_length=40, validators=[SIGNS], verbose_name="hospital number"),
        ),
        migrations.AlterField(
            model_name="identity",
            name="national_number",
            field=models.CharField(blank=True, max_length=40, validators=[SIGNS], verbose_name="national number"),
        ),
        migrations.RunPython(rewrite_keys, migrations.RunPython.noop),
    ]
