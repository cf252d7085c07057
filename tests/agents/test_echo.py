# -*- test-case-name: tests.agents.test_echo -*-
"""The echo says back what it hears, whatever happens to the line."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.echo import Echo
from twistedvoice.errors import ConfigError
from twistedvoice.testing import FakeCall

SECOND = b"\x12" * 8000


class EchoTests(SynchronousTestCase):
    """What the caller hears of the echo."""

    def setUp(self) -> None:
        self.call = FakeCall(Echo())
        self.call.start()

    def test_says_back(self) -> None:
        """The caller hears exactly what the caller said."""
        self.call.hear(b"".join(bytes([n]) * 160 for n in range(50)))
        self.call.advance(0.3)
        self.assertEqual(self.call.heard, b"".join(bytes([n]) * 160 for n in range(50)))

    def test_cushion(self) -> None:
        """The first 160 ms go back together, each later frame when it has come."""
        said = []
        for _ in range(10):
            self.call.agent.audio_heard(b"\x12" * 160, 0)
            said.append(len(self.call.said) // 160)
        self.assertEqual(said, [0] * 7 + [8, 9, 10])

    def test_digits(self) -> None:
        """Keys are nothing to an echo."""
        self.call.press("123#")
        self.assertEqual((self.call.said, self.call.events), (b"", []))

    def test_goes_on_after_interrupt(self) -> None:
        """An echo that was silenced says back what comes next."""
        self.call.hear(SECOND)
        self.call.interrupt("operator")
        self.call.hear(b"\x34" * 160 * 7)
        self.assertFalse(self.call.said.endswith(b"\x34" * 160))
        self.call.hear(b"\x34" * 160)
        self.assertTrue(self.call.said.endswith(b"\x34" * 1280))

    def test_full_queue(self) -> None:
        """What the line does not take any more is dropped, and the call goes on."""
        for _ in range(400):
            self.call.agent.audio_heard(SECOND, 0)
        self.assertFalse(self.call.ended)
        self.call.advance(10)
        said = len(self.call.said)
        self.call.agent.audio_heard(SECOND, 0)
        self.assertEqual(len(self.call.said), said + 8000)

    def test_settings(self) -> None:
        """An echo has no settings."""
        self.assertRaises(ConfigError, Echo.configure, {"gain": 2}, Path())
