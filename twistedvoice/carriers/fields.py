# -*- test-case-name: tests.carriers.test_fields -*-
"""Reading the fields of JSON that a stranger wrote.

Every dialect with JSON messages reads them with these functions. Whatever is missing,
of a wrong type, too deep or too large ends in a :class:`~..errors.DialectError` that
names the field and never repeats its value, which may be a caller's digit or sound.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, TypeGuard

from ..errors import DialectError
from ..events import Message

__all__ = [
    "base64_bytes",
    "base64_of",
    "identifier",
    "json_object",
    "label",
    "mapping",
    "number",
    "text",
    "texts",
]

#: No message can be nested deeper than it has opening brackets. Counting them costs
#: nothing beside parsing, and keeps the parser far from the limit of recursion.
#: Brackets within strings count too; a carrier's longest message has about ten.
_MOST_BRACKETS = 200
#: Thirty years in milliseconds.
_MOST_NUMBER = 10**12
#: What carriers make ids of; safe in a log, a file name and a database.
_IDENTIFIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:=+-]{0,127}")
_LABEL = re.compile(r"[0-9A-Za-z_.:-]{1,40}")
#: Half a character: JSON can say it, UTF-8 and so files and databases cannot.
_SURROGATE = re.compile("[\ud800-\udfff]")


def json_object(message: Message) -> dict[str, Any]:
    """:raises DialectError: when ``message`` is not a text with one JSON object."""
    data, binary = message
    if binary:
        raise DialectError("a binary message where only text is spoken")
    if data.count(b"{") + data.count(b"[") > _MOST_BRACKETS:
        raise DialectError("the JSON is nested too deep")
    try:
        value = json.loads(str(data, "utf-8"))
    except (ValueError, RecursionError):
        # The chain is cut, since the parser's error carries the whole message.
        raise DialectError("the message is not JSON") from None
    if type(value) is not dict:
        raise DialectError("the message is not a JSON object")
    return value


def mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """:raises DialectError: when the field is not an object."""
    value = fields.get(name)
    if type(value) is not dict:
        raise _wrong(name, "an object")
    return value


def text(fields: Mapping[str, Any], name: str) -> str:
    """:raises DialectError: when the field is not a string of whole characters."""
    value = fields.get(name)
    if not _is_text(value):
        raise _wrong(name, "a string")
    return value


def texts(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    """:raises DialectError: when the field is not an object that holds strings only."""
    values = mapping(fields, name)
    if not all(map(_is_text, (*values, *values.values()))):
        raise _wrong(name, "an object of strings")
    return values


def identifier(fields: Mapping[str, Any], name: str) -> str:
    """:raises DialectError: when the field does not look like a carrier's id."""
    value = fields.get(name)
    if type(value) is not str or not _IDENTIFIER.fullmatch(value):
        raise _wrong(name, "an id")
    return value


def number(fields: Mapping[str, Any], name: str) -> int:
    """
    Read a whole number from zero up, said as a number or as a string of digits.

    :raises DialectError: when the field is anything else, or beyond thirty years.
    """
    value = fields.get(name)
    if type(value) is str and len(value) < 16 and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or not 0 <= value < _MOST_NUMBER:
        raise _wrong(name, "a whole number")
    return value


def base64_bytes(fields: Mapping[str, Any], name: str) -> bytes:
    """:raises DialectError: when the field is not strict base64."""
    try:
        return base64_of(fields[name])
    except (KeyError, TypeError, ValueError):
        raise _wrong(name, "base64") from None


def base64_of(value: str | bytes) -> bytes:
    """:raises ValueError: when ``value`` is not strict base64."""
    data = a2b_base64(value, strict_mode=True)
    # Even strict, CPython lets padding follow that pads nothing.
    if len(value) != (len(data) + 2) // 3 * 4:
        raise ValueError("padding that pads nothing")
    return data


def label(value: str) -> str:
    """:returns: ``value`` when it can label a metric or a log, else ``"unknown"``."""
    return value if _LABEL.fullmatch(value) else "unknown"


def _is_text(value: object) -> TypeGuard[str]:
    return type(value) is str and (value.isascii() or not _SURROGATE.search(value))


def _wrong(name: str, wanted: str) -> DialectError:
    return DialectError(f'"{name}" is missing or is not {wanted}')
