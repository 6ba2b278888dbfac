"""SVG as text: elements with presentation attributes and classes only, so that a picture stands under a strict CSP,
prints, and goes into a PDF. The colours are the fallback (light) where no style sheet reaches.
"""

from __future__ import annotations

from functools import cache, lru_cache
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "http://www.w3.org/2000/svg"
INK, SOFT, LINE, PAPER, WASH = "#15202b", "#516070", "#dfe5eb", "#ffffff", "#f5f7f9"
ACCENT, ACCENT_WASH, ULCER = "#0b656a", "#e3f1f0", "#b3123a"


def element(name: str, content: str = "", /, **attributes: object) -> str:
    """An SVG element: ``class_`` and ``stroke_width`` stand for class and stroke-width; floats get four digits.

    ``content`` is markup; an attribute of None is left out.
    """
    told = ""
    for key, value in attributes.items():
        if value is not None:
            told += f"{_attribute(key)}{_number(value) if isinstance(value, float | int) else quoted(str(value))}"
    return f"<{name}{told}>{content}</{name}>" if content else f"<{name}{told}/>"


@cache
def _attribute(key: str) -> str:
    return f" {key.rstrip('_').replace('_', '-')}="


def _number(value: float) -> str:
    return f'"{value:.4g}"' if isinstance(value, float) else f'"{value}"'


# Classes, colours and dashes: the same few on every picture.
quoted = lru_cache(maxsize=1024)(quoteattr)


def words(name: str, text: object, /, **attributes: object) -> str:
    """An element around escaped text: ``words("title", "L1 < L2")``."""
    return element(name, escape(str(text)), **attributes)
