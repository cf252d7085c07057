"""Tests for :mod:`twistedvoice.carriers.fields`."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers import fields
from twistedvoice.errors import DialectError
from twistedvoice.events import Message

from .junk import json_values, steady

SECRET = "+15550100"

_Reader = Callable[[Mapping[str, Any], str], object]
READERS: tuple[_Reader, ...] = (
    fields.base64_bytes,
    fields.identifier,
    fields.mapping,
    fields.number,
    fields.text,
    fields.texts,
)


def _stack_depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back:
        frame, depth = frame.f_back, depth + 1
    return depth


class JsonObjectTests(SynchronousTestCase):
    """What is an object at all."""

    def refused(self, data: bytes, binary: bool = False) -> str:
        """:returns: why."""
        message = Message(data, binary)
        error = self.assertRaises(DialectError, fields.json_object, message)
        return str(error)

    def test_object(self) -> None:
        """An object in UTF-8 is read."""
        read = fields.json_object(Message('{"a": "ü"}'.encode(), False))
        self.assertEqual(read, {"a": "ü"})

    def test_binary(self) -> None:
        """A binary message is refused even if it holds the right text."""
        self.assertIn("binary", self.refused(b"{}", binary=True))

    def test_not_json(self) -> None:
        """Half a document, other encodings, and numbers beyond reason are refused."""
        for data in (
            b"",
            b"{",
            b"{}{}",
            b"\xff\xfe{\0}\0",
            b"\xef\xbb\xbf{}",
            b'{"a":"\xff"}',
            b'{"a":' + b"9" * 5000 + b"}",
        ):
            self.assertEqual(self.refused(data), "the message is not JSON")

    def test_not_an_object(self) -> None:
        """JSON that is no object is refused."""
        for data in (b"[]", b"1", b"null", b'"{}"', b"NaN"):
            self.assertIn("object", self.refused(data))

    def test_deep(self) -> None:
        """Deep nesting is refused before it is parsed."""
        for opening in (b"[", b'{"a":'):
            self.assertIn("too deep", self.refused(b'{"a":' + opening * 20_000))

    def test_nested(self) -> None:
        """Nesting that nobody minds is read."""
        data = b'{"a":' + b"[" * 150 + b"]" * 150 + b"}"
        self.assertIn("a", fields.json_object(Message(data, False)))

    def test_on_a_deep_stack(self) -> None:
        """Even a caller near the limit of recursion meets no other error."""
        data = b'{"a":' + b"[" * 190 + b"]" * 190 + b"}"

        def deeper(times: int) -> bool:
            if times:
                return deeper(times - 1)
            try:
                return "a" in fields.json_object(Message(data, False))
            except DialectError:
                return True

        self.assertTrue(deeper(sys.getrecursionlimit() - _stack_depth() - 100))

    def test_no_echo(self) -> None:
        """The error holds nothing of the message, nor does what caused it."""
        with self.assertRaises(DialectError) as caught:
            fields.json_object(Message(f'{{"To": "{SECRET}"'.encode(), False))
        self.assertNotIn(SECRET, str(caught.exception))
        assert caught.exception.__cause__ is None
        assert caught.exception.__suppress_context__


class FieldTests(SynchronousTestCase):
    """One field at a time."""

    def test_missing(self) -> None:
        """A field that is not there is an error that names it."""
        for read in READERS:
            error = self.assertRaises(DialectError, read, {}, "callSid")
            self.assertIn('"callSid"', str(error))

    @steady
    @given(json_values)
    def test_any_value(self, value: object) -> None:
        """Whatever the field holds, it is read or refused."""
        for read in READERS:
            try:
                read({"a": value}, "a")
            except DialectError as error:
                self.assertIn('"a" is missing or is not', str(error))

    def test_no_echo(self) -> None:
        """What a field held is not in the error."""
        for read, value in (
            (fields.base64_bytes, SECRET),
            (fields.identifier, SECRET),
            (fields.mapping, SECRET),
            (fields.number, SECRET),
            (fields.text, [SECRET]),
            (fields.texts, {SECRET: [SECRET]}),
        ):
            error = self.assertRaises(DialectError, read, {"a": value}, "a")
            self.assertNotIn(SECRET, str(error))

    def test_number(self) -> None:
        """A whole number may be said as a number or as a string."""
        for value, expected in ((5, 5), ("5", 5), ("0", 0), (0, 0), ("0020", 20)):
            self.assertEqual(fields.number({"a": value}, "a"), expected)

    def test_no_number(self) -> None:
        """All else that looks like a number is refused."""
        for value in (-1, "-1", 1.0, "1.0", "1e3", " 1", "", True, "\u0661", "²"):
            self.assertRaises(DialectError, fields.number, {"a": value}, "a")
        for value in (10**12, "9" * 13, "9" * 5000, 10**400, float("inf")):
            self.assertRaises(DialectError, fields.number, {"a": value}, "a")

    def test_text(self) -> None:
        """Any whole character is text; half of one is not: no file can hold it."""
        self.assertEqual(fields.text({"a": "\0ü😀"}, "a"), "\0ü😀")
        halves = json.loads(r'{"a": "x\ud83d", "b": "\ud83d\ude00"}')
        self.assertRaises(DialectError, fields.text, halves, "a")
        self.assertEqual(fields.text(halves, "b"), "😀")

    def test_texts(self) -> None:
        """An object of strings is read whole, or not at all."""
        self.assertEqual(fields.texts({"a": {}}, "a"), {})
        self.assertEqual(fields.texts({"a": {"b": "c"}}, "a"), {"b": "c"})
        for value in ({"b": 1}, {"b": "c", "d": None}, {"\ud800": "c"}, ["b"]):
            self.assertRaises(DialectError, fields.texts, {"a": value}, "a")

    def test_identifier(self) -> None:
        """The ids of carriers are read; what could be a path or a markup is not."""
        for value in ("MZ0123456789abcdef", "v3:a.b-c_d=+", "x" * 128, "7"):
            self.assertEqual(fields.identifier({"a": value}, "a"), value)
        for value in (
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a b",
            'a"b',
            "a\n",
            "ü",
            "x" * 129,
        ):
            self.assertRaises(DialectError, fields.identifier, {"a": value}, "a")

    @steady
    @given(st.binary(max_size=200))
    def test_base64(self, payload: bytes) -> None:
        """What an independent encoder wrote is read back."""
        value = base64.b64encode(payload).decode()
        self.assertEqual(fields.base64_bytes({"a": value}, "a"), payload)

    def test_no_base64(self) -> None:
        """Nothing is skipped or guessed: one wrong character refuses the field."""
        values: tuple[object, ...] = (
            "A", "AA", "AAA", "AA=", "AAAA=", "AAAA====", "=AAA", "AA==AA==", "AA=A",
            "AAAA\n", " AAAA", "AA-_", "AAA\u00c4", "AAA\ud800", 0, None, [], {},
        )  # fmt: skip
        for value in values:
            self.assertRaises(DialectError, fields.base64_bytes, {"a": value}, "a")

    @steady
    @given(st.text("AZaz09+/=- \n", max_size=12))
    def test_base64_oracle(self, value: str) -> None:
        """We take nothing that the standard library refuses."""
        try:
            read = fields.base64_bytes({"a": value}, "a")
        except DialectError:
            return
        self.assertEqual(read, base64.b64decode(value, validate=True))
        self.assertEqual(
            binascii.b2a_base64(read, newline=False)[:-4], value[:-4].encode()
        )

    def test_label(self) -> None:
        """A name that could not label a metric is not repeated."""
        self.assertEqual(fields.label("websocket:cleared"), "websocket:cleared")
        for value in ("", "a b", "a\n", "x" * 41, "ü", "\ud800"):
            self.assertEqual(fields.label(value), "unknown")
