"""A clinic has its own time zone: what today is there."""

import calcinosis_registry.clinics.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinics', '0004_transfer'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinic',
            name='time_zone',
            field=models.CharField(blank=True, help_text='What today is for the people of this clinic. Empty: the time zone of the register.', max_length=64, validators=[calcinosis_registry.clinics.models.known_zone], verbose_name='time zone'),
        ),
    ]
