"""Budgets: a reader keeps a module, a function or a template in the head."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house_rules.source import functions, modules_of_the_tests, product_modules, teach, templates, tree, where

MODULE, FUNCTION, TEMPLATE = 400, 40, 150


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_module_is_longer_than_400_lines():
    sizes = [(path, _lines(path)) for path in product_modules() + modules_of_the_tests()]
    offences = [f"{where(path)}: {lines} lines" for path, lines in sizes if lines > MODULE]
    assert not offences, teach(f"A module has at most {MODULE} lines: split it by subject, not by size.", offences)


def test_no_function_is_longer_than_40_lines():
    offences = [
        f"{where(path, function.lineno)} {function.name}: {_length(function)} lines"
        for path in product_modules()
        for function in functions(tree(path))
        if _length(function) > FUNCTION
    ]
    assert not offences, teach(f"A function has at most {FUNCTION} lines: give its steps names.", offences)


def test_no_template_is_longer_than_150_lines():
    offences = [f"{where(path)}: {_lines(path)} lines" for path in templates() if _lines(path) > TEMPLATE]
    assert not offences, teach(
        f"A template has at most {TEMPLATE} lines: move a part to _part.html beside it and include it.", offences
    )
