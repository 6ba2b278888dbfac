"""The clinic's work: what is due, unfinished, unsigned or asked, and whom this person saw last."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from calcinosis_registry.accounts.models import User
from calcinosis_registry.audit.models import Action, Event
from calcinosis_registry.clinics.policy import may
from calcinosis_registry.clinics.roles import Permission
from calcinosis_registry.quality.models import DataQuery
from calcinosis_registry.records.models import Draft
from patients.kinds import kinds
from patients.listing import ASKED, TO_COMPLETE, TO_SIGN, with_names
from patients.models import FollowUp, Patient, Signature, Visit, VisitState
from patients.questions import ClinicCount, counts, place

SHOWN = 10  # rows of a section; the rest is behind "see all"
LOOK_BACK = datetime.timedelta(days=14)
EVENTS_LOOKED_AT = 300
# What a row shows of a visit; its patient is read whole, with the name (_attach_patients).
OF_A_VISIT = ("public_id", "state", "visit_date", "visit_type", "patient__registry_number")


@dataclass
class Section:
    """Some rows, how many there are in all, and the filter of the patient list that shows the rest."""

    rows: list[Any]
    count: int
    work: str = ""

    @property
    def more(self) -> bool:
        return self.count > len(self.rows)


@dataclass
class More(Section):
    """Work of the rooms above. ``template`` writes one row, which gets its patient with the name as ``about``; ``url``:
    the page of all of it. ``of_patients``: False where the rows are about nobody whose record this person may open."""

    id: str = ""
    title: str = ""
    hint: str = ""
    template: str = ""
    url: str = ""
    of_patients: bool = True


def first_of(rows: Any) -> tuple[list[Any], int]:
    """The rows a section shows, and how many there are in all: counted only where there are more."""
    found = list(rows[: SHOWN + 1])
    return found[:SHOWN], len(found) if len(found) <= SHOWN else rows.order_by().count()


# Called with the account. The app above (lesions) adds its own in its AppConfig.ready().
MORE_WORK: list[Callable[[User], More]] = []


@dataclass
class Worklist:
    """Everything on the home page. Every row carries ``patient`` with its name; a query also ``url`` and ``days``."""

    overdue: Section
    due: Section
    to_complete: Section
    to_sign: Section | None
    queries: Section
    drafts: Section
    unlocked: Section
    query_counts: list[ClinicCount] = field(default_factory=list)
    recent: list[Patient] = field(default_factory=list)
    lost: int = 0
    more: list[More] = field(default_factory=list)

    @property
    def nothing_to_do(self) -> bool:
        sections = (self.overdue, self.due, self.to_complete, self.to_sign, self.queries, self.drafts, self.unlocked)
        return not any(one.count for one in [*sections, *self.more] if one)


def worklist(*, user: User, today: datetime.date) -> Worklist:
    """The work of the clinics where ``user`` may see records; a constant number of queries, one event for the names."""
    patients = Patient.objects.visible_to(user, Permission.VIEW_RECORDS)
    visits = Visit.objects.visible_to(user, Permission.VIEW_RECORDS).select_related("patient").only(*OF_A_VISIT)
    queries = DataQuery.objects.visible_to(user, Permission.VIEW_RECORDS).open().order_by("opened_at", "pk")
    by_date = patients.only("registry_number").order_by("summary__next_due_on", "pk")  # read whole with their names
    found = Worklist(
        overdue=_section(by_date.overdue(today), FollowUp.OVERDUE),
        due=_section(by_date.due(today), FollowUp.DUE),
        to_complete=_section(visits.filter(state=VisitState.OPEN), TO_COMPLETE),
        to_sign=_section(visits.filter(state=VisitState.COMPLETE), TO_SIGN) if may(user, Permission.SIGN) else None,
        queries=_section(queries, ASKED),
        drafts=drafts_of(user),
        unlocked=unlocked_for(visits, user),
        lost=patients.lost(today).count(),
        more=[section for find in MORE_WORK if (section := find(user)).count],
    )
    if found.queries.count:
        found.query_counts = counts(queries, now=timezone.now())
    _attach_patients(found, patients, _seen_by(user), user=user)
    for patient in found.overdue.rows:
        patient.days_late = (today - patient.summary.next_due_on).days
    place(found.queries.rows, user=user)
    return found


def drafts_of(user: User) -> Section:
    """What this person typed and did not save, newest first."""
    rows = Draft.objects.visible_to(user, Permission.EDIT_RECORDS).fresh(timezone.now())
    return Section(*first_of(rows.defer("content")))


def unlocked_for(visits: Any, user: User) -> Section:
    """Visits this person signed and somebody else unlocked, until they are signed again."""
    withdrawn = Signature.objects.filter(signer=user, withdrawn_at__isnull=False).exclude(withdrawn_by=str(user)[:200])
    last = {one.visit_id: one for one in withdrawn.defer("content").order_by("withdrawn_at")}
    rows = visits.exclude(state=VisitState.SIGNED).filter(pk__in=last).order_by("-visit_date")
    found = Section(*first_of(rows)) if last else Section([], 0)
    for row in found.rows:
        row.withdrawn = last[row.pk]
    return found


def _section(rows: Any, work: str) -> Section:
    return Section(*first_of(rows), work)


def _seen_by(user: User) -> list[str]:
    """Registry numbers this account read or changed lately, newest first; a short range of the index on the time."""
    events = Event.objects.filter(
        actor_id=user.pk,
        at__gte=timezone.now() - LOOK_BACK,
        action__in=[Action.READ, Action.CHANGE, Action.CREATE, Action.SIGN],
    ).exclude(patient="")
    numbers = events.order_by("-at").values_list("patient", flat=True)[:EVENTS_LOOKED_AT]
    return list(dict.fromkeys(numbers))[:SHOWN]


def _attach_patients(found: Worklist, patients: Any, recent: list[str], *, user: User) -> None:
    """One reading of the patients and one of their names for all sections."""
    visits = [*found.to_complete.rows, *found.unlocked.rows, *(found.to_sign.rows if found.to_sign else [])]
    standing = [*found.overdue.rows, *found.due.rows]
    numbers = {visit.patient.registry_number for visit in visits} | {one.registry_number for one in standing}
    numbers |= {query.patient for query in found.queries.rows} | set(recent)
    others = [row for section in found.more if section.of_patients for row in section.rows]
    numbers |= {row.patient.registry_number for row in others}
    written_about = {draft.patient for draft in found.drafts.rows}
    rows = patients.filter(Q(registry_number__in=numbers) | Q(public_id__in=written_about))
    rows = rows.select_related("summary").prefetch_related("diagnosis_set")
    known = {row.registry_number: row for row in with_names(list(rows), user=user)}
    by_public_id = {row.public_id: row for row in known.values()}
    for draft in found.drafts.rows:
        draft.about, draft.title = by_public_id.get(draft.patient), _draft_title(draft)
    for section in (found.overdue, found.due):
        section.rows = [known[row.registry_number] for row in section.rows]
    for visit in visits:
        visit.patient = known[visit.patient.registry_number]
    for row in others:
        row.about = known[row.patient.registry_number]
    found.recent = [known[number] for number in recent if number in known]
    for query in found.queries.rows:
        query.about = known.get(query.patient)


def _draft_title(draft: Draft) -> str:
    """What a draft is a draft of, in words."""
    others = {"registration": _("Registration"), "visit": _("Visit"), "missed visit": _("Missed visit")}
    others |= {"study": _("Imaging study"), "hand score": _("Hand radiograph score")}
    model = kinds().get(draft.form)
    what = model.title() if model else others.get(draft.form, draft.form)
    return _("%(what)s, new") % {"what": what} if draft.subject.startswith("new") and model else what
