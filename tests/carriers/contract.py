"""What every dialect must do: the one contract of the seam to the carriers.

A new carrier inherits from :class:`DialectContract`, says how to make its dialect, and
brings a :class:`Carrier`: the far end of the wire, written without the dialect's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, get_args

from hypothesis import given
from hypothesis import strategies as st

from twistedvoice.errors import CallStateError, DialectError
from twistedvoice.events import (
    AudioReceived,
    CarrierEvent,
    DigitReceived,
    MarkEchoed,
    Message,
    StreamStarted,
    StreamStopped,
)
from twistedvoice.formats import FRAME_MS
from twistedvoice.interfaces import Dialect

from .junk import any_message, steady

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as _TestCase
else:
    _TestCase = object

__all__ = ["Carrier", "DialectContract"]


class Carrier(Protocol):
    """The carrier's end of one stream."""

    def start(self, **params: str) -> Sequence[Message]:
        """:returns: what opens a stream, up to the message that starts it."""

    def sound(self, payload: bytes, timestamp_ms: int) -> Message:
        """:returns: the caller's sound."""

    def digit(self, digit: str) -> Message:
        """:returns: the caller pressed a key."""

    def mark(self, name: str) -> Message:
        """:returns: the echo of a mark; called only if there are marks."""

    def stop(self) -> Message:
        """:returns: the end of the stream."""

    def understand(self, message: Message) -> tuple[str, bytes | str]:
        """:returns: ``media`` and its sound, ``mark`` and its name, or ``clear``."""


