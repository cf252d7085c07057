# -*- test-case-name: tests.bench.test_micro -*-
"""How long one frame takes on its way in and out, each way against another.

Both ways are timed in turns in the same run, since only their ratio means something
elsewhere. The tick sends one frame, into nothing and into the kernel; the way in is the
short one of the service against Autobahn's engine and against JSON. What the search for
the caller's speech costs comes on top.
"""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median
from timeit import timeit
from typing import Any

from attrs import frozen
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport

from ..calls.latency import Latencies, Waits
from ..calls.talkspurts import Talkspurts
from ..carriers.twilio.dialect import TwilioDialect
from ..events import Message
from ..formats import FRAME_US
from ..realtime.spoken import Spoken
from ..realtime.stream import OutgoingStream
from ..realtime.tracks import Tracks
from ..table import Table
from ..web.framing import frame_message
from ..web.receive import FastReceive

__all__ = ["Timed", "micro_table", "timed"]

_START = (
    b'{"event":"start","streamSid":"MZ1","start":{"accountSid":"AC1","callSid":"CA1",'
    b'"streamSid":"MZ1","tracks":["inbound"],"customParameters":{},"mediaFormat":'
    b'{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)
_SOUND, _SILENCE = b"\x5a" * 160, b"\xff" * 160
_MEDIA = (
    b'{"event":"media","sequenceNumber":"77","media":{"track":"inbound","chunk":"76",'
    b'"timestamp":"1500","payload":"%b"},"streamSid":"MZ1"}' % b64encode(_SOUND)
)
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

Step = Callable[[], object]


@frozen(kw_only=True)
class Timed:
    """One step, done in two ways; microseconds."""

    name: str
    #: The way that is compared with, and the other.
    base: str
    base_us: tuple[float, ...]
    other: str
    other_us: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times longer the base takes, by the medians."""
        return median(self.base_us) / median(self.other_us)


def timed(rounds: int = 5_000, repeats: int = 7) -> list[Timed]:
    """
    Time every step.

    :param repeats: how often each way is timed, in turns with the other.
    """
    with ExitStack() as stack:
        return [_compare(name, ways, rounds, repeats) for name, ways in _steps(stack)]


def _compare(name: str, ways: dict[str, Step], rounds: int, repeats: int) -> Timed:
    base, other = ways
    times: dict[str, list[float]] = {base: [], other: []}
    for _ in range(repeats):
        for way, step in ways.items():
            times[way].append(timeit(step, number=rounds) / rounds * 1e6)
    return Timed(
        name=name,
        base=base,
        base_us=tuple(times[base]),
        other=other,
        other_us=tuple(times[other]),
    )


def micro_table(found: list[Timed]) -> Table:
    """:returns: a row for each step: medians, and the best of each."""
    return Table(
        title="One frame, us: median (best)",
        columns=("step", "one way", "us", "the other", "us", "ratio"),
        rows=tuple(
            (
                *(each.name, each.base, _times(each.base_us)),
                *(each.other, _times(each.other_us), f"{each.ratio:.1f}"),
            )
            for each in found
        ),
    )


def _times(times: tuple[float, ...]) -> str:
    return f"{median(times):.2f} ({min(times):.2f})"


def _steps(stack: ExitStack) -> Iterator[tuple[str, dict[str, Step]]]:
    dialect = TwilioDialect()
    dialect.receive(Message(_START, False))
    usual, unusual = Message(_MEDIA, False), Message(b" " + _MEDIA, False)
    yield (
        "reading a media message",
        {
            "JSON": lambda: dialect.receive(unusual),
            "the short way": lambda: dialect.receive(usual),
        },
    )
    frame = b"\x81\xfe" + len(_MEDIA).to_bytes(2, "big") + b"\x21\x43\x65\x87"
    frame += bytes(a ^ b for a, b in zip(_MEDIA, frame[4:] * 128, strict=False))
    autobahn, ours = _end(WebSocketServerProtocol), _end(FastReceive)
    yield (
        "taking a WebSocket frame",
        {
            "Autobahn": lambda: autobahn.dataReceived(frame),
            "the short way": lambda: ours.dataReceived(frame),
        },
    )
    speech = Talkspurts(dialect.format, lambda: 0, Waits(Latencies()))
    yield (
        "listening for speech",
        {
            "in sound": lambda: speech.listen(_SOUND, 1500),
            "in silence": lambda: speech.listen(_SILENCE, 1500),
        },
    )
    near, far = (stack.enter_context(each) for each in socket.socketpair())
    yield (
        "a tick that sends a frame",
        {
            "into the kernel": _ticks(
                _Wire(lambda wire: near.send(wire) and far.recv(4096))
            ),
            "into nothing": _ticks(_Wire(lambda wire: None)),
        },
    )


def _end(protocol: type[WebSocketServerProtocol]) -> Any:
    end = protocol()
    end.factory = WebSocketServerFactory(reactor=MemoryReactorClock())
    end.factory.setProtocolOptions(maxFramePayloadSize=65_536)
    end.makeConnection(StringTransport())
    end.dataReceived(_UPGRADE)
    return end


class _Wire:
    """A transport that is always ready."""

    writable = True

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write: Any = write

    def frame(self, message: Message) -> bytes:
        return frame_message(message)

    def close(self, reason: str) -> None:
        raise AssertionError("nobody closes it")


def _ticks(wire: _Wire) -> Step:
    """:returns: a tick of a stream in which a frame always waits and is due."""
    dialect = TwilioDialect()
    dialect.receive(Message(_START, False))
    tracks = Tracks(dialect.format)
    stream = OutgoingStream(wire, dialect, tracks, FRAME_US)
    stream.open(0)
    spoken = Spoken(stream.generation)
    now_us = 0

    def tick() -> None:
        nonlocal now_us
        if not stream.waiting:
            tracks.played.take()
            for _ in range(500):
                stream.queue_frame(_SOUND, spoken)
        now_us += FRAME_US
        stream.tick(now_us)

    return tick
