"""The short way in takes what Autobahn would have made of it, and nothing else."""

from __future__ import annotations

from struct import pack
from typing import Any

import numpy as np
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.web.receive import FastReceive, pure_take_text

_MOST_BYTES = 2_000

_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(
    payload: bytes,
    first: int = 0x81,
    mask: bytes | None = b"\x0f\xa5\x00\xff",
    length_bytes: int = 0,
) -> bytes:
    """:returns: a frame, byte by byte as RFC 6455 says; also ones that it forbids."""
    size = len(payload)
    marked = 0x80 if mask is not None else 0
    if length_bytes == 0 or size >= 65_536:
        length_bytes = 1 if size < 126 else 2 if size < 65_536 else 8
    if length_bytes == 1:
        head = pack("!BB", first, marked | min(size, 125))
    elif length_bytes == 2:
        head = pack("!BBH", first, marked | 126, size)
    else:
        head = pack("!BBQ", first, marked | 127, size)
    if mask is None:
        return head + payload
    key = np.resize(np.frombuffer(mask, np.uint8), size)
    return head + mask + (np.frombuffer(payload, np.uint8) ^ key).tobytes()


class _End:
    """One server's end, and everything that became of what it was fed."""

    def __init__(self, protocol: type[WebSocketServerProtocol]) -> None:
        events: list[tuple[Any, ...]] = []

        class Recorded(protocol):  # type: ignore[misc, valid-type]
            def onMessage(self, payload: bytes, isBinary: bool) -> None:
                events.append(("message", payload, isBinary))
                if payload == b"close":
                    self.sendClose(1000, "as told")

            def onClose(self, wasClean: bool, code: int, reason: str) -> None:
                events.append(("closed", wasClean, code, reason))

        factory = WebSocketServerFactory(reactor=MemoryReactorClock())
        factory.setProtocolOptions(
            maxFramePayloadSize=_MOST_BYTES,
            maxMessagePayloadSize=_MOST_BYTES,
            failByDrop=False,
            # Autobahn would time it by the global reactor, and leave the timer there.
            closeHandshakeTimeout=0,
        )
        self.events = events
        self.protocol = Recorded()
        self.protocol.factory = factory
        self.transport = StringTransport()
        self.transport.registerProducer(object(), True)
        self.protocol.makeConnection(self.transport)
        self.protocol.dataReceived(_HANDSHAKE)
        self.transport.clear()

    def feed(self, data: bytes, cuts: list[int]) -> None:
        """Receive ``data`` in pieces, then lose the connection."""
        places = sorted({cut % (len(data) + 1) for cut in cuts})
        for start, end in zip([0, *places], [*places, len(data)], strict=True):
            if end > start and not self.transport.disconnecting:
                self.protocol.dataReceived(data[start:end])
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def outcome(self) -> tuple[object, ...]:
        """:returns: what was told, what was answered, and whether it was cut off."""
        answered = self.transport.value()
        return self.events, answered, self.transport.disconnecting


_masks = st.one_of(st.binary(min_size=4, max_size=4), st.just(bytes(4)))
_texts = st.one_of(
    st.text(alphabet=st.characters(max_codepoint=127), max_size=400),
    st.text(max_size=60),
    st.just("close"),
).map(str.encode)
_payloads = st.one_of(
    _texts,
    st.binary(max_size=200),
    st.integers(120, 130).map(lambda size: b"x" * size),
    st.integers(_MOST_BYTES - 2, _MOST_BYTES + 2).map(lambda size: b"y" * size),
    st.integers(65_535, 65_537).map(lambda size: b"z" * size),
)
_usual = st.builds(frame, _texts, mask=_masks)
_any_frame = st.builds(
    frame,
    _payloads,
    first=st.one_of(
        st.sampled_from([0x81, 0x01, 0x80, 0x00, 0x82, 0x88, 0x89, 0x8A, 0xC1]),
        st.integers(0, 255),
    ),
    mask=st.one_of(_masks, st.none()),
    length_bytes=st.sampled_from([0, 0, 0, 2, 8]),
)
_traffic = st.lists(
    st.one_of(_usual, _usual, _usual, _any_frame, st.binary(max_size=20)), max_size=8
).map(b"".join)


class EquivalenceTests(SynchronousTestCase):
    """Autobahn is the oracle."""

    @settings(max_examples=250)
    @given(_traffic, st.lists(st.integers(0, 100_000), max_size=6))
    def test_any_bytes_in_any_cut(self, data: bytes, cuts: list[int]) -> None:
        """The same messages, answers and closes come of any bytes, however cut."""
        ours, oracle = _End(FastReceive), _End(WebSocketServerProtocol)
        ours.feed(data, cuts)
        oracle.feed(data, cuts)
        self.assertEqual(ours.outcome(), oracle.outcome())

    def test_both_ways_are_taken(self) -> None:
        """Usual frames do not reach Autobahn's engine; others among them do."""
        end = _End(FastReceive)
        end.protocol.dataReceived(frame(b"one") + frame(b"two") + frame(b"!", 0x82))
        self.assertEqual(
            end.events,
            [("message", b"one", False), ("message", b"two", False),
             ("message", b"!", True)],
        )  # fmt: skip
        self.assertEqual(end.protocol.trafficStats.incomingWebSocketMessages, 1)

    def test_way_back(self) -> None:
        """Only a frame that came in two reads goes the long way, wherever it is cut."""
        one, two = frame(b"one"), frame(b"two" * 60)
        for cut in range(1, len(two)):
            end = _End(FastReceive)
            end.protocol.dataReceived(one + two[:cut])
            end.protocol.dataReceived(two[cut:] + one + one)
            texts = [payload for _, payload, _ in end.events]
            self.assertEqual(texts, [b"one", b"two" * 60, b"one", b"one"])
            stats = end.protocol.trafficStats
            self.assertLessEqual(stats.incomingWebSocketMessages, 1)

    def test_traffic_is_as_good_as_a_pong(self) -> None:
        """A peer whose sound arrives is not given up for a missing pong."""
        end = _End(FastReceive)
        protocol, clock = end.protocol, end.protocol.factory.reactor
        protocol.autoPingInterval, protocol.autoPingTimeout = 20, 15
        protocol._sendAutoPing()
        clock.pump([10, 0])
        protocol.dataReceived(frame(b"sound"))
        clock.pump([8, 0])
        self.assertFalse(end.transport.disconnecting)
        protocol.connectionLost(Failure(ConnectionDone()))


class TakeTextTests(SynchronousTestCase):
    """One frame, or nothing."""

    @given(_texts, _masks, st.binary(max_size=5), st.binary(max_size=5))
    def test_takes_ascii(
        self, text: bytes, mask: bytes, before: bytes, after: bytes
    ) -> None:
        """A whole frame is taken from its place; what stands around is not read."""
        data = before + frame(text, mask=mask) + after
        taken = pure_take_text(data, len(before), _MOST_BYTES)
        if text and text.isascii():
            self.assertEqual(taken, (text, len(data) - len(after)))
        else:
            self.assertEqual(taken, (b"", len(before)))

    @given(st.integers(1, 300))
    def test_part_of_a_frame(self, size: int) -> None:
        """A frame that is not whole yet is left alone, wherever it ends."""
        whole = frame(b"t" * size)
        for end in range(len(whole)):
            self.assertEqual(pure_take_text(whole[:end], 0, _MOST_BYTES), (b"", 0))
