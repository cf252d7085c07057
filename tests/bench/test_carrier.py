"""Tests for :mod:`twistedvoice.bench.carrier`."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.carrier import Carrier, Log
from twistedvoice.bench.frames import CLOSE, PONG, TEXT
from twistedvoice.bench.speech import Speech

from .net import Net, Socket, server_frame
from .values import job

MS = 1_000_000


class CarrierTestCase(SynchronousTestCase):
    """One call on a socket."""

    def setUp(self) -> None:
        self.net = Net(delay=lambda now_ns: 30 * MS)
        self.log = Log(measuring=True)
        self.reminders: list[int] = []
        self.ended: list[Carrier] = []
        self.carrier = Carrier(
            job(),
            7,
            Speech(),
            self.log,
            remind=lambda at_ns, carrier: self.reminders.append(at_ns),
            ended=self.ended.append,
            new_socket=self.net.new_socket,
        )

    @property
    def socket(self) -> Socket:
        """Its socket."""
        return self.net.sockets[0]

    def open(self) -> None:
        """It may speak."""
        self.carrier.connect()
        self.carrier.connected()
        self.carrier.read(self.net.now_ns)

    def texts(self) -> list[str]:
        """:returns: the events that the service was told of."""
        heard = self.socket.service.heard
        return [json.loads(text)["event"] for opcode, text in heard if opcode == TEXT]

    def says(self, text: str) -> None:
        """The service sends a message, and it is read."""
        stream = f'"streamSid": "{self.carrier.voice.stream_id}"'
        self.socket.service.say(server_frame(text.replace("SID", stream).encode()))
        self.carrier.read(self.net.now_ns)

    def assert_gone(self, **errors: int) -> None:
        """It has left, and this was wrong."""
        self.assertTrue(self.carrier.gone)
        self.assertTrue(self.socket.closed)
        self.assertEqual(self.ended, [self.carrier])
        self.assertEqual(
            {name.replace(" ", "_"): n for name, n in self.log.tally.errors.items()},
            errors,
        )


class OpeningTests(CarrierTestCase):
    """From the first packet to the first sound."""

    def test_open(self) -> None:
        """It connects, upgrades and says hello; then it is open."""
        self.open()
        self.assertEqual(self.socket.address, ("127.0.0.1", 8080))
        self.assertTrue(self.carrier.open)
        self.assertEqual(self.texts(), ["connected", "start"])
        self.assertEqual(self.log.tally.counts["opened"], 1)

    def test_answer_in_parts(self) -> None:
        """The answer may come in parts, and with the first message behind it."""
        self.carrier.connected()
        yes = self.socket.inbox.pop()[1]
        for part in (yes[:20], yes[20:] + server_frame(b"{}")):
            self.socket.service.say(part)
            self.assertFalse(self.carrier.open)
            self.carrier.read(0)
        self.assertTrue(self.carrier.open)
        self.assertEqual(self.log.tally.errors["not of this protocol"], 1)

    def test_refused(self) -> None:
        """A service that says no is an error."""
        self.carrier.connected()
        self.socket.inbox.clear()
        self.socket.service.say(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        self.carrier.read(0)
        self.assert_gone(refused=1)

    def test_nobody_there(self) -> None:
        """A connection that fails is one too."""
        self.socket.error = 111
        self.carrier.connected()
        self.assert_gone(connect=1)


class TalkingTests(CarrierTestCase):
    """While it is open."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def echoes(self, frames: int) -> None:
        """It says so many frames, each of which comes back."""
        for _ in range(frames):
            self.carrier.speak(self.net.now_ns)
            self.net.now_ns += 30 * MS
            self.carrier.read(self.net.now_ns)

    def test_echo(self) -> None:
        """What comes back is heard, and known for what was said."""
        self.echoes(8)
        heard = self.carrier.ear.heard(0, self.net.now_ns + 1)
        self.assertEqual(heard.sound_ns, 160 * MS)
        # One in four is looked at.
        self.assertEqual(self.log.echo_ns, [30 * MS, 30 * MS])

    def test_answer(self) -> None:
        """The time from ``start`` to the first sound is noted, once a call."""
        self.net.now_ns += 10 * MS
        self.echoes(3)
        self.assertEqual(self.log.answer_ns, [40 * MS])

    def test_several_at_once(self) -> None:
        """Frames that come at once, and a part of the next, are all taken."""
        self.echoes(1)
        for _ in range(3):
            self.carrier.speak(self.net.now_ns)
        self.net.now_ns += 30 * MS
        data = b"".join(self.socket.inbox.popleft()[1] for _ in range(3))
        for part in (data[:-9], data[-9:]):
            self.socket.service.say(part)
            self.carrier.read(self.net.now_ns)
        heard = self.carrier.ear.heard(0, self.net.now_ns + 1)
        self.assertEqual(heard.sound_ns, 80 * MS)
        self.assertEqual(self.log.tally.errors, {})

    def test_sound_of_another_call(self) -> None:
        """Sound that another call said is an error."""
        self.echoes(3)
        self.carrier.speak(self.net.now_ns)
        self.net.now_ns += 30 * MS
        data = self.socket.inbox.pop()[1]
        owner = self.carrier.voice.owner
        self.socket.service.say(data.replace(owner, b"AAAAAQ"))
        self.carrier.read(self.net.now_ns)
        self.assertEqual(self.log.tally.errors, {"of another call": 1})

    def test_sound_of_its_own(self) -> None:
        """A service may say something else; nothing is compared then."""
        for _ in range(2):
            self.says(
                '{"event": "media", SID, "media": {"payload": "%s"}}' % ("f" * 216)
            )
        self.assertEqual(self.carrier.ear.heard(0, 1).sound_ns, 2 * 162 * 125_000)
        self.assertEqual((self.log.echo_ns, self.log.tally.errors), ([], {}))

    def test_short_sound(self) -> None:
        """A frame too short for a long header is heard all the same."""
        for _ in range(2):
            self.says('{"event": "media", SID, "media": {"payload": "ffff"}}')
        self.assertEqual(self.carrier.ear.heard(0, 1).sound_ns, 2 * 3 * 125_000)

    def test_mark(self) -> None:
        """A mark comes back when the sound before it was played."""
        self.echoes(1)
        self.says('{"event": "mark", SID, "mark": {"name": "m"}}')
        # It came at 30 ms; 60 ms later it plays, 20 ms long.
        self.assertEqual(self.reminders, [110 * MS])
        self.carrier.give_marks_back(110 * MS - 1)
        self.assertNotIn("mark", self.texts())
        self.carrier.give_marks_back(110 * MS)
        self.assertEqual(self.texts()[-1], "mark")
        self.assertEqual(self.log.tally.counts["marks"], 1)

    def test_clear(self) -> None:
        """A clear gives all marks back at once."""
        self.echoes(1)
        self.says('{"event": "mark", SID, "mark": {"name": "m"}}')
        self.says('{"event": "clear", SID}')
        self.assertEqual(self.texts()[-1], "mark")
        self.assertEqual(self.carrier.ear.played_at(1), 1)

    def test_ping(self) -> None:
        """A ping is answered."""
        self.socket.service.ping()
        self.carrier.read(0)
        self.assertEqual(self.socket.service.heard[-1], (PONG, b"hello"))

    def test_nothing_to_read(self) -> None:
        """Being told too often is harmless."""
        self.carrier.read(0)
        self.assertTrue(self.carrier.open)

    def test_service_reads_slowly(self) -> None:
        """What the service does not take is sent later, and not for ever."""
        self.socket.room = 100
        self.carrier.speak(0)
        self.assertNotIn("media", self.texts())
        self.socket.room = 0
        self.carrier.speak(0)
        self.socket.room = None
        self.carrier.speak(0)
        self.assertEqual(self.texts().count("media"), 3)
        self.socket.room = 0
        for _ in range(2000):
            self.carrier.speak(0)
        self.assertGreater(self.log.tally.counts["unsaid"], 500)


