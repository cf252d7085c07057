"""Tests for :mod:`twistedvoice.bench.baseline`."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.baseline import EchoFactory
from twistedvoice.bench.frames import TEXT, FrameReader, upgrade
from twistedvoice.bench.speech import Speech, Voice
from twistedvoice.simulator.wire import Media, read


class _Wire(StringTransport):
    """A transport that does not mind to be left by a producer it never had."""

    def unregisterProducer(self) -> None:
        pass


class EchoTests(SynchronousTestCase):
    """One call to the baseline."""

    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        factory: Any = EchoFactory(self.clock)
        self.echo = factory.buildProtocol(None)
        self.wire = _Wire()
        self.echo.makeConnection(self.wire)
        self.echo.dataReceived(upgrade("127.0.0.1", "/"))
        self.assertTrue(self.wire.value().startswith(b"HTTP/1.1 101 "))
        self.wire.clear()
        self.voice, self.speech = Voice(1), Speech()
        self.echo.dataReceived(self.voice.hello())

    def say(self, *numbers: int) -> None:
        """Send these frames."""
        for number in numbers:
            self.echo.dataReceived(self.speech.beginning(number) + self.voice.ending)

    def heard(self) -> list[int]:
        """:returns: the numbers of the frames that came back since the last time."""
        messages = FrameReader().feed(self.wire.value())
        self.wire.clear()
        found = []
        for opcode, text in messages:
            media = read(text, self.voice.stream_id)
            assert opcode == TEXT and isinstance(media, Media)
            found.append(self.speech.numbers[b64encode(media.payload)[:8]])
        return found

    def test_echo(self) -> None:
        """It waits for three frames, and then says one back every 20 ms."""
        self.say(0, 1)
        self.clock.advance(0.1)
        self.assertEqual(self.heard(), [])
        self.say(2)
        self.assertEqual(self.heard(), [0])
        self.clock.pump([0.02, 0.02, 0.02])
        self.assertEqual(self.heard(), [1, 2])

    def test_end(self) -> None:
        """It stops with its call."""
        self.say(0, 1, 2)
        self.echo.dataReceived(self.voice.farewell())
        self.echo.connectionLost()
        self.assertFalse(self.echo._pace.running)

    def test_end_before_sound(self) -> None:
        """A call that said nothing ends too."""
        self.echo.dataReceived(self.voice.farewell())
        self.echo.connectionLost()
        self.assertFalse(self.echo._pace.running)
