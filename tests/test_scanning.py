"""The scanner in C does exactly what its two functions in Python do."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.dialect import pure_usual_media
from twistedvoice.scanning import SWITCH, fastest
from twistedvoice.scanning import scanner as find_scanner
from twistedvoice.web.receive import pure_take_text

from .compiler import scanner, scanner_folder
from .sources import ROOT
from .web.test_receive import frame

_END = b'"},"streamSid":"MZ1"}'
_MOST = 65_536
_EVERY_BYTE = [bytes([value]) for value in range(256)]

#: Whether a process with the compiled scanner within reach uses the one in Python.
_IS_PURE = """
import sys, twistedvoice
twistedvoice.__path__.append(sys.argv[1])
from twistedvoice.carriers.twilio import dialect
print(dialect._read_usual_media is dialect.pure_usual_media)
"""


def media(
    payload: bytes,
    sequence: bytes = b"77",
    chunk: bytes = b"76",
    timestamp: bytes = b"1500",
    end: bytes = _END,
) -> bytes:
    """:returns: a media message with these parts, right or wrong."""
    return (
        b'{"event":"media","sequenceNumber":"%b","media":{"track":"inbound","chunk":'
        b'"%b","timestamp":"%b","payload":"%b' % (sequence, chunk, timestamp, payload)
    ) + end


def one_byte_off(data: bytes) -> Iterable[bytes]:
    """:returns: ``data`` with any one byte changed, put in or left out."""
    for place in range(len(data) + 1):
        before, after = data[:place], data[place + 1 :]
        yield before + after
        for byte in _EVERY_BYTE:
            yield before + byte + after
            yield before + byte + data[place:]


class FindingTests(SynchronousTestCase):
    """Which functions are used."""

    def is_pure(self, **environ: str) -> bool:
        """:returns: whether a process that starts so does it all in Python."""
        inherited = {k: v for k, v in os.environ.items() if k != SWITCH}
        done = subprocess.run(
            [sys.executable, "-c", _IS_PURE, str(scanner_folder())],
            env={**inherited, "PYTHONPATH": str(ROOT), **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout == "True\n"

    def test_used_when_it_is_there(self) -> None:
        """A process that has the scanner in C uses it."""
        self.assertFalse(self.is_pure())

    def test_switch(self) -> None:
        """The environment can forbid it."""
        self.assertTrue(self.is_pure(TWISTEDVOICE_PURE="1"))
        self.assertFalse(self.is_pure(TWISTEDVOICE_PURE="0"))

    def test_not_there(self) -> None:
        """Where it was not built there is none."""
        name = "twistedvoice._scan"
        if name in sys.modules:
            self.addCleanup(sys.modules.__setitem__, name, sys.modules[name])
        else:
            self.addCleanup(sys.modules.__delitem__, name)
        # Such an entry makes the import fail.
        sys.modules[name] = None  # type: ignore[assignment]
        self.assertIsNone(find_scanner({}))

    def test_unknown_to_the_scanner(self) -> None:
        """What the scanner does not have stays as it is."""
        self.assertIs(fastest("one_byte_off", one_byte_off), one_byte_off)


class ScannerTests(SynchronousTestCase):
    """What the tests of both functions share."""

    name: str
    pure: Callable[..., Any]

    def setUp(self) -> None:
        self.compiled: Callable[..., Any] = getattr(scanner(), self.name)

    def assert_same(self, cases: Iterable[tuple[Any, ...]]) -> None:
        """Both functions return the same of all ``cases``, and of some not nothing."""
        pure, compiled, taken = type(self).pure, self.compiled, 0
        for case in cases:
            wanted = pure(*case)
            if compiled(*case) != wanted:
                self.assertEqual(compiled(*case), wanted, case)
            taken += wanted is not None and wanted[0] != b""
        self.assertGreater(taken, 0)

    def assert_refused(self, *arguments: object) -> None:
        """The function in C says that the arguments are not of the right types."""
        self.assertRaises(TypeError, self.compiled, *arguments)

    def assert_nothing_is_left(self, *cases: tuple[Any, ...]) -> None:
        """No object stays behind, whatever the outcome is."""
        for case in cases:
            before = sys.getallocatedblocks()
            for _ in range(2_000):
                self.compiled(*case)
            self.assertLess(sys.getallocatedblocks() - before, 200, case)


class TakeTextTests(ScannerTests):
    """Frames of the WebSocket."""

    name = "take_text"
    pure = pure_take_text

    def test_every_head(self) -> None:
        """Any two first bytes, before enough bytes for the short lengths."""
        rest = frame(b"t" * 130)[2:]
        self.assert_same(
            (first + second + rest, 0, _MOST)
            for first, second in product(_EVERY_BYTE, _EVERY_BYTE)
        )

    def test_every_length(self) -> None:
        """Any length in any form, the right one, and with the end missing."""
        sizes = [*range(300), *range(65_530, 65_540), 70_000]
        frames = [
            frame(b"t" * size, length_bytes=form)
            for size in sizes
            for form in (0, 2, 8)
        ]
        self.assert_same(
            (data[: len(data) - missing], 0, 70_000)
            for data in frames
            for missing in range(3)
        )

    def test_lengths_that_lie(self) -> None:
        """A length of two bytes may say anything, whatever follows."""
        masked = frame(b"t" * 200)[4:]
        self.assert_same(
            (b"\x81\xfe" + length.to_bytes(2, "big") + masked, 0, _MOST)
            for length in range(65_536)
        )

    def test_cut_anywhere(self) -> None:
        """A frame that is not whole is left alone."""
        self.assert_same(
            (data[start:end], 0, _MOST)
            for data in (frame(b"t" * 20), frame(b"t" * 140))
            for end in range(len(data) + 1)
            for start in range(min(end, 3))
        )

    def test_no_ascii(self) -> None:
        """One byte beyond ASCII is seen at any place."""
        self.assert_same(
            (frame(b"t" * place + byte + b"t" * behind), 0, _MOST)
            for place in range(20)
            for behind in range(12)
            for byte in (b"\x7f", b"\x80", b"\xff", b"\x00")
        )

    def test_most(self) -> None:
        """The longest payload is taken, and none that is longer."""
        self.assert_same(
            (frame(b"t" * size), 0, most)
            for size in (1, 125, 126, 200)
            for most in (-1, 0, size - 1, size, size + 1, sys.maxsize)
        )

    @settings(max_examples=80, deadline=None)
    @given(st.data())
    def test_anything(self, drawn: st.DataObject) -> None:
        """Any bytes, and frames with anything wrong, from any place."""
        texts = st.one_of(
            st.text(st.characters(max_codepoint=130), max_size=200).map(str.encode),
            st.integers(0, 70_000).map(lambda size: b"t" * size),
        )
        whole = st.builds(
            frame,
            texts,
            first=st.sampled_from([0x81, 0x81, 0x81, 0x01, 0x82, 0xC1, 0xA1, 0x91]),
            mask=st.binary(min_size=4, max_size=4) | st.none(),
            length_bytes=st.sampled_from([0, 0, 2, 8]),
        )
        data = bytearray(
            b"".join(drawn.draw(st.lists(whole | st.binary(), max_size=3)))
        )
        for _ in range(drawn.draw(st.integers(0, 2))):
            place = drawn.draw(st.integers(0, min(len(data), 300)))
            length = drawn.draw(st.integers(0, 3))
            data[place : place + length] = drawn.draw(st.binary(max_size=3))
        cut = bytes(data[: drawn.draw(st.integers(0, len(data)))])
        start = drawn.draw(st.integers(0, 40))
        for each, at in product((bytes(data), cut), (0, start, len(data))):
            case = each, at, _MOST
            self.assertEqual(self.compiled(*case), pure_take_text(*case))

    def test_wrong_types(self) -> None:
        """What is no bytes and no number is refused."""
        self.assert_refused()
        self.assert_refused(b"", 0)
        self.assert_refused(bytearray(), 0, 1)
        self.assert_refused(b"", None, 1)
        self.assert_refused(b"", 0, 1.5)

    def test_outside(self) -> None:
        """There is no frame before the beginning."""
        self.assertEqual(self.compiled(frame(b"t"), -7, _MOST), (b"", -7))

    def test_nothing_is_left(self) -> None:
        """Nothing stays in memory of a frame that was taken, or was not."""
        self.assert_nothing_is_left(
            (frame(b"t" * 300), 0, _MOST),
            (frame(b"\xff" * 300), 0, _MOST),
            (b"", 1_000, _MOST),
        )


class UsualMediaTests(ScannerTests):
    """Media messages of Twilio."""

    name = "usual_media"
    pure = pure_usual_media

    def test_one_byte_off(self) -> None:
        """Any one byte changed, put in or left out, for each kind of padding."""
        self.assert_same(
            (data, _END, 8_000)
            for size in (3, 4, 5)
            for data in one_byte_off(media(b64encode(bytes(range(size)))))
        )

    def test_any_base64(self) -> None:
        """Letters, padding and what is neither, in any order."""
        self.assert_same(
            (media("".join(letters).encode()), _END, 8_000)
            for length in range(9)
            for letters in product("A/=-", repeat=length)
        )

    def test_every_letter(self) -> None:
        """Any byte at each place of a group, before and within the padding."""
        self.assert_same(
            (media(b"AAAA%b%b%b" % (left, byte, right)), _END, 8_000)
            for byte in _EVERY_BYTE
            for left, right in (
                (b"", b"BCD"), (b"B", b"CD"), (b"BC", b"D"), (b"BCD", b""),
                (b"B", b"=="), (b"BC", b"="), (b"", b"B=="), (b"B", b"C="),
            )
        )  # fmt: skip

    def test_numbers(self) -> None:
        """Up to twelve digits, not more and not none, in each of the numbers."""
        sound = b64encode(b"sound")
        numbers = [b"9" * length for length in range(15)]
        numbers += [b"0" * 12, b"007", b"-1", b"+1", b" 1", b"1 ", b"1_0", b"1.0", b"/"]
        numbers += [b":", "\N{ARABIC-INDIC DIGIT ONE}".encode()]
        self.assert_same(
            (media(sound, **{part: number}), _END, 8_000)
            for part in ("sequence", "chunk", "timestamp")
            for number in numbers
        )

    def test_cut_anywhere(self) -> None:
        """Part of a message is none, whatever end is asked for."""
        data = media(b64encode(b"sound"))
        ends = [_END, b"", b"}", data, b"x" + data, *(data[i:] for i in range(90, 130))]
        self.assert_same(
            (data[start:stop], end, 8_000)
            for end in ends
            for start in range(2)
            for stop in range(len(data) + 1)
        )

    def test_most(self) -> None:
        """The longest sound is read, and none that is longer."""
        self.assert_same(
            (media(b64encode(bytes(size))), _END, most)
            for size in (0, 1, 2, 3, 160, 8_000)
            for most in (-1, 0, size - 1, size, size + 1)
        )

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_anything(self, drawn: st.DataObject) -> None:
        """Any sound, and messages with anything wrong."""
        sound = drawn.draw(st.binary(max_size=400))
        number = drawn.draw(st.integers(0, 10**13))
        data = bytearray(media(b64encode(sound), timestamp=b"%d" % number))
        for _ in range(drawn.draw(st.integers(0, 3))):
            place = drawn.draw(st.integers(0, len(data)))
            length = drawn.draw(st.integers(0, 4))
            data[place : place + length] = drawn.draw(st.binary(max_size=4))
        for each in (bytes(data), drawn.draw(st.binary(max_size=200)) + _END):
            case = each, _END, 400
            self.assertEqual(self.compiled(*case), pure_usual_media(*case))

    def test_wrong_types(self) -> None:
        """What is no bytes and no number is refused."""
        self.assert_refused()
        self.assert_refused(b"", b"")
        self.assert_refused("", b"", 1)
        self.assert_refused(b"", memoryview(b""), 1)
        self.assert_refused(b"", b"", None)

    def test_nothing_is_left(self) -> None:
        """Nothing stays in memory of a message that was read, or was not."""
        sound = b64encode(bytes(160))
        self.assert_nothing_is_left(
            (media(sound), _END, 8_000),
            (media(b"-" + sound[1:]), _END, 8_000),
            (b"", _END, 8_000),
        )
