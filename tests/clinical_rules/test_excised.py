"""Excised needs the procedure that removed it, on or before that day (clinical-model 12.4 (5))."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from calcinosis_registry.codebook.partial_dates import PartialDate
from lesions.models import LesionObservation, Procedure
from lesions.services import VisitEntry, follow, save_visit
from tests.clinical_rules.posting import RecordPage, Table, VisitPage
from tests.factories import LesionObservationFactory, UserFactory


def excision(patient, *lesions, on: str = "2026-04", code: str = "EXCISION", **values) -> Procedure:
    done = Procedure(patient=patient, code=code, performed_on=PartialDate.parse(on), **values)
    done.save()
    done.lesions.add(*lesions)
    return done


def row_errors(answer, place: int = 0) -> dict[str, list[str]]:
    return dict(answer.context["page"].rows[place].form.errors)


def statuses(visit) -> dict[str, str]:
    rows = LesionObservation.objects.filter(visit=visit).select_related("lesion")
    return {one.lesion.label: one.status_change for one in rows}


# --- On the visit page ------------------------------------------------------------------------------------------------


def test_the_visit_page_asks_by_which_procedure_and_keeps_what_was_typed(clara, visit):
    answer = VisitPage(clara, visit).post(l1__status_change="EXCISED", l2__status_change="STABLE", pain_nrs="7")
    assert "Which procedure removed it?" in row_errors(answer)["removal"][0]
    assert answer.context["page"].rows[1].form["status_change"].value() == "STABLE"
    assert answer.context["page"].form["pain_nrs"].value() == "7"
    assert not LesionObservation.objects.filter(visit=visit).exists()


def test_a_procedure_is_recorded_in_the_row_of_the_lesion(clara, visit, lesions):
    answer = VisitPage(clara, visit).post(
        l1__status_change="EXCISED", l1__removal="CURETTAGE", l1__removal_on="2026-04-20"
    )
    assert answer.status_code == 302
    done = Procedure.objects.get()
    assert (done.code, str(done.performed_on), done.visit) == ("CURETTAGE", "2026-04-20", visit)
    assert list(done.lesions.all()) == [lesions[0]]
    assert statuses(visit) == {"L1": "EXCISED"}


def test_one_operation_on_two_lesions_is_one_procedure(clara, visit, lesions):
    both = {f"l{n}__{name}": value for n in (1, 2) for name, value in
            {"status_change": "EXCISED", "removal": "EXCISION", "removal_on": "2026-04"}.items()}  # fmt: skip
    assert VisitPage(clara, visit).post(**both).status_code == 302
    assert list(Procedure.objects.get().lesions.order_by("number")) == lesions


def test_a_recorded_procedure_is_pointed_at(clara, visit, lesions):
    done = excision(visit.patient, lesions[1])
    answer = VisitPage(clara, visit).post(l1__status_change="EXCISED", l1__removal=done.public_id)
    assert answer.status_code == 302
    assert list(done.lesions.order_by("number")) == lesions


def test_a_lesion_whose_procedure_is_recorded_asks_nothing_more(clara, visit, lesions):
    done = excision(visit.patient, lesions[0])
    page = clara.get(visit.get_absolute_url()).context["page"]
    assert [row.form.explained_by for row in page.rows] == [done, None]
    assert VisitPage(clara, visit).post(l1__status_change="EXCISED").status_code == 302


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"removal": "EXCISION"}, "removal_on", "When?"),
        ({"removal": "EXCISION", "removal_on": "last spring"}, "removal_on", "Enter a year"),
        ({"removal": "EXCISION", "removal_on": "2026-05-20"}, "removal_on", "after the visit"),
        ({"removal": "EXCISION", "removal_on": "1950"}, "removal_on", "before birth"),
        ({"removal": "EXCISION", "removal_on": "2099"}, "removal_on", "future"),
        ({"removal": "ESWL", "removal_on": "2026-04"}, "removal", "Select a valid choice"),
        ({"removal": "abcdefgh23456789"}, "removal", "Select a valid choice"),
    ],
)
def test_what_cannot_have_removed_it_is_refused_beside_the_field(clara, visit, typed, field, said):
    answer = VisitPage(clara, visit).post(
        l1__status_change="EXCISED", **{f"l1__{name}": value for name, value in typed.items()}
    )
    assert said in " ".join(row_errors(answer)[field])
    assert answer.context["page"].rows[0].form["removal"].value() == typed["removal"]
    assert not Procedure.objects.exists()


def test_a_procedure_after_the_visit_does_not_explain_it(clara, visit, lesions):
    later = excision(visit.patient, lesions[0], on="2026-06")
    assert "removal" in row_errors(VisitPage(clara, visit).post(l1__status_change="EXCISED"))
    answer = VisitPage(clara, visit).post(l1__status_change="EXCISED", l1__removal=later.public_id)
    assert "after the visit" in row_errors(answer)["removal"][0]


def test_a_procedure_chosen_for_a_lesion_that_is_still_there_is_not_recorded(clara, visit):
    answer = VisitPage(clara, visit).post(l1__status_change="STABLE", l1__removal="EXCISION", l1__removal_on="2026-04")
    assert answer.status_code == 302
    assert not Procedure.objects.exists()


def test_another_patients_procedure_cannot_be_pointed_at(clara, visit, north):
    from tests.factories import PatientFactory

    theirs = excision(PatientFactory(clinic=north))
    answer = VisitPage(clara, visit).post(l1__status_change="EXCISED", l1__removal=theirs.public_id)
    assert "removal" in row_errors(answer)
    assert not theirs.lesions.exists()


# --- On the record's page, in the admin, in code ----------------------------------------------------------------------


def test_the_record_page_refuses_it(clara, visit, lesions):
    page = RecordPage(clara, kind="lesionobservation", visit=visit)
    assert "status_change" in page.errors(lesion=lesions[0].pk, status_change="EXCISED")
    excision(visit.patient, lesions[0])
    assert page.errors(lesion=lesions[0].pk, status_change="EXCISED") == {}


def test_the_admin_refuses_it(clara, visit, lesions):
    table = Table(clara, LesionObservationFactory(lesion=lesions[0], visit=visit))
    assert "record it first" in table.errors(status_change="EXCISED")["status_change"][0]
    excision(visit.patient, lesions[0])
    assert table.errors(status_change="EXCISED") == {}


def test_code_refuses_it(visit, lesions):
    excised = LesionObservation(patient=visit.patient, lesion=lesions[0], visit=visit, status_change="EXCISED")
    with pytest.raises(ValidationError, match="record it first"):
        excised.save()
    with pytest.raises(ValidationError, match="record it first"):
        save_visit(entry=VisitEntry(visit=visit, observations=[excised]), by=UserFactory(), now=timezone.now())
    assert not LesionObservation.objects.filter(visit=visit).exists()


# --- The procedure stays what the lesion needs ------------------------------------------------------------------------


@pytest.fixture
def done(visit, lesions) -> Procedure:
    """L1 is excised at the visit by this."""
    made = excision(visit.patient, lesions[0])
    LesionObservationFactory(lesion=lesions[0], visit=visit, status_change="EXCISED")
    follow(patient=visit.patient, records=[])
    return made


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"performed_on": "2026-05-20"}, "performed_on"),
        ({"code": "ESWL"}, "code"),
        ({"lesions": []}, "lesions"),
    ],
)
@pytest.mark.parametrize("where", [RecordPage, Table])
def test_the_procedure_cannot_be_changed_away(clara, done, lesions, change, field, where):
    if field == "lesions":
        change = {"lesions": [lesions[1].pk]}
    assert "recorded as excised" in str(where(clara, done).errors(**change)[field])
    again = Procedure.objects.get()
    assert (again.code, str(again.performed_on), list(again.lesions.all())) == ("EXCISION", "2026-04", lesions[:1])


def test_the_procedure_cannot_be_removed(clara, done):
    clara.post(reverse("patients:record_delete", args=["procedure", done.public_id]), {"reason": "mistake"})
    assert Procedure.objects.exists()
    with pytest.raises(ValidationError, match="recorded as excised"):
        done.delete()
    LesionObservation.objects.filter(status_change="EXCISED").delete()
    clara.post(reverse("patients:record_delete", args=["procedure", done.public_id]), {"reason": "mistake"})
    assert not Procedure.objects.exists()


def test_a_second_procedure_frees_the_first(clara, done, visit, lesions):
    excision(visit.patient, lesions[0], code="AMPUTATION")
    assert RecordPage(clara, done).errors(performed_on="2026-05-20") == {}


@pytest.mark.parametrize("where", [VisitPage, Table])
def test_the_visit_cannot_be_moved_before_the_procedure(clara, done, visit, where):
    done.performed_on = PartialDate.parse("2026-04-20")
    done.save()
    assert where(clara, visit).post(visit_date="2026-04-15").status_code == 200
    visit.refresh_from_db()
    assert visit.visit_date == datetime.date(2026, 5, 12)
    assert where(clara, visit).post(visit_date="2026-04-20").status_code == 302
