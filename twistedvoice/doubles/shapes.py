# -*- test-case-name: tests.doubles.openai.test_shapes -*-
"""Shapes of JSON, to check what a client sends as strictly as a service would.

A shape yields what is wrong with a value: an unknown field, a wrong type, a missing
field, a value out of range. Which messages have which shape is the double's business.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator

from attrs import frozen

__all__ = [
    "Problem",
    "Shape",
    "any_object",
    "by_type",
    "encoded",
    "flag",
    "list_of",
    "number",
    "object_of",
    "one_of",
    "or_null",
    "or_word",
    "text",
    "whole",
]


@frozen
class Problem:
    """Why a message is refused."""

    code: str
    param: str
    message: str


#: Yields what is wrong with a value that stands at a path.
Shape = Callable[[object, str], Iterator[Problem]]


def _wrong(path: str, wanted: str) -> Problem:
    return Problem("invalid_type", path, f"Invalid type for {path!r}: give {wanted}.")


def _bad(path: str, allowed: str) -> Problem:
    return Problem(
        "invalid_value", path, f"Invalid value for {path!r}: give {allowed}."
    )


def text(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(path, "a string")


def flag(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield _wrong(path, "a boolean")


def any_object(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _wrong(path, "an object")


def encoded(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(path, "a string")
        return
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        yield _bad(path, "base64")


def number(least: float, most: float) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong(path, "a number")
        elif not least <= value <= most:
            yield _bad(path, f"{least} to {most}")

    return shape


def whole(least: int, most: int) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield _wrong(path, "an integer")
        elif not least <= value <= most:
            yield _bad(path, f"{least} to {most}")

    return shape


def one_of(*words: str) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if value not in words:
            yield _bad(path, ", ".join(words))

    return shape


def or_null(inner: Shape) -> Shape:
    return lambda value, path: iter(()) if value is None else inner(value, path)


def or_word(words: tuple[str, ...], inner: Shape) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        yield from (one_of(*words) if isinstance(value, str) else inner)(value, path)

    return shape


def list_of(inner: Shape, least: int = 0, most: int = 1000) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield _wrong(path, "an array")
            return
        if not least <= len(value) <= most:
            yield _bad(path, f"{least} to {most} of them")
        for n, each in enumerate(value):
            yield from inner(each, f"{path}[{n}]")

    return shape


def object_of(needed: tuple[str, ...] = (), /, **fields: Shape) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _wrong(path, "an object")
            return
        before = f"{path}." if path else ""
        for name in needed:
            if name not in value:
                at = before + name
                yield Problem("missing_required_parameter", at, f"Missing {at!r}.")
        for name, each in value.items():
            at = before + name
            if name not in fields:
                yield Problem("unknown_parameter", at, f"Unknown parameter: {at!r}.")
            else:
                yield from fields[name](each, at)

    return shape


def by_type(**kinds: Shape) -> Shape:
    """:returns: the shape of an object whose ``type`` says what else it has."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _wrong(path, "an object")
            return
        kind = str(value.get("type", "")).replace("/", "_")
        if kind in kinds:
            yield from kinds[kind](value, path)
        else:
            yield _bad(f"{path}.type", ", ".join(kinds))

    return shape
