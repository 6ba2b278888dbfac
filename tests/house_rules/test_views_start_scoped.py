"""A view reaches rows through visible_to(user, permission) and in no other way."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house_rules.source import product_modules, teach, tree, where

MANAGERS = {"objects", "_default_manager", "_base_manager", "all_objects"}


def view_modules() -> list[Path]:
    """views.py, views_*.py, views/*.py and admin modules of every app."""
    return [
        path
        for path in product_modules()
        if path.stem in {"views", "admin"} or path.stem.startswith(("views_", "admin_")) or path.parent.name == "views"
    ]


def unscoped(module: ast.Module) -> list[int]:
    """Line numbers where a manager is used other than as ``Model.objects.visible_to(...)``."""
    managers = [node for node in ast.walk(module) if isinstance(node, ast.Attribute) and node.attr in MANAGERS]
    scoped = {
        id(node.func.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "visible_to"
    }
    return sorted(node.lineno for node in managers if id(node) not in scoped)


def test_a_view_starts_from_visible_to():
    offences = [where(path, line) for path in view_modules() for line in unscoped(tree(path))]
    assert not offences, teach(
        "Start from Model.objects.visible_to(request.user, permission): a record of another clinic is then a 404.\n"
        "A query without a user belongs into a queryset method or services.py.",
        offences,
    )


def test_a_plain_manager_call_is_found():
    assert unscoped(ast.parse("Patient.objects.filter(pk=1)\nrows = Visit.objects")) == [1, 2]
    assert unscoped(ast.parse("Patient.objects.visible_to(user, 'patient.read').filter(pk=1)")) == []


def lists_by_itself(view: ast.ClassDef) -> bool:
    """Whether a class-based view names a model or queryset without saying in get_queryset() whose rows."""
    named = {
        target.id
        for statement in view.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    methods = {statement.name for statement in view.body if isinstance(statement, ast.FunctionDef)}
    return bool(named & {"model", "queryset"}) and "get_queryset" not in methods


def test_a_generic_view_has_no_model_to_list_by_itself():
    """``model = Patient`` on a generic view lists every clinic's rows without naming a manager."""
    offences = [
        f"{where(path, node.lineno)} {node.name}"
        for path in view_modules()
        if not path.stem.startswith("admin")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and lists_by_itself(node)
    ]
    assert not offences, teach("Give the view a get_queryset() that returns Model.objects.visible_to(...).", offences)


def test_a_generic_view_that_names_only_its_model_is_found():
    naked, clothed = "class V(ListView):\n    model = Patient", "\n    def get_queryset(self): ..."
    assert lists_by_itself(ast.parse(naked).body[0])
    assert not lists_by_itself(ast.parse(naked + clothed).body[0])
