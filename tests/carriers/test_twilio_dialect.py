"""Tests for :mod:`twistedvoice.carriers.twilio.dialect`, beyond the contract."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.errors import CallStateError, DialectError
from twistedvoice.events import (
    AudioReceived,
    CarrierEvent,
    DigitReceived,
    Ignored,
    MarkEchoed,
    Message,
    StreamStarted,
    StreamStopped,
)
from twistedvoice.formats import MULAW_8K

from ..fixtures.twilio import FROM_TWILIO, load, load_bytes
from .junk import steady


def hear(dialect: TwilioDialect, said: object) -> CarrierEvent:
    """:returns: the one event that a message is."""
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    (event,) = dialect.receive(Message(data, False))
    return event


def started() -> TwilioDialect:
    """:returns: a dialect whose stream has started."""
    dialect = TwilioDialect()
    hear(dialect, load_bytes("start"))
    return dialect


def changed(name: str, path: str, *value: object) -> dict[str, Any]:
    """:returns: the message with one field set to ``value``, or without it."""
    message: dict[str, Any] = load(name)
    *parents, last = path.split(".")
    owner = message
    for parent in parents:
        owner = owner[parent]
    if value:
        (owner[last],) = value
    else:
        del owner[last]
    return message


class PublishedTests(SynchronousTestCase):
    """The messages as Twilio publishes them."""

    def test_from_twilio(self) -> None:
        """Each message of a stream, in order, is the event it should be."""
        dialect = TwilioDialect()
        events = [hear(dialect, load_bytes(name)) for name in FROM_TWILIO]
        sound = base64.b64decode(load("media")["media"]["payload"])
        self.assertEqual(len(sound), MULAW_8K.frame_bytes)
        self.assertEqual(
            events,
            [
                Ignored("connected"),
                StreamStarted(
                    stream_id="MZ00000000000000000000000000000003",
                    call_id="CA00000000000000000000000000000002",
                    account_id="AC00000000000000000000000000000001",
                    format=MULAW_8K,
                    params={"token": "Zm9yLXRlc3Rz", "greeting": 'grüß "dich"'},
                ),
                AudioReceived(sound, 25),
                Ignored("media"),
                DigitReceived("1"),
                MarkEchoed("my label"),
                StreamStopped(),
            ],
        )

    def test_to_twilio(self) -> None:
        """What we send is what Twilio publishes, to the byte."""
        dialect = started()
        sound = base64.b64decode(load("media")["media"]["payload"])
        for name, message in (
            ("to-media", dialect.media(sound)),
            ("to-mark", dialect.mark("my label")),
            ("to-clear", dialect.clear()),
        ):
            self.assertEqual(message, Message(load_bytes(name), False))

    @steady
    @given(st.text(max_size=40))
    def test_mark_name(self, name: str) -> None:
        """Any name of a mark is one JSON text in ASCII."""
        data = started().mark(name).data
        assert data.isascii()
        self.assertEqual(json.loads(data)["mark"]["name"], name)

    def test_before_start(self) -> None:
        """Nothing can be sent before the stream has an id."""
        dialect = TwilioDialect()
        self.assertRaises(CallStateError, dialect.media, b"\xff" * 160)
        self.assertRaises(CallStateError, dialect.mark, "one")
        self.assertRaises(CallStateError, dialect.clear)


class LiberalTests(SynchronousTestCase):
    """What Twilio may change without asking us."""

    def test_unknown_event(self) -> None:
        """A kind of message not known yet is named, on any stream, at any time."""
        for dialect in (TwilioDialect(), started()):
            self.assertEqual(hear(dialect, {"event": "warmth"}), Ignored("warmth"))

    def test_unknown_event_with_odd_name(self) -> None:
        """What could not be a label in a log is not taken over."""
        for odd in ("", "a b\n", "x" * 1000, "ü"):
            self.assertEqual(hear(started(), {"event": odd}), Ignored("unknown"))

    def test_unknown_keys(self) -> None:
        """A key not known yet changes nothing."""
        self.assertEqual(
            hear(started(), changed("mark", "mark.weight", [1, {}])),
            MarkEchoed("my label"),
        )

    def test_timestamp_as_number(self) -> None:
        """Numbers may come as numbers."""
        event = hear(started(), changed("media", "media.timestamp", 25))
        self.assertEqual(event, hear(started(), load_bytes("media")))

    def test_format_as_strings(self) -> None:
        """Numbers may come as strings."""
        start = changed("start", "start.mediaFormat.sampleRate", "8000")
        start["start"]["mediaFormat"]["channels"] = "1"
        self.assertIsInstance(hear(TwilioDialect(), start), StreamStarted)

    def test_numbering_is_not_read(self) -> None:
        """What we do not act on may be missing or wrong."""
        event = hear(started(), changed("media", "sequenceNumber"))
        self.assertEqual(event, hear(started(), changed("media", "media.chunk", "?")))
        self.assertEqual(hear(started(), changed("stop", "stop")), StreamStopped())

    def test_no_parameters(self) -> None:
        """A stream without parameters starts without."""
        for start in (
            changed("start", "start.customParameters"),
            changed("start", "start.customParameters", {}),
        ):
            event = hear(TwilioDialect(), start)
            assert isinstance(event, StreamStarted)
            self.assertEqual(event.params, {})


class RefusedTests(SynchronousTestCase):
    """What ends in a DialectError, and leaves the stream as it was."""

    def refused(self, dialect: TwilioDialect, said: Mapping[str, object]) -> str:
        """:returns: why."""
        return str(self.assertRaises(DialectError, hear, dialect, said))

    def test_no_event(self) -> None:
        """A message must say what it is."""
        self.assertIn('"event"', self.refused(started(), {}))
        wrongs: tuple[object, ...] = (None, ["media"], {}, "\ud800")
        for wrong in wrongs:
            self.assertIn('"event"', self.refused(started(), {"event": wrong}))

    def test_before_start(self) -> None:
        """Whatever belongs to a stream cannot come before it."""
        for kind in ("media", "dtmf", "mark", "stop"):
            why = self.refused(TwilioDialect(), load(kind))
            self.assertEqual(why, f"{kind} came before start")

    def test_other_stream(self) -> None:
        """Whatever belongs to another stream, or to none, is refused."""
        wrongs: tuple[object, ...] = ("MZother", "", None, [])
        for kind in ("media", "dtmf", "mark", "stop"):
            self.refused(started(), changed(kind, "streamSid"))
            for wrong in wrongs:
                why = self.refused(started(), changed(kind, "streamSid", wrong))
                self.assertIn("streamSid", why)

    def test_second_start(self) -> None:
        """The first start counts, even if the second is for another stream."""
        dialect = started()
        second = changed("start", "streamSid", "MZother")
        second["start"]["streamSid"] = "MZother"
        self.assertIn("second start", self.refused(dialect, second))
        self.assertEqual(hear(dialect, load("mark")), MarkEchoed("my label"))

    def test_start(self) -> None:
        """Each thing that must be right in a start is checked, and named."""
        for path, wrong in (
            ("start", ()),
            ("start", ([],)),
            ("streamSid", ()),
            ("streamSid", ("",)),
            ("start.streamSid", ("MZother",)),
            ("start.callSid", ()),
            ("start.callSid", (17,)),
            ("start.accountSid", ()),
            ("start.accountSid", ("../../etc",)),
            ("start.customParameters", (None,)),
            ("start.customParameters", ({"token": 1},)),
            ("start.mediaFormat", ()),
            ("start.mediaFormat.encoding", ()),
            ("start.mediaFormat.encoding", ("audio/x-alaw",)),
            ("start.mediaFormat.encoding", (None,)),
            ("start.mediaFormat.sampleRate", ()),
            ("start.mediaFormat.sampleRate", (16000,)),
            ("start.mediaFormat.sampleRate", (8000.0,)),
            ("start.mediaFormat.channels", ()),
            ("start.mediaFormat.channels", (2,)),
            ("start.mediaFormat.channels", (True,)),
        ):
            dialect = TwilioDialect()
            why = self.refused(dialect, changed("start", path, *wrong))
            self.assertIn(f'"{path.rpartition(".")[2]}"', why)
            self.assertIsInstance(hear(dialect, load("start")), StreamStarted)

    def test_stream_id(self) -> None:
        """An id that is none is refused, though both places agree on it."""
        for wrong in ('MZ"}', "..", "\ud800", "", "x" * 200):
            start = changed("start", "streamSid", wrong)
            start["start"]["streamSid"] = wrong
            self.assertIn('"streamSid"', self.refused(TwilioDialect(), start))

    def test_body(self) -> None:
        """Each thing that must be right in the other messages is checked, and named."""
        for kind, path, wrong in (
            ("media", "media", ()),
            ("media", "media", ("inbound",)),
            ("media", "media.track", ()),
            ("media", "media.track", (1,)),
            ("media", "media.payload", ()),
            ("media", "media.payload", (None,)),
            ("media", "media.payload", ("no base64",)),
            ("media", "media.timestamp", ()),
            ("media", "media.timestamp", ("-5",)),
            ("dtmf", "dtmf", ()),
            ("dtmf", "dtmf.digit", ()),
            ("dtmf", "dtmf.digit", (1,)),
            ("dtmf", "dtmf.digit", ("12",)),
            ("mark", "mark", ("my label",)),
            ("mark", "mark.name", ()),
            ("mark", "mark.name", ("\ud800",)),
        ):
            dialect = started()
            why = self.refused(dialect, changed(kind, path, *wrong))
            self.assertIn(f'"{path.rpartition(".")[2]}"', why)
            self.assertEqual(hear(dialect, load("mark")), MarkEchoed("my label"))

    def test_no_echo(self) -> None:
        """A digit or a parameter is never in the error."""
        digits = self.refused(started(), changed("dtmf", "dtmf.digit", "4711"))
        self.assertNotIn("4711", digits)
        start = changed("start", "start.customParameters", {"4711": ["4711"]})
        self.assertNotIn("4711", self.refused(TwilioDialect(), start))


class PrivacyTests(SynchronousTestCase):
    """Events are shown in failures and debug logs."""

    def test_repr(self) -> None:
        """Neither a digit nor a token is in the repr of its event."""
        self.assertNotIn("1", repr(hear(started(), load("dtmf"))))
        self.assertNotIn("Zm9y", repr(hear(TwilioDialect(), load("start"))))


class UsualMediaTests(SynchronousTestCase):
    """The short way to read a media message, against the long one."""

    def outcome(self, dialect: TwilioDialect, data: bytes) -> object:
        """:returns: the event, or the text of the error."""
        try:
            return hear(dialect, data)
        except DialectError as error:
            return str(error)

    def assert_same_both_ways(self, data: bytes) -> None:
        """A space that means nothing in JSON sends a message the long way."""
        short = self.outcome(started(), data)
        self.assertEqual(short, self.outcome(started(), b" " + data))

    def test_the_usual_shape_goes_the_short_way(self) -> None:
        """What Twilio sends is read without JSON."""
        dialect = started()
        usual = load_bytes("media")
        self.patch(json, "loads", lambda text: self.fail("by JSON"))
        self.assertIsInstance(hear(dialect, usual), AudioReceived)
        self.assertRaises(self.failureException, hear, dialect, b" " + usual)

    def test_second_of_sound(self) -> None:
        """A second of sound in one message is read; a byte more is refused."""
        longest = base64.b64encode(bytes(8000))
        usual = load_bytes("media")
        old = load("media")["media"]["payload"].encode()
        for lead in (b"", b" "):
            event = hear(started(), lead + usual.replace(old, longest))
            self.assertEqual(event, AudioReceived(bytes(8000), 25))
            too_long = lead + usual.replace(old, base64.b64encode(bytes(8001)))
            with self.assertRaisesRegex(DialectError, "longer than a second"):
                hear(started(), too_long)

    def test_an_end_within_the_head(self) -> None:
        """One quotation mark cannot both open the sound and close it."""
        head, _, _ = load_bytes("media").partition(b'"payload":"')
        sid = load("start")["streamSid"].encode()
        data = head + b'"payload":"},"streamSid":"%b"}' % sid
        self.assert_same_both_ways(data)
        self.assertIn("JSON", str(self.outcome(started(), data)))

    @steady
    @given(st.data())
    def test_same_both_ways(self, data: st.DataObject) -> None:
        """Any change to a usual message is read, or refused, as the long way does."""
        usual = bytearray(load_bytes("media"))
        for _ in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, len(usual)))
            length = data.draw(st.integers(0, 3))
            usual[place : place + length] = data.draw(
                st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b"=", b"9"]))
            )
        self.assert_same_both_ways(bytes(usual))

    @given(st.binary(max_size=400), st.integers(0, 10**14))
    def test_any_sound(self, payload: bytes, timestamp: int) -> None:
        """Any sound at any time, and times that cannot be."""
        head = b'{"event":"media","sequenceNumber":"7","media":{"track":"inbound",'
        middle = b'"chunk":"6","timestamp":"%d","payload":"%b"},"streamSid":"%b"}'
        sid = load("start")["streamSid"].encode()
        sound = base64.b64encode(payload)
        self.assert_same_both_ways(head + middle % (timestamp, sound, sid))
