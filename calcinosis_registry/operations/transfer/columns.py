"""What a value stored by SQLite is in PostgreSQL, and why it may be nothing there.

SQLite keeps what it is given: text with NUL, 70 characters in a column of 64, letters in a column of numbers. Here each
value becomes the very text PostgreSQL itself would write for it, or the reason why it cannot.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from calcinosis_registry.audit.chain import number
from calcinosis_registry.operations.sqlite_queue.strict import unkept

NULL = rb"\N"
# What stands for a character that would end a value or a row (PostgreSQL, COPY, text format).
_ESCAPES = {b"\\": rb"\\", b"\b": rb"\b", b"\t": rb"\t", b"\n": rb"\n", b"\v": rb"\v", b"\f": rb"\f", b"\r": rb"\r"}
_MEANT = {escaped: plain for plain, escaped in _ESCAPES.items()}
_ESCAPED, _PLAIN = re.compile(rb"\\[\\btnvfr]"), re.compile(rb"[\\\b\t\n\v\f\r]")
_SPECIAL = re.compile(rb"[\0\\\b\t\n\v\f\r]")
_MOMENT = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}))?")
_FIFTEEN_DIGITS = Context(prec=15)  # as Django reads a decimal of SQLite
_RANGES = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}

LONGEST = 2**28  # of a text without a limit

Convert = Callable[[Any], bytes | bytearray]


class Unfit(ValueError):
    """Why PostgreSQL would not take a value. Never the value itself: it may be a name."""


@dataclass(frozen=True)
class Kind:
    """``said``: a raw value of SQLite → the text PostgreSQL would give back for it; raises Unfit. ``sent``: the text to
    send for one that was found fit. ``heard``: of several texts that mean the same (JSON), the one that was said."""

    said: Convert
    sent: Convert
    heard: Convert | None = None


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind


def kind_of(type_name: str) -> Kind:
    """``type_name``: as PostgreSQL writes it, varchar(64) or numeric(7, 3)."""
    name, _paren, rest = type_name.removesuffix(")").partition("(")
    limits = [int(part) for part in rest.split(",")] if rest else []
    if name == "jsonb":
        return Kind(_json, _escaped, _heard_json)
    if name == "double precision":
        return Kind(_double, _double, lambda text: _double(float(text)))
    made = {
        "varchar": lambda: _text(limits[0]),
        "text": lambda: _text(LONGEST),
        "numeric": lambda: _decimal(*limits),
        "boolean": lambda: _boolean,
        "date": lambda: _date,
        "timestamp with time zone": lambda: _moment,
        "bytea": lambda: _bytes,
    }
    convert: Convert = _whole_number(_RANGES[name]) if name in _RANGES else made[name]()
    return Kind(convert, convert)


def _escaped(raw: bytearray) -> bytes | bytearray:
    return _PLAIN.sub(lambda found: _ESCAPES[found[0]], raw) if _PLAIN.search(raw) else raw


def _decoded(raw: Any) -> str:
    """Text is read as a bytearray, so bytes are a BLOB."""
    if type(raw) is not bytearray:
        raise Unfit("it is no text")
    if b"\0" in raw:
        raise Unfit("it holds a NUL character")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Unfit("it is no UTF-8, or holds half a surrogate pair") from error


def _text(longest: int) -> Convert:
    def convert(raw: Any) -> bytes | bytearray:
        if type(raw) is bytearray and len(raw) <= longest and raw.isascii() and not _SPECIAL.search(raw):
            return raw  # nearly every one
        if len(_decoded(raw)) > longest:
            raise Unfit(f"it has more than {longest} characters")
        return _escaped(raw)

    return convert


def _whole_number(beyond: int) -> Convert:
    def convert(raw: Any) -> bytes:
        if type(raw) is not int:
            raise Unfit("it is no whole number")
        if not -beyond <= raw < beyond:
            raise Unfit("the number is too large for its column")
        return b"%d" % raw

    return convert


def _boolean(raw: Any) -> bytes:
    if type(raw) is not int or raw not in (0, 1):
        raise Unfit("it is neither true nor false")
    return b"t" if raw else b"f"


def _double(raw: Any) -> bytes:
    if type(raw) not in (int, float) or not math.isfinite(raw):
        raise Unfit("it is no number")
    return repr(float(raw)).encode()


def _decimal(digits: int, places: int) -> Convert:
    step = Decimal(1).scaleb(-places)

    def convert(raw: Any) -> bytes:
        if type(raw) not in (int, float) or not math.isfinite(raw):
            raise Unfit("it is no number")
        value = _FIFTEEN_DIGITS.create_decimal_from_float(raw)
        try:
            rounded = value.quantize(step)
        except InvalidOperation as error:
            raise Unfit("the number is too large for its column") from error
        if rounded != value:
            raise Unfit(f"it has more than {places} decimals")
        if rounded.adjusted() >= digits - places:
            raise Unfit("the number is too large for its column")
        return f"{rounded if rounded else abs(rounded):f}".encode()

    return convert


def _date(raw: Any) -> bytes:
    text = _decoded(raw)
    try:
        if datetime.date.fromisoformat(text).isoformat() == text:
            return bytes(raw)
    except ValueError:
        pass
    raise Unfit("it is no date")


def _moment(raw: Any) -> bytes:
    text = _decoded(raw)
    if found := _MOMENT.fullmatch(raw):
        try:
            datetime.datetime.fromisoformat(text[:19])
        except ValueError as error:
            raise Unfit("it is no moment") from error
        fraction = (found[2] or b"").rstrip(b"0")
        return found[1] + (b"." + fraction if fraction else b"") + b"+00"
    raise Unfit("it is no moment")


def _bytes(raw: Any) -> bytes:
    if type(raw) is not bytes:
        raise Unfit("it is no sequence of bytes")
    return rb"\\x" + raw.hex().encode()


def _parsed(raw: Any) -> Any:
    text = _decoded(raw)
    try:
        value = _decode(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit("it is no JSON that both databases read") from error
    if why := unkept(text):
        raise Unfit(why)
    return value


def _no_constant(_name: str) -> Any:
    raise Unfit("it holds a number that is none (NaN, Infinity)")


_decode = json.JSONDecoder(parse_float=number, parse_constant=_no_constant).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _json(raw: Any) -> bytes:
    return _encode(_parsed(raw)).encode()


def _heard_json(text: bytes) -> bytes:
    plain = _ESCAPED.sub(lambda found: _MEANT[found[0]], text) if b"\\" in text else text
    return _encode(_decode(plain.decode())).encode()
