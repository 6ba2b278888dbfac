"""manage.py export: the same file, by the same rules, as the download in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit import trail
from calcinosis_registry.clinics.policy import roles_text
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.cohorts.models import Cohort, Freeze, ResearchProject
from calcinosis_registry.exports.models import Profile
from calcinosis_registry.exports.services import ExportRefused, make_export, unpack
from calcinosis_registry.exports.writers import FORMATS

DEMO_USER, DEMO_COHORT = "researcher@example.org", "everyone"


class Command(BaseCommand):
    help = "Export a cohort as linked tables with codebook and manifest."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        demo = settings.DEMO
        parser.add_argument("--cohort", default=DEMO_COHORT if demo else None, required=not demo)
        parser.add_argument("--format", choices=FORMATS, default="csv")
        parser.add_argument("--out", type=Path, required=True, help="folder for the zip and its files")
        parser.add_argument("--project", help="title of the research project; default: the cohort's own")
        parser.add_argument("--user", default=DEMO_USER if demo else None, required=not demo, help="e-mail address")
        parser.add_argument("--profile", default=Profile.CODED.value)
        parser.add_argument("--reason", default="command line")
        parser.add_argument("--freeze", help="label of the cohort's freeze; default: the rows as they are now")
        parser.add_argument("--include-text", action="store_true", help="with free text")
        parser.add_argument("--images", action="store_true", help="with the pictures of imaging studies, pixels only")
        parser.add_argument("--all-visits", action="store_true", help="unsigned visits too")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no open account {options['user']}.")
        actor = trail.Actor(id=user.pk, name=str(user), role=roles_text(user), source="command line")
        with trail.acting(actor):
            named = self._project(user, options["project"]) if options["project"] else None
            cohort = self._cohort(user, options["cohort"], named)
            project = named or cohort.project
            try:
                export = make_export(
                    cohort=cohort, project=project, format=options["format"], reason=options["reason"], by=user,
                    now=timezone.now(), profile=options["profile"], include_text=options["include_text"],
                    all_visits=options["all_visits"], include_images=options["images"],
                    freeze=self._freeze(cohort, options.get("freeze")),
                )  # fmt: skip
            except ExportRefused as error:
                raise CommandError(str(error)) from error
        unpack(export=export, into=options["out"])
        print(f"{export.patients} patients, {export.rows} rows in {options['out']}")

    @staticmethod
    def _cohort(user: User, name: str, project: ResearchProject | None) -> Cohort:
        found = Cohort.objects.visible_to(user, Permission.COUNT_COHORTS).filter(name=name).select_related("project")
        cohorts = [one for one in found if project is None or one.project in (None, project)]
        if not cohorts:
            raise CommandError(f"{user.email} has no cohort “{name}”.")
        if len(cohorts) > 1:
            raise CommandError(f"{user.email} has several cohorts “{name}”: add --project.")
        return cohorts[0]

    @staticmethod
    def _freeze(cohort: Cohort, label: str | None) -> Freeze | None:
        if label is None:
            return None
        found = cohort.freezes.filter(label=label).first()
        if found is None:
            raise CommandError(f"The cohort “{cohort}” has no freeze “{label}”.")
        return found

    @staticmethod
    def _project(user: User, title: str) -> ResearchProject:
        project = ResearchProject.objects.visible_to(user, Permission.COUNT_COHORTS).filter(title=title).first()
        if project is None:
            raise CommandError(f"{user.email} has no project “{title}”.")
        return project