class EndingTests(CarrierTestCase):
    """How it ends."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def test_hang_up(self) -> None:
        """It says stop and goodbye, and is gone when the service closes."""
        self.carrier.hang_up()
        self.assertFalse(self.carrier.open)
        self.assertEqual(self.texts()[-1], "stop")
        self.carrier.read(0)
        self.assert_gone()

    def test_hung_up_without_goodbye(self) -> None:
        """A service that only closes the connection is no error then."""
        self.carrier.hang_up()
        self.socket.inbox.clear()
        self.socket.service.say(b"")
        self.carrier.read(0)
        self.assert_gone()

    def test_closed_early(self) -> None:
        """A service that says goodbye first is answered, and an error."""
        self.socket.service.say(server_frame(b"\x03\xe8", CLOSE))
        self.carrier.read(0)
        self.assertEqual(self.socket.service.heard[-1], (CLOSE, b"\x03\xe8"))
        self.assert_gone(closed_early=1)

    def test_lost(self) -> None:
        """So is one that closes or resets the connection; once."""
        for data in (b"reset", b""):
            self.socket.service.say(data)
            self.carrier.read(0)
        self.assert_gone(lost=1)

    def test_protocol(self) -> None:
        """So is one that breaks the protocol."""
        self.socket.service.say(b"\xff\xff")
        self.carrier.read(0)
        self.assert_gone(protocol=1)

    def test_mark_too_late(self) -> None:
        """A mark whose time comes after the goodbye is not given back."""
        self.says('{"event": "mark", SID, "mark": {"name": "m"}}')
        self.carrier.hang_up()
        self.carrier.give_marks_back(MS)
        self.assertNotIn("mark", self.texts())
