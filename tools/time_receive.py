"""Time the short way in against the long one, per media frame; see docs/performance.

Both are timed in the same run, since only their ratio means something elsewhere::

    PYTHONPATH=. python tools/time_receive.py
"""

from __future__ import annotations

import sys
from base64 import b64encode
from timeit import repeat
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport

from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.events import Message
from twistedvoice.web.receive import FastReceive

__all__ = ["main"]

_START = (
    b'{"event":"start","streamSid":"MZ1","start":{"accountSid":"AC1","callSid":"CA1",'
    b'"streamSid":"MZ1","tracks":["inbound"],"customParameters":{},"mediaFormat":'
    b'{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)
_MEDIA = (
    b'{"event":"media","sequenceNumber":"77","media":{"track":"inbound","chunk":"76",'
    b'"timestamp":"1500","payload":"%b"},"streamSid":"MZ1"}' % b64encode(b"\x5a" * 160)
)
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_ROUNDS = 10_000


def main() -> None:
    """Print a line for each step: the long way, the short one, and their ratio."""
    dialect = TwilioDialect()
    dialect.receive(Message(_START, False))
    usual, unusual = Message(_MEDIA, False), Message(b" " + _MEDIA, False)
    _report(
        "reading a media message",
        _microseconds(lambda: dialect.receive(unusual)),
        _microseconds(lambda: dialect.receive(usual)),
    )
    frame = b"\x81\xfe" + len(_MEDIA).to_bytes(2, "big") + bytes(4) + _MEDIA
    ends = [_end(each) for each in (WebSocketServerProtocol, FastReceive)]
    slow, fast = (
        _microseconds(lambda end=end: end.dataReceived(frame)) for end in ends
    )
    _report("taking a WebSocket frame", slow, fast)


def _end(protocol: type[WebSocketServerProtocol]) -> Any:
    end = protocol()
    end.factory = WebSocketServerFactory(reactor=MemoryReactorClock())
    end.factory.setProtocolOptions(maxFramePayloadSize=65_536)
    end.makeConnection(StringTransport())
    end.dataReceived(_UPGRADE)
    return end


def _microseconds(step: Any) -> float:
    """:returns: the best of five, which is the one that was disturbed least."""
    return min(repeat(step, number=_ROUNDS, repeat=5)) / _ROUNDS * 1e6


def _report(name: str, slow: float, fast: float) -> None:
    sys.stdout.write(
        f"{name}: {slow:.1f} us the long way, {fast:.1f} us the short, "
        f"{slow / fast:.1f} times\n"
    )


if __name__ == "__main__":
    main()
