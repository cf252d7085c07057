"""Tests for :mod:`twistedvoice.bench.usual`."""

from __future__ import annotations

import json
from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.usual import UsualFrame

from .net import server_frame


def message(sound: bytes, **more: str) -> bytes:
    """:returns: a message with this sound."""
    payload = b64encode(sound).decode("ascii")
    said = {"event": "media", "streamSid": "MZ1", "media": {"payload": payload}, **more}
    return json.dumps(said).encode("ascii")


class UsualFrameTests(SynchronousTestCase):
    """What is like the first."""

    def setUp(self) -> None:
        self.first = message(b"a" * 160)
        learned = UsualFrame.learned(self.first, 160)
        assert learned is not None
        self.usual = learned

    def test_alike(self) -> None:
        """A frame with other sound is one, wherever it stands, and gives its sound."""
        sound = b"b" * 160
        data = b"xx" + server_frame(message(sound)) + b"yy"
        self.assertTrue(self.usual.is_at(data, 2))
        payload = self.usual.payload(data, 2)
        self.assertEqual(payload, b64encode(sound).rstrip(b"="))
        self.assertEqual(self.usual.size, len(data) - 4)

    def test_unlike(self) -> None:
        """One that is longer, not whole, or has anything else in it, is not."""
        self.assertTrue(self.usual.is_at(server_frame(self.first), 0))
        for data in (
            server_frame(message(b"a" * 161)),
            server_frame(message(b"a" * 320)),
            server_frame(self.first)[:-1],
            server_frame(self.first.replace(b"MZ1", b"MZ2")),
            server_frame(self.first, 2),
            server_frame(self.first, final=False),
            server_frame(message(b"a" * 160, x="y")),
        ):
            self.assertFalse(self.usual.is_at(data, 0))

    def test_short(self) -> None:
        """From a short message nothing is learned."""
        self.assertIsNone(UsualFrame.learned(message(b"a" * 3), 3))
