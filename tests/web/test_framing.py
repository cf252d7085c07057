"""Tests of ``twistedvoice.web.framing``."""

from __future__ import annotations

from struct import unpack

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.events import Message
from twistedvoice.web.framing import frame_message, mask_message, take_message

__all__ = ["FramingTests"]

#: Where the form of the length changes, and what is near.
EDGES = (0, 1, 125, 126, 127, 65535, 65536, 65537)


def read_frames(data: bytes, *, masked: bool = False) -> list[Message]:
    """
    Read frames by the figure in section 5.2 of RFC 6455.

    :param masked: whether they are a client's; a server masks nothing.
    :returns: the message of each; anything but whole, plain messages is an error.
    """
    messages = []
    while data:
        first, second = data[0], data[1]
        assert first & 0x80, "FIN is not set"
        assert not first & 0x70, "a reserved bit is set"
        opcode, length, start = first & 0x0F, second & 0x7F, 2
        assert opcode in (1, 2), "neither text nor binary"
        assert bool(second & 0x80) is masked, "wrongly masked"
        if length == 126:
            [length] = unpack("!H", data[2:4])
            start = 4
            assert length > 125, "not the shortest form"
        elif length == 127:
            [length] = unpack("!Q", data[2:10])
            start = 10
            assert length > 65535, "not the shortest form"
        key, start = (data[start : start + 4], start + 4) if masked else (b"", start)
        assert len(data) >= start + length, "cut off"
        body = data[start : start + length]
        if masked:
            body = bytes(byte ^ key[n % 4] for n, byte in enumerate(body))
        messages.append(Message(body, opcode == 2))
        data = data[start + length :]
    return messages


class FramingTests(SynchronousTestCase):
    """A message becomes one frame that any WebSocket client reads."""

    def test_every_form_of_the_length(self) -> None:
        """The length is written in its shortest form on both sides of each edge."""
        for size in EDGES:
            for binary in (False, True):
                message = Message(b"x" * size, binary)
                self.assertEqual(read_frames(frame_message(message)), [message])

    def test_masked(self) -> None:
        """A client's frame is masked with the key that it carries."""
        for size in EDGES:
            message = Message(bytes(range(256)) * (size // 256 + 1), False)
            message = Message(message.data[:size], size % 2 == 0)
            wire = mask_message(message, b"\x11\x99\xfe\x00")
            self.assertEqual(read_frames(wire, masked=True), [message])

    @given(
        st.lists(
            st.tuples(st.sampled_from(EDGES) | st.integers(0, 70_000), st.booleans()),
            max_size=4,
        )
    )
    def test_frames_in_a_row(self, wanted: list[tuple[int, bool]]) -> None:
        """Frames written one after the other are read as the same messages."""
        messages = [Message(b"y" * size, binary) for size, binary in wanted]
        wire = b"".join(map(frame_message, messages))
        self.assertEqual(read_frames(wire), messages)

    @given(st.lists(st.integers(0, 70_000), max_size=4), st.booleans(), st.integers(0))
    def test_taken(self, sizes: list[int], binary: bool, cut: int) -> None:
        """Whole messages are taken in order, up to one that is cut off, or long."""
        messages = [Message(b"y" * size, binary) for size in sizes]
        wires = [frame_message(message) for message in messages]
        wire = b"".join(wires)
        wire = wire[: len(wire) - cut % (len(wire) + 1)]
        start = 0
        for message, whole in zip(messages, wires, strict=True):
            taken, end = take_message(wire, start)
            usual = len(message.data) < 65536 and start + len(whole) <= len(wire)
            self.assertEqual(taken, message if usual else None)
            self.assertEqual(end, start + usual * len(whole))
            if not usual:
                return
            start = end
        self.assertEqual(take_message(wire, start), (None, start))

    def test_not_taken(self) -> None:
        """What is unusual, or wrong, is left for Autobahn to judge."""
        usual = frame_message(Message(b"abc", False))
        self.assertEqual(take_message(usual, 0), (Message(b"abc", False), 5))
        unusual = {
            "a beginning": b"\x01" + usual[1:],
            "a ping": b"\x89" + usual[1:],
            "a reserved bit": b"\xc1" + usual[1:],
            "masked": mask_message(Message(b"abc", False), b"\1\2\3\4"),
            "not ASCII": frame_message(Message("für".encode(), False)),
            "not the shortest form": b"\x81\x7e\x00\x03abc",
        }
        for what, wire in unusual.items():
            self.assertEqual(take_message(wire, 0), (None, 0), what)
