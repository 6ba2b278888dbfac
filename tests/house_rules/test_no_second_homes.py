"""One home per rule: no drawer for everything, no second list of fields, no hidden import, no style in a page."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house_rules.source import PACKAGES, ROOT, functions, product_modules, teach, templates, tree, where

DRAWERS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "misc",
    "selectors",
    "repositories",
    "managers",
    "signals",
}
IN_A_PAGE = {
    "an inline style (write a class in static/css)": re.compile(r"<[^>]*\sstyle\s*=|<style\b", re.IGNORECASE),
    "an inline script (write a module in static/js)": re.compile(
        r"<script\b(?![^>]*\b(src|type=.application/json))", re.IGNORECASE
    ),
    "an event attribute (addEventListener in a module)": re.compile(r"<[^>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
}
# A link a person follows may leave the host; what a page loads by itself may not.
OUTSIDE_IN_PAGE = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio|object|embed|use|image)\b[^>]*[\"'](?:https?:)?//", re.I
)
OUTSIDE_IN_CSS = re.compile(r"(?:@import|url\()\s*[\"']?(?:url\([\"']?)?(?:https?:)?//", re.IGNORECASE)


def _lines_with(pattern: re.Pattern[str], text: str) -> list[int]:
    return [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]


def test_there_is_no_drawer_for_everything():
    offences = [where(path) for path in product_modules() if DRAWERS & {path.stem, *path.relative_to(ROOT).parts[:-1]}]
    assert not offences, teach(
        "Name a module after what it knows; its home is in the table 'One home per rule'.", offences
    )


def choices_by_number(module: ast.Module) -> list[int]:
    """Lines where a form offers rows by the library's own field, which looks a key up before it looks at it."""
    own = {"ModelChoiceField", "ModelMultipleChoiceField"}
    calls = [one for one in ast.walk(module) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    return [
        one.lineno for one in calls
        if one.func.attr in own and "to_field_name" not in {word.arg for word in one.keywords}  # type: ignore[attr-defined]
    ]  # fmt: skip


def test_a_number_of_a_row_is_read_before_it_is_looked_up():
    offences = [where(path, line) for path in product_modules() for line in choices_by_number(tree(path))]
    assert not offences, teach(
        "Use RowField or RowsField of records.typed: a number no table reaches is a wrong choice there, not a crash.",
        offences,
    )
    assert choices_by_number(ast.parse("people = forms.ModelMultipleChoiceField(queryset=None)")) == [1]


def test_no_form_or_admin_takes_all_fields():
    offences = [
        where(path, node.lineno)
        for path in product_modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "fields" for target in node.targets)
        and isinstance(node.value, ast.Constant)
        and node.value.value == "__all__"
    ]
    assert not offences, teach(
        'fields = "__all__" shows tomorrow\'s field to everybody: build it from the codebook.', offences
    )


def _hidden_imports(module: ast.Module) -> list[int]:
    """Lines inside functions that import a package of ours."""
    inside = {node for function in functions(module) for node in ast.walk(function)}
    lines = []
    for node in inside:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [PACKAGES[0] if node.level else node.module or ""]
        else:
            continue
        if any(name.split(".")[0] in PACKAGES for name in names):
            lines.append(node.lineno)
    return sorted(lines)


def test_no_import_of_ours_hides_in_a_function():
    """In AppConfig.ready() Django wants a registration imported; a heavy library of others may be late, too."""
    offences = [
        where(path, line) for path in product_modules() if path.stem != "apps" for line in _hidden_imports(tree(path))
    ]
    assert not offences, teach(
        "A cycle is a rule in the wrong room: move the rule down, do not hide the import.", offences
    )


@pytest.mark.parametrize("what", IN_A_PAGE)
def test_a_template_has_nothing_the_content_security_policy_refuses(what):
    offences = [
        where(path, line)
        for path in templates()
        for line in _lines_with(IN_A_PAGE[what], path.read_text(encoding="utf-8"))
    ]
    assert not offences, teach(f"A page carries {what}:", offences)


def test_no_page_loads_anything_from_another_host():
    offences = [
        where(p, line) for p in templates() for line in _lines_with(OUTSIDE_IN_PAGE, p.read_text(encoding="utf-8"))
    ]
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("static/**/*.css")):
            offences += [where(path, line) for line in _lines_with(OUTSIDE_IN_CSS, path.read_text(encoding="utf-8"))]
    assert not offences, teach(
        "A clinic may have no internet: put the asset under static/ with its version and licence.", offences
    )
