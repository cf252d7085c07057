# -*- test-case-name: tests.agents.cascade.test_sse -*-
"""Server-sent events, cut anywhere."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.sse import EventStream

__all__ = ["EventStreamTests"]

TEXT = (
    ": a comment\n\ndata: one\n\nevent: x\ndata:two\ndata: lines\nid: 7\n\n"
    "data: grüße 🙂\n\ndata\n\ndata: last\n\ndata: not whole\n"
)
EVENTS = ["one", "two\nlines", "grüße 🙂", "", "last"]


def events(data: bytes, size: int) -> list[str]:
    """:returns: the events of ``data`` that comes in pieces of a size."""
    stream, found = EventStream(), list[str]()
    for start in range(0, len(data), size):
        found += stream.feed(data[start : start + size])
    return found


class EventStreamTests(SynchronousTestCase):
    """What a stream says, whatever the network does to it."""

    def test_cut_anywhere(self) -> None:
        """Cuts at any byte, in a character or between CR and LF, change nothing."""
        for end in ("\n", "\r\n", "\r"):
            data = TEXT.replace("\n", end).encode()
            for size in range(1, len(data) + 1):
                self.assertEqual(events(data, size), EVENTS, (end, size))

    def test_two_pieces(self) -> None:
        """The same with one cut, at each place."""
        data = TEXT.replace("\n", "\r\n").encode()
        for cut in range(len(data)):
            stream = EventStream()
            found = stream.feed(data[:cut]) + stream.feed(data[cut:])
            self.assertEqual(found, EVENTS, cut)

    def test_byte_order_mark(self) -> None:
        """A mark at the beginning is no part of the first line."""
        self.assertEqual(events(b"\xef\xbb\xbfdata: a\n\n", 1), ["a"])

    def test_no_utf8(self) -> None:
        """What is no UTF-8 spoils its own characters alone."""
        self.assertEqual(events(b"data: a\xffb\n\n", 3), ["a\ufffdb"])
