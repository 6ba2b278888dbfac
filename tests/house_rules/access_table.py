"""Who gets what at every address: the whole of it, line by line.

A line names a route, the methods it is about, and what each account gets:
  ok     let in: a page, a form shown again, a redirect within the register
  login  sent to sign in
  prove  sent to prove who it is (again)
  gone   the admin's way to say 404: back to its index
  403, 404, 405, 410 as answered
GET and POST have lines. A method that no line of a route names answers 405; to anonymous people only where the page is
open to them. HEAD gets what GET gets. PUT, PATCH, DELETE and OPTIONS answer 405 everywhere to everybody.

The accounts, in the order of the columns. All rows are of the clinic North; ``member`` is in its research project:
anon, then clinician, assistant, monitor and researcher of North, member, admin of North, coordinator (admin of all
clinics), clinician and admin of South, an account without a role. SAME_AS says who else there is, and whose column
is theirs; test_access.py asks for all of them everywhere. Without a second factor, or after it was reset, every page
but BEFORE_THE_SECOND_FACTOR leads to setting one.

A route may be named by a pattern (``*``) that takes in several; a line of its own comes before a pattern.
A new route: add its line; if a parameter of its address is new, say in OBJECTS which row it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lesions import body_map

SAME_AS = {
    "disabled": "anon",  # a closed account, with the session it had
    "reset": "anon",  # its second factor was reset by an admin: the session it had is over
    "ended": "nobody",  # a role that ended yesterday
    "future": "nobody",  # one that begins tomorrow
    "invited": "nobody",  # invited to a role, not accepted
    "closed": "nobody",  # a clinician of a clinic that was closed
}
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS")
# Where an account that has no second factor yet still gets to: the open pages, leaving, proving itself, adding one.
BEFORE_THE_SECOND_FACTOR = {
    "health_live", "health_ready", "account_login", "account_logout", "account_inactive", "account_reauthenticate",
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "mfa_authenticate", "mfa_activate_totp", "mfa_add_webauthn", "admin:login",
    "clinics:accept",
}  # fmt: skip

ACCOUNTS = ("anon", "clin", "asst", "mon", "rsch", "member", "admin", "coord", "strng", "oadm", "nobody")

# {parameter, or route and parameter: attribute of a row of cast.py; in quotes: the word itself}
OBJECTS = {
    "patient_id": "patient.public_id",
    "patients:record public_id": "course.public_id",
    "patients:record_history public_id": "course.public_id",
    "patients:record_delete public_id": "course.public_id",
    "number": "removed.pk",
    "lesions:visit public_id": "visit.public_id",
    "lesions:visit_sign public_id": "visit.public_id",
    "lesions:visit_move public_id": "visit.public_id",
    "lesions:visit_unlock public_id": "visit.public_id",
    "lesions:patient public_id": "patient.public_id",
    "lesions:patient_course public_id": "patient.public_id",
    "lesions:patient_history public_id": "patient.public_id",
    "lesions:imaging_study public_id": "study.public_id",
    "lesions:hand_score public_id": "study.public_id",
    "lesions:reading_ask public_id": "study.public_id",
    **{f"lesions:reading_{name} public_id": "second_reading.public_id" for name in ("pair", "take", "give_up")},
    "records:draft_discard public_id": "'nothing'",
    "lesions:imaging_waiting token": "'nothing'",
    "lesions:lesion_pictures public_id": "lesion.public_id",
    **{f"lesions:imaging_{name} public_id": "measure.public_id" for name in ("redraw", "use")},
    **dict.fromkeys(("frame", "level", "column", "row"), "'0'"),
    **{
        f"lesions:imaging_{name} public_id": "file.public_id"
        for name in ("preview", "thumbnail", "download", "remove", "clear", "unclear", "raster", "tile", "measures")
    },
    **{f"cohorts:{name} public_id": "project.public_id" for name in ("project", "approve", "refuse", "end", "members")},
    **{
        f"cohorts:{name} public_id": "cohort.public_id"
        for name in ("cohort", "edit", "copy", "share", "compare", "freeze")
    },
    **{f"rights:{name} public_id": "erasure.public_id" for name in ("confirm", "withdraw")},
    "double_id": "double.public_id",
    "transfers:double_take_back public_id": "merger.public_id",
    **{f"transfers:{name} public_id": "transfer.public_id" for name in ("transfer", "accept", "decline", "take_back")},
    **{f"queries:{name} public_id": "query.public_id" for name in ("query", "answer", "close", "reopen")},
    "queries:ask public_id": "course.public_id",
    **{f"jobs:{name} public_id": "job.public_id" for name in ("job", "cancel")},
    "exports:new public_id": "cohort.public_id",
    "exports:export public_id": "export.public_id",
    "exports:download public_id": "export.public_id",
    **{
        f"reports:{name} public_id": "clinic.public_id"
        for name in ("clinic", "clinic_csv", "clinic_table_one_csv", "clinic_pdf", "clinic_chapter", "clinic_figure")
    },
    **{f"reports:{name} public_id": "clinic.public_id" for name in ("clinic_make", "schedule")},
    **{
        f"reports:{name} public_id": "cohort.public_id"
        for name in ("table_one", "cohort_table_one_csv", "cohort_pdf", "cohort_chapter", "cohort_figure")
    },
    "reports:cohort_make public_id": "cohort.public_id",
    "chapter": "'characteristics'",
    "figure": "'features'",
    "reports:clinic_figure kind": "'csv'",
    "reports:cohort_figure kind": "'csv'",
    **{f"reports:{name} public_id": "clinic.public_id" for name in ("agreement", "agreement_csv", "agreement_svg")},
    **{
        f"reports:{name} public_id": "project.public_id"
        for name in ("project_agreement", "project_agreement_csv", "project_agreement_svg")
    },
    **{f"clinics:{name} public_id": "clinic.public_id" for name in ("clinic", "set_open")},
    "token": "token",
    "kind": "'treatmentcourse'",
    "part": "'l1'",
    "digest": repr(body_map.drawing()[1]),
    "pk": "'1'",
    "uidb36": "'1'",
    "key": "'x-y'",
    "app_label": "'patients'",
    "url": "'nothing'",
    "content_type_id": "'1'",
    "object_id": "'1'",
}

TABLE = """
home                                      GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
health_live                               GET      ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
health_ready                              GET      ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
system_health                             GET      login 403   403   403   403   403   ok    ok    403   ok    403
account_login                             GET+POST ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_logout                            GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_logout                            POST     login login login login login login login login login login login
account_inactive                          GET      ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_reauthenticate                    GET+POST login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_change_password                   GET+POST login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_reset_password                    GET+POST ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_reset_password_done               GET      ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_reset_password_from_key_done      GET      ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
account_reset_password_from_key           GET+POST ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_index                                 GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_authenticate                          GET+POST login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_reauthenticate                        GET+POST login prove prove prove prove prove prove prove prove prove prove
mfa_activate_totp                         GET+POST login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_deactivate_totp                       GET+POST login 404   404   404   404   404   404   404   404   404   404
mfa_view_recovery_codes                   GET      login 404   404   404   404   404   404   404   404   404   404
mfa_generate_recovery_codes               GET+POST login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_download_recovery_codes               GET+POST login 404   404   404   404   404   404   404   404   404   404
mfa_list_webauthn                         GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_add_webauthn                          GET+POST login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
mfa_reauthenticate_webauthn               GET+POST login prove prove prove prove prove prove prove prove prove prove
mfa_remove_webauthn                       GET+POST login 404   404   404   404   404   404   404   404   404   404
mfa_edit_webauthn                         GET+POST login 404   404   404   404   404   404   404   404   404   404
admin:index                               GET+POST login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin:login                               GET+POST login gone  gone  gone  403   403   gone  gone  gone  gone  403
admin:logout                              GET+POST login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin:password_change                     GET+POST login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin:password_change_done                GET      login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin:password_change_done                POST     login 405   405   405   403   403   405   405   405   405   403
admin:autocomplete                        GET      login 403   403   403   403   403   403   403   403   403   403
admin:autocomplete                        POST     login 405   405   405   403   403   405   405   405   405   403
admin:jsi18n                              GET      login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin:jsi18n                              POST     login 405   405   405   403   403   405   405   405   405   403
admin:view_on_site                        GET+POST login 404   404   404   403   403   404   404   404   404   403
admin of accounts.user: list              GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of *: add/                          GET+POST login 403   403   403   403   403   403   403   403   403   403
admin of *: row/history/                  GET+POST login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin of *: row/delete/                   GET+POST login 403   403   403   403   403   403   403   403   403   403
admin of accounts.user: row/change/       GET+POST login 403   403   403   403   403   ok    ok    403   gone  403
admin of *: row/                          GET+POST login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin of clinics.clinic: list             GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of clinics.clinic: add/             GET+POST login 403   403   403   403   403   403   ok    403   403   403
admin of clinics.clinic: row/change/      GET+POST login 403   403   403   403   403   ok    ok    403   gone  403
admin of clinics.membership: list         GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of clinics.membership: add/         GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of clinics.membership: row/change/  GET+POST login 403   403   403   403   403   ok    ok    403   gone  403
admin of clinics.invitation: list         GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of clinics.invitation: row/change/  GET      login 403   403   403   403   403   ok    ok    403   gone  403
admin of clinics.invitation: row/change/  POST     login 403   403   403   403   403   403   403   403   403   403
admin of audit.event: list                GET+POST login ok    ok    ok    403   403   ok    ok    ok    ok    403
admin of audit.event: row/change/         GET      login ok    ok    ok    403   403   ok    ok    gone  gone  403
admin of audit.event: row/change/         POST     login 403   403   403   403   403   403   403   403   403   403
admin of clinics.transfer: list           GET+POST login ok    403   403   403   403   403   403   ok    403   403
admin of clinics.transfer: row/change/    GET      login ok    403   403   403   403   403   403   gone  403   403
admin of clinics.transfer: row/change/    POST     login 403   403   403   403   403   403   403   403   403   403
admin of quality.dataquery: list          GET+POST login ok    ok    ok    403   403   403   403   ok    403   403
admin of quality.dataquery: row/change/   GET      login ok    ok    ok    403   403   403   403   gone  403   403
admin of quality.dataquery: row/change/   POST     login 403   403   403   403   403   403   403   403   403   403
admin of reports.reminder: list           GET+POST login ok    ok    ok    403   403   403   403   ok    403   403
admin of reports.reminder: row/change/    GET      login ok    ok    ok    403   403   403   403   gone  403   403
admin of reports.reminder: row/change/    POST     login 403   403   403   403   403   403   403   403   403   403
admin of identity.identity: list          GET+POST login ok    ok    403   403   403   403   403   ok    403   403
admin of identity.identity: row/change/   GET      login ok    ok    403   403   403   403   403   gone  403   403
admin of identity.identity: row/change/   POST     login 403   403   403   403   403   403   403   403   403   403
admin of cohorts.*: list                  GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of cohorts.*: row/change/           GET      login 403   403   403   403   403   ok    ok    403   gone  403
admin of cohorts.*: row/change/           POST     login 403   403   403   403   403   403   403   403   403   403
admin of exports.*: list                  GET+POST login 403   403   403   403   403   ok    ok    403   ok    403
admin of exports.*: row/change/           GET      login 403   403   403   403   403   ok    ok    403   gone  403
admin of exports.*: row/change/           POST     login 403   403   403   403   403   403   403   403   403   403
admin of a record: list                   GET+POST login ok    ok    ok    403   403   403   403   ok    403   403
admin of a record: row/change/            GET      login ok    ok    ok    403   403   403   403   gone  403   403
admin of a record: row/change/            POST     login ok    ok    403   403   403   403   403   gone  403   403
admin of a link: list                     GET+POST login ok    ok    ok    403   403   403   403   ok    403   403
admin of a link: row/change/              GET      login ok    ok    ok    403   403   403   403   gone  403   403
admin of a link: row/change/              POST     login 403   403   403   403   403   403   403   403   403   403
admin:app_list                            GET+POST login ok    ok    ok    403   403   404   404   ok    404   403
admin:admin/(?P<url>.*)                   GET+POST login 404   404   404   403   403   404   404   404   404   403
clinics:accounts                          GET      login 403   403   403   403   403   ok    ok    403   ok    403
clinics:invite                            POST     login 403   403   403   403   403   ok    ok    403   ok    403
clinics:invite_again                      POST     login 403   403   403   403   403   404   404   403   404   403
clinics:withdraw                          POST     login 403   403   403   403   403   404   404   403   404   403
clinics:end_role                          POST     login 403   403   403   403   403   404   404   403   404   403
clinics:reset_second_factor               POST     login 403   403   403   403   403   404   404   403   404   403
clinics:end_sessions                      POST     login 403   403   403   403   403   404   404   403   404   403
clinics:set_active                        POST     login 403   403   403   403   403   404   404   403   404   403
clinics:accept                            GET+POST ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
clinics:clinics                           GET      login 403   403   403   403   403   ok    ok    403   ok    403
clinics:new_clinic                        GET+POST login 403   403   403   403   403   403   ok    403   403   403
clinics:set_open                          POST     login 403   403   403   403   403   403   ok    403   403   403
clinics:clinic                            GET+POST login 403   403   403   403   403   ok    ok    403   404   403
clinics:trail                             GET      login 403   403   403   403   403   ok    ok    403   ok    403
clinics:trail_verify                      POST     login 403   403   403   403   403   ok    ok    403   ok    403
clinics:trail_access                      GET      login 403   403   403   403   403   ok    ok    403   ok    403
rights:person                             GET      login ok    403   403   404   404   404   404   404   404   404
rights:file                               POST     login ok    403   403   404   404   404   404   404   404   404
rights:ask_erasure                        POST     login ok    403   403   404   404   404   404   404   404   404
letters:summary                           GET      login ok    ok    ok    404   404   404   404   404   404   404
letters:letter                            GET+POST login ok    ok    403   404   404   404   404   404   404   404
letters:leaflet                           GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
letters:leaflet_pdf                       GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
rights:erasures                           GET      login ok    403   403   403   403   ok    ok    ok    ok    403
rights:confirm                            POST     login ok    403   403   403   403   ok    ok    404   404   403
rights:withdraw                           POST     login ok    403   403   403   403   ok    ok    404   404   403
transfers:offer                           GET+POST login ok    403   403   404   404   404   404   404   404   404
transfers:double_find                     GET+POST login ok    403   403   404   404   404   404   404   404   404
transfers:double_compare                  GET+POST login ok    403   403   404   404   404   404   404   404   404
transfers:double_take_back                POST     login ok    403   403   404   404   404   404   404   404   404
transfers:list                            GET      login ok    403   403   403   403   403   403   ok    403   403
transfers:transfer                        GET      login ok    403   403   403   403   403   403   404   403   403
transfers:accept                          POST     login 403   403   403   403   403   403   403   404   403   403
transfers:decline                         POST     login 403   403   403   403   403   403   403   404   403   403
transfers:take_back                       POST     login ok    403   403   403   403   403   403   404   403   403
patients:list                             GET      login ok    ok    ok    403   403   403   403   ok    403   403
patients:search                           POST     login ok    ok    ok    403   403   403   403   ok    403   403
patients:key_list                         GET+POST login ok    403   403   403   403   403   403   ok    403   403
patients:register                         GET+POST login ok    ok    403   403   403   403   403   ok    403   403
patients:visit_missed                     GET+POST login ok    ok    403   404   404   404   404   404   404   404
patients:record_add                       GET+POST login ok    ok    403   404   404   404   404   404   404   404
patients:record                           GET      login ok    ok    ok    404   404   404   404   404   404   404
patients:record                           POST     login ok    ok    403   404   404   404   404   404   404   404
patients:record_history                   GET      login ok    ok    ok    404   404   404   404   404   404   404
patients:record_delete                    POST     login ok    ok    403   404   404   404   404   404   404   404
patients:record_put_back                  POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:patient                           GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:patient_course                    GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:patient_history                   GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:map_drawing                       GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
lesions:visit_new                         GET+POST login ok    ok    403   404   404   404   404   404   404   404
records:session                           GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
records:draft_keep                        POST     login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
records:draft_discard                     POST     login 404   404   404   404   404   404   404   404   404   404
lesions:visit_part                        GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:visit                             GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:visit                             POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:visits_sign                       GET+POST login ok    403   403   403   403   403   403   ok    403   403
lesions:visit_sign                        GET+POST login ok    403   403   404   404   404   404   404   404   404
lesions:visit_move                        GET+POST login ok    ok    403   404   404   404   404   404   404   404
lesions:visit_unlock                      GET+POST login ok    403   403   404   404   404   404   404   404   404
lesions:imaging_add                       GET+POST login ok    ok    403   404   404   404   404   404   404   404
lesions:imaging_confirm                   POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:imaging_waiting                   GET      login 404   404   403   404   404   404   404   404   404   404
lesions:imaging_study                     GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_study                     POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:hand_score                        GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:hand_score                        POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:imaging_raster                    GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_raster                    POST     login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_tile                      GET      login 404   404   404   404   404   404   404   404   404   404
lesions:reading_ask                       POST     login ok    403   403   404   404   404   404   404   404   404
lesions:readings                          GET      login ok    ok    ok    403   403   403   403   ok    403   403
lesions:reading_pair                      GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:reading_pair                      POST     login ok    403   403   404   404   404   404   404   404   404
lesions:reading_take                      POST     login ok    403   403   404   404   404   404   404   404   404
lesions:reading_give_up                   POST     login ok    403   403   404   404   404   404   404   404   404
lesions:imaging_measures                  GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_measures                  POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:imaging_redraw                    POST     login 404   404   403   404   404   404   404   404   404   404
lesions:imaging_use                       POST     login 404   404   403   404   404   404   404   404   404   404
lesions:imaging_compare                   GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:lesion_pictures                   GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_preview                   GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_thumbnail                 GET      login ok    ok    ok    404   404   404   404   404   404   404
lesions:imaging_download                  GET      login ok    ok    403   404   404   404   404   404   404   404
lesions:imaging_remove                    POST     login ok    ok    403   404   404   404   404   404   404   404
lesions:imaging_clear                     POST     login ok    403   403   404   404   404   404   404   404   404
lesions:imaging_unclear                   POST     login ok    403   403   404   404   404   404   404   404   404
queries:list                              GET      login ok    ok    ok    403   403   403   403   ok    403   403
queries:query                             GET      login ok    ok    ok    404   404   404   404   404   404   404
queries:answer                            POST     login ok    ok    403   404   404   404   404   404   404   404
queries:close                             POST     login ok    403   ok    404   404   404   404   404   404   404
queries:reopen                            POST     login ok    403   ok    404   404   404   404   404   404   404
queries:ask                               GET+POST login ok    403   ok    404   404   404   404   404   404   404
codebook:index                            GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
codebook:csv                              GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
codebook:json                             GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
cohorts:list                              GET      login ok    403   403   ok    ok    403   403   ok    403   403
cohorts:new                               GET+POST login ok    403   403   ok    ok    403   403   ok    403   403
cohorts:count                             POST     login ok    403   403   ok    ok    403   403   ok    403   403
cohorts:items                             GET      login ok    403   403   ok    ok    403   403   ok    403   403
cohorts:projects                          GET      login ok    403   403   ok    ok    ok    ok    ok    ok    403
cohorts:new_project                       GET+POST login 403   403   403   ok    ok    403   403   403   403   403
cohorts:project                           GET      login 404   403   403   404   ok    ok    ok    404   404   403
cohorts:approve                           POST     login 404   403   403   404   403   ok    ok    404   404   403
cohorts:refuse                            POST     login 404   403   403   404   403   ok    ok    404   404   403
cohorts:end                               POST     login 404   403   403   404   403   ok    ok    404   404   403
cohorts:members                           POST     login 404   403   403   404   403   ok    ok    404   404   403
cohorts:cohort                            GET      login 404   403   403   404   ok    403   403   404   403   403
cohorts:copy                              POST     login 404   403   403   404   ok    403   403   404   403   403
cohorts:share                             POST     login 404   403   403   404   ok    403   403   404   403   403
cohorts:compare                           GET      login 404   403   403   404   404   403   403   404   403   403
cohorts:edit                              GET+POST login 404   403   403   404   ok    403   403   404   403   403
cohorts:freeze                            POST     login 403   403   403   404   ok    403   403   403   403   403
jobs:job                                  GET      login 404   404   404   404   ok    403   403   404   403   403
jobs:cancel                               POST     login 404   404   404   404   ok    403   403   404   403   403
exports:list                              GET      login 403   403   403   ok    ok    ok    ok    403   ok    403
exports:new                               GET+POST login 403   403   403   404   ok    403   403   403   403   403
exports:export                            GET      login 403   403   403   404   ok    ok    ok    403   404   403
exports:download                          POST     login 403   403   403   404   410   403   403   403   404   403
reports:codebook_pdf                      GET      login ok    ok    ok    ok    ok    ok    ok    ok    ok    ok
reports:index                             GET      login ok    ok    ok    ok    ok    403   403   ok    403   403
reports:clinic                            GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:clinic_csv                        GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:clinic_table_one_csv              GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:clinic_pdf                        GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:schedule                          GET      login ok    403   403   403   403   403   403   404   403   403
reports:schedule                          POST     login ok    403   403   403   403   403   403   404   403   403
reports:clinic_make                       POST     login ok    ok    ok    403   403   403   403   404   403   403
reports:clinic_chapter                    GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:clinic_figure                     GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:agreement                         GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:agreement_csv                     GET      login ok    ok    ok    403   403   403   403   404   403   403
reports:agreement_svg                     GET      login 404   404   404   403   403   403   403   404   403   403
reports:project_agreement                 GET      login 404   403   403   404   ok    403   403   404   403   403
reports:project_agreement_csv             GET      login 404   403   403   404   ok    403   403   404   403   403
reports:project_agreement_svg             GET      login 404   403   403   404   404   403   403   404   403   403
reports:table_one                         GET      login 404   403   403   404   ok    403   403   404   403   403
reports:cohort_table_one_csv              GET      login 404   403   403   404   ok    403   403   404   403   403
reports:cohort_pdf                        GET      login 404   403   403   404   ok    403   403   404   403   403
reports:cohort_make                       POST     login 404   403   403   404   ok    403   403   404   403   403
reports:cohort_chapter                    GET      login 404   403   403   404   ok    403   403   404   403   403
reports:cohort_figure                     GET      login 404   403   403   404   ok    403   403   404   403   403
"""


@dataclass(frozen=True)
class Line:
    """One line of the table: ``methods`` it is about, ``outcomes`` in the order of ACCOUNTS."""

    route: str
    methods: frozenset[str]
    outcomes: tuple[str, ...]

    def about(self, route: str, method: str) -> bool:
        return method in self.methods and (self.route == route or fnmatchcase(route, self.route))


def lines(table: str = TABLE) -> Iterator[Line]:
    """The lines of the table. ValueError for one that does not give every account its outcome."""
    for text in filter(str.strip, table.splitlines()):
        route, found = text[:42].strip(), text[42:].split()
        if len(found) != 1 + len(ACCOUNTS):
            raise ValueError(f"{len(ACCOUNTS)} outcomes are needed: {text}")
        yield Line(route, frozenset(found[0].split("+")), tuple(found[1:]))


def lines_about(route: str, method: str, table: list[Line]) -> list[Line]:
    """The lines that decide: those that name the route, else the patterns that take it in."""
    found = [line for line in table if line.about(route, method)]
    return [line for line in found if line.route == route] or found
