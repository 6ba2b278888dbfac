"""Data queries: the list of a clinic, one query, and asking one."""

from django.urls import path

from patients.views import queries

app_name = "queries"
urlpatterns = [
    path("", queries.query_list, name="list"),
    path("ask/<slug:kind>/<slug:public_id>/", queries.ask, name="ask"),
    path("<slug:public_id>/", queries.query_page, name="query"),
    path("<slug:public_id>/answer/", queries.answer, name="answer"),
    path("<slug:public_id>/close/", queries.close, name="close"),
    path("<slug:public_id>/reopen/", queries.reopen, name="reopen"),
]
