# -*- test-case-name: tests.speech.test_wire -*-
"""Tests of the messages between the service and its engines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.speech.wire import Message, Unpacker, pack

_messages = st.builds(
    Message, st.sampled_from([b"A", b"W"]), st.integers(0, 2**32 - 1), st.binary()
)


class WireTests(SynchronousTestCase):
    """Messages through a pipe."""

    @given(st.lists(_messages, max_size=5), st.integers(1, 50))
    def test_any_pieces(self, messages: list[Message], size: int) -> None:
        """Messages come out as they went in, however the pipe cuts them."""
        data = b"".join(pack(*message) for message in messages)
        unpacker = Unpacker()
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        found = [message for piece in pieces for message in unpacker.feed(piece)]
        self.assertEqual(found, messages)
