"""What the house rules read: our own files, and the functions and imports in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("calcinosis_registry", "patients", "lesions")


def product_modules() -> list[Path]:
    """Every Python file of the product, without migrations."""
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.relative_to(ROOT).parts
    ]


def modules_of_the_tests() -> list[Path]:
    """Every Python file of the tests."""
    return sorted((ROOT / "tests").rglob("*.py"))


def templates() -> list[Path]:
    """Every HTML template, also those of an app."""
    return [path for top in ("templates", *PACKAGES) for path in sorted((ROOT / top).rglob("*.html"))]


@cache
def tree(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def where(path: Path, line: int | None = None) -> str:
    """``patients/views.py:12``, as an editor opens it."""
    name = str(path.relative_to(ROOT))
    return f"{name}:{line}" if line else name


def teach(rule: str, offences: list[str]) -> str:
    """The message of a broken rule: what to do, then where."""
    return "\n  ".join([rule, *offences])
