"""Lesions placed on the body map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from lesions import body_map
from lesions.models import Lesion, LesionStatus

if TYPE_CHECKING:
    from lesions.visit_entry import VisitPage


def mark_of(lesion: Lesion, *, status: str, ulcerated: bool, href: str = "") -> body_map.Mark:
    """A lesion as a mark; its title says in words what shape and colour show."""
    words = [lesion.label, lesion.where, str(dict(LesionStatus.choices).get(status, "")).lower()]
    if ulcerated:
        words.append(str(_("ulcerated")))
    return body_map.Mark(
        label=lesion.label,
        site=lesion.site,
        side=lesion.laterality if lesion.laterality in ("R", "L") else "",
        status=mark_code(status),
        ulcerated=ulcerated,
        target=lesion.target,
        title=", ".join(word for word in words if word),
        href=href,
        aspect=lesion.aspect,
        at=_spot(lesion),
    )


def _spot(lesion: Lesion) -> tuple[float, float] | None:
    """Where it was placed, if that was on the map of today; on an older one only its region still holds."""
    if lesion.map_x is None or lesion.map_y is None or lesion.map_version != body_map.MAP_VERSION:
        return None
    return float(lesion.map_x), float(lesion.map_y)


# A status without a symbol of its own looks like what it leaves behind: nothing, or a lesion that is still there.
_LOOKS_LIKE = {"": "NOT_ASSESSED", "MERGED": "RESOLVED", "SPLIT": "STABLE"}


def mark_code(status: str) -> str:
    """The status whose symbol (marks.svg, body map) and colour (tokens.css) a status has."""
    return _LOOKS_LIKE.get(status, status)


@require_safe
def drawing(request: HttpRequest, digest: str) -> HttpResponse:
    """Body, hands and feet without any lesion: no patient's, the same until the drawing changes, and then elsewhere."""
    text, current = body_map.drawing()
    if digest != current:
        raise Http404
    answer = HttpResponse(text, content_type="image/svg+xml")
    answer["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def visit_marks(page: VisitPage) -> list[body_map.Mark]:
    """The page's lesions as answered so far, as last seen where unanswered."""
    marks = []
    for row in page.rows:
        seen = row.form.instance if row.answered else row.previous
        status = seen.status_change if seen else row.lesion.current_status
        marks.append(
            mark_of(
                row.lesion, status=status, ulcerated=bool(seen and seen.ulcerated == "Y"), href=f"#l{row.lesion.number}"
            )
        )
    return marks
