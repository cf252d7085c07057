"""Tests for :mod:`twistedvoice.bench.frames`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    masked,
    upgrade,
)

from .net import server_frame, unmasked

_TEXTS = st.lists(st.binary(max_size=300), max_size=5)


class WritingTests(SynchronousTestCase):
    """Frames of a client."""

    def test_masked(self) -> None:
        """A frame is masked, and read as what it was, at each kind of length."""
        for size in (0, 125, 126, 65_535):
            frames, rest = unmasked(masked(b"x" * size, PONG))
            self.assertEqual((frames, rest), ([(PONG, b"x" * size)], b""))

    def test_in_two_pieces(self) -> None:
        """A frame may end with bytes that are put there later."""
        frames, rest = unmasked(masked(b"a" * 120, following=80) + b"b" * 80)
        self.assertEqual((frames, rest), ([(TEXT, b"a" * 120 + b"b" * 80)], b""))

    def test_upgrade(self) -> None:
        """The request names the place, and ends."""
        request = upgrade("127.0.0.1:80", "/twilio/media")
        self.assertTrue(request.startswith(b"GET /twilio/media HTTP/1.1\r\n"))
        self.assertIn(b"\r\nHost: 127.0.0.1:80\r\n", request)
        self.assertTrue(request.endswith(b"\r\n\r\n"))


class ReadingTests(SynchronousTestCase):
    """Frames of a server."""

    @given(_TEXTS, st.lists(st.integers(1, 40), max_size=60))
    def test_cut_anywhere(self, texts: list[bytes], cuts: list[int]) -> None:
        """However the stream is cut, the same messages come out."""
        stream = b"".join(map(server_frame, texts))
        reader, found = FrameReader(), []
        for cut in cuts:
            found += reader.feed(stream[:cut])
            stream = stream[cut:]
        found += reader.feed(stream)
        self.assertEqual(found, [(TEXT, text) for text in texts])
        self.assertEqual(reader.rest, b"")

    def test_fragments(self) -> None:
        """A message in fragments is one, and a ping between them comes first."""
        stream = (
            server_frame(b"a", TEXT, final=False)
            + server_frame(b"?", PING)
            + server_frame(b"b", 0)
            + server_frame(b"", CLOSE)
        )
        found = FrameReader().feed(stream)
        self.assertEqual(found, [(PING, b"?"), (TEXT, b"ab"), (CLOSE, b"")])

    def test_long(self) -> None:
        """A length of eight bytes is read too."""
        stream = b"\x81\x7f" + (70_000).to_bytes(8, "big") + b"x" * 70_000
        self.assertEqual(FrameReader().feed(stream), [(TEXT, b"x" * 70_000)])

    def test_broken(self) -> None:
        """Masked, reserved, out of order, far too long: none is a server's."""
        for stream in (
            masked(b"x"),
            b"\xc1\x00",
            server_frame(b"x", 0),
            server_frame(b"x", final=False) + server_frame(b"y"),
            b"\x81\x7f" + (1 << 40).to_bytes(8, "big"),
        ):
            with self.assertRaises(ValueError):
                FrameReader().feed(stream)