class DialectContract(_TestCase):
    """To be mixed into a ``SynchronousTestCase``."""

    def make_dialect(self) -> Dialect:
        """:returns: a dialect whose stream has not started."""
        raise NotImplementedError

    def make_carrier(self) -> Carrier:
        """:returns: the far end of that stream."""
        raise NotImplementedError

    def started(self) -> tuple[Dialect, Carrier]:
        """:returns: both ends of a stream that has started."""
        dialect, carrier = self.make_dialect(), self.make_carrier()
        for message in carrier.start():
            list(dialect.receive(message))
        return dialect, carrier

    def assert_hears(self, dialect: Dialect, carrier: Carrier) -> None:
        """The stream goes on: a frame of the caller arrives as it was sent."""
        payload = bytes(range(dialect.format.sample_bytes * 40))
        (event,) = dialect.receive(carrier.sound(payload, 0))
        assert isinstance(event, AudioReceived)
        self.assertEqual(event.payload, payload)

    def all_messages(self) -> list[Message]:
        """:returns: one message of each kind that the carrier sends."""
        carrier = self.make_carrier()
        marks = self.make_dialect().capabilities.marks
        return [
            *carrier.start(token="secret"),
            carrier.sound(b"\xff" * 40, 20),
            carrier.digit("5"),
            *([carrier.mark("one")] if marks else []),
            carrier.stop(),
        ]

    # -- the start ----------------------------------------------------------------

    def test_start(self) -> None:
        """A stream starts once, in the dialect's format, with our parameters."""
        dialect = self.make_dialect()
        before = dialect.format
        messages = self.make_carrier().start(token="a b", name='"<ü>\n')
        events = [event for message in messages for event in dialect.receive(message)]
        (started,) = (event for event in events if isinstance(event, StreamStarted))
        self.assertEqual(started.format, before)
        self.assertEqual(started.params, {"token": "a b", "name": '"<ü>\n'})
        self.assertTrue(started.stream_id and started.call_id and started.account_id)

    def test_second_start(self) -> None:
        """A second start is refused, and the stream goes on."""
        dialect, carrier = self.started()
        with self.assertRaises(DialectError):
            for message in carrier.start():
                list(dialect.receive(message))
        self.assert_hears(dialect, carrier)

    def test_sound_before_start(self) -> None:
        """Sound on a stream that has not started is refused, and it can still start."""
        dialect, carrier = self.make_dialect(), self.make_carrier()
        with self.assertRaises(DialectError):
            list(dialect.receive(carrier.sound(b"\xff" * 40, 0)))
        for message in carrier.start():
            list(dialect.receive(message))
        self.assert_hears(dialect, carrier)

    def test_saying_before_start(self) -> None:
        """Saying something before the start is our own mistake."""
        self.assertRaises(CallStateError, self.make_dialect().media, b"\xff" * 40)

    # -- towards us ---------------------------------------------------------------

    @steady
    @given(st.lists(st.binary(min_size=1, max_size=100), max_size=5))
    def test_heard(self, frames: list[bytes]) -> None:
        """The caller's sound arrives byte by byte, with its time."""
        dialect, carrier = self.started()
        sent: list[AudioReceived] = []
        size = 0
        for frame in frames:
            payload = frame * dialect.format.sample_bytes
            timestamp_ms = dialect.format.duration_us(size) // 1000
            sent.append(AudioReceived(payload, timestamp_ms))
            size += len(payload)
        messages = [carrier.sound(*audio) for audio in sent]
        heard = [event for message in messages for event in dialect.receive(message)]
        self.assertEqual(heard, sent)

    def test_digits(self) -> None:
        """Every key of a telephone arrives."""
        dialect, carrier = self.started()
        for digit in "0123456789*#ABCD":
            self.assertEqual(
                list(dialect.receive(carrier.digit(digit))), [DigitReceived(digit)]
            )

    def test_no_digit(self) -> None:
        """What is no key is refused, without a word of what it was."""
        dialect, carrier = self.started()
        for digit in ("98", "Q", "\u0661"):
            with self.assertRaises(DialectError) as caught:
                list(dialect.receive(carrier.digit(digit)))
            self.assertNotIn(digit, str(caught.exception))

    def test_stop(self) -> None:
        """The end of the stream is told."""
        dialect, carrier = self.started()
        self.assertEqual(list(dialect.receive(carrier.stop())), [StreamStopped()])

    # -- towards the carrier ------------------------------------------------------

    @steady
    @given(st.binary(max_size=400))
    def test_said(self, samples: bytes) -> None:
        """Our sound reaches the carrier byte by byte."""
        dialect, carrier = self.started()
        payload = samples * dialect.format.sample_bytes
        said = carrier.understand(dialect.media(payload))
        self.assertEqual(said, ("media", payload))

    @steady
    @given(st.text(max_size=40))
    def test_marks(self, name: str) -> None:
        """A mark goes out and comes back by name, where the carrier knows marks."""
        dialect, carrier = self.started()
        if not dialect.capabilities.marks:
            self.assertRaises(CallStateError, dialect.mark, name)
            return
        self.assertEqual(carrier.understand(dialect.mark(name)), ("mark", name))
        self.assertEqual(list(dialect.receive(carrier.mark(name))), [MarkEchoed(name)])

    def test_clear(self) -> None:
        """A clear goes out, where the carrier knows it."""
        dialect, carrier = self.started()
        if not dialect.capabilities.clear:
            self.assertRaises(CallStateError, dialect.clear)
            return
        self.assertEqual(carrier.understand(dialect.clear()), ("clear", ""))

    def test_lead(self) -> None:
        """The lead holds a frame at least, or nothing would ever be sent."""
        self.assertGreaterEqual(self.make_dialect().capabilities.lead_ms, FRAME_MS)

    # -- junk ---------------------------------------------------------------------

    def assert_event_or_refusal(self, dialect: Dialect, message: Message) -> bool:
        """:returns: whether ``message`` was refused, by the one error allowed."""
        try:
            events = list(dialect.receive(message))
        except DialectError as error:
            self.assertTrue(str(error))
            return True
        for event in events:
            self.assertIsInstance(event, get_args(CarrierEvent))
        return False

    @steady
    @given(st.data())
    def test_junk(self, data: st.DataObject) -> None:
        """Whatever comes on a stream, it is an event or refused, and calls go on."""
        dialect, carrier = self.started()
        junk = any_message(self.all_messages())
        for message in data.draw(st.lists(junk, max_size=4)):
            self.assert_event_or_refusal(dialect, message)
        self.assert_hears(dialect, carrier)
        self.assertEqual(carrier.understand(dialect.media(b"\1\2")), ("media", b"\1\2"))

    @steady
    @given(st.data())
    def test_junk_before_start(self, data: st.DataObject) -> None:
        """A stream that was refused its start can still start."""
        dialect, carrier = self.make_dialect(), self.make_carrier()
        message = data.draw(any_message(self.all_messages()))
        if self.assert_event_or_refusal(dialect, message):
            for right in carrier.start():
                list(dialect.receive(right))
            self.assert_hears(dialect, carrier)

    def test_two_streams(self) -> None:
        """Two streams of one carrier know nothing of each other."""
        dialect, carrier = self.started()
        self.assertRaises(CallStateError, self.make_dialect().media, b"\xff" * 40)
        list(dialect.receive(carrier.stop()))
        other, far = self.started()
        self.assert_hears(other, far)
