"""A status has one shape: the file of one shape says what marks.svg says of it."""

from __future__ import annotations

import re

from django.conf import settings

ROOT = settings.BASE_DIR / "calcinosis_registry" / "static" / "registry"


def test_each_shape_by_itself_is_that_of_the_sheet() -> None:
    sheet = (ROOT / "marks.svg").read_text()
    alone = sorted((ROOT / "marks").glob("*.svg"))
    assert alone
    for path in alone:
        told = re.search(rf'<symbol id="{path.stem}" [^>]*>(.*?)</symbol>', sheet)
        assert told and told[1] in path.read_text(), path.name
        assert f'url("marks/{path.name}")' in (ROOT / "patient.css").read_text()
