# -*- test-case-name: tests.bench.test_baseline -*-
"""What one would write first: plain Autobahn, ``json``, and a LoopingCall a call.

It says back what it hears, two frames late, at 20 ms a frame. It records nothing,
counts nothing and checks nobody. Figures of the service are worth more as ratios to it,
in the same run on the same machine.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.task import LoopingCall

from ..formats import FRAME_MS

__all__ = ["EchoFactory"]

#: What it waits for before it plays: 40 ms.
_FRAMES_AHEAD = 2


class _Echo(WebSocketServerProtocol):
    """One call."""

    factory: Any

    def onOpen(self) -> None:
        self._stream_id = ""
        self._heard: deque[str] = deque()
        self._pace = LoopingCall(self._play)
        self._pace.clock = self.factory.clock

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        said = json.loads(payload)
        if said["event"] == "start":
            self._stream_id = said["start"]["streamSid"]
        elif said["event"] == "media":
            self._heard.append(said["media"]["payload"])
            if not self._pace.running and len(self._heard) > _FRAMES_AHEAD:
                self._pace.start(FRAME_MS / 1000)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        if self._pace.running:
            self._pace.stop()

    def _play(self) -> None:
        if self._heard and self.state == self.STATE_OPEN:
            media = {
                "event": "media",
                "streamSid": self._stream_id,
                "media": {"payload": self._heard.popleft()},
            }
            self.sendMessage(json.dumps(media).encode("utf-8"))


class EchoFactory(WebSocketServerFactory):
    """Makes the calls."""

    protocol = _Echo

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor=reactor)
        self.clock = reactor
