# -*- test-case-name: tests.bench.test_speech -*-
"""What the callers say, made in advance: a frame is two pieces put together.

All calls say the same, so the beginnings of their frames are made once for all; how a
frame ends belongs to its call. In the sound are the number of the frame and that of the
call, which tell, when it comes back, when it was sent and whose it was.
"""

from __future__ import annotations

import random
from base64 import b64encode

from ..formats import FRAME_MS, MULAW_8K
from ..simulator.wire import StreamWriter
from .frames import masked

__all__ = ["NUMBER_CHARS", "Speech", "Voice"]

#: In base64: six bytes that hold the number of the frame, at its beginning.
NUMBER_CHARS = 8
#: Four bytes at its end, which hold the number of the call.
_OWNER_BYTES = 4
_NOISE_BYTES = MULAW_8K.frame_bytes - 6 - _OWNER_BYTES
_ENDING = '%s"},"streamSid":"%s"}'


class Speech:
    """The beginnings of all frames, in order; and how to tell one by its sound."""

    def __init__(self, seed: int = 1) -> None:
        """:param seed: of the noise, which is the same in each run."""
        self._random = random.Random(seed)  # noqa: S311
        self._beginnings: list[bytes] = []
        #: The number of a frame, by the first characters of its payload.
        self.numbers: dict[bytes, int] = {}

    def beginning(self, number: int) -> bytes:
        """:returns: the frame of this number, counted from 0, but for its ending."""
        try:
            return self._beginnings[number]
        except IndexError:
            while len(self._beginnings) <= number:
                self._beginnings.append(self._make(len(self._beginnings)))
            return self._beginnings[number]

    def _make(self, number: int) -> bytes:
        noise = bytes(0x80 | self._random.randrange(0x70) for _ in range(_NOISE_BYTES))
        sound = b64encode(number.to_bytes(6, "big") + noise)
        self.numbers[sound[:NUMBER_CHARS]] = number
        head = (
            f'{{"event":"media","sequenceNumber":"{number + 2}","media":{{"track":'
            f'"inbound","chunk":"{number + 1}","timestamp":"{number * FRAME_MS}",'
            '"payload":"'
        )
        return masked(head.encode("ascii") + sound, following=len(Voice(0).ending))


class Voice:
    """One call's part in what is said."""

    def __init__(self, index: int) -> None:
        self.stream_id = f"MZ{index:032x}"
        self._writer = StreamWriter(
            stream_id=self.stream_id,
            call_id=f"CA{index:032x}",
            account_id=f"AC{7:032x}",
        )
        owner = b64encode(index.to_bytes(_OWNER_BYTES, "big"))
        #: How the payload of its frames ends, but for the padding.
        self.owner = owner.rstrip(b"=")
        #: How its frames end.
        self.ending = (_ENDING % (owner.decode("ascii"), self.stream_id)).encode()

    def hello(self) -> bytes:
        """:returns: the frames before the first sound."""
        first = masked(self._writer.connected().encode("ascii"))
        return first + masked(self._writer.start({}).encode("ascii"))

    def mark(self, name: str) -> bytes:
        """:returns: the frame that gives a mark back."""
        return masked(self._writer.mark(name).encode("utf-8"))

    def farewell(self) -> bytes:
        """:returns: the last frames: ``stop``, and WebSocket's own goodbye."""
        stop = masked(self._writer.stop().encode("ascii"))
        return stop + masked((1000).to_bytes(2, "big"), 8)
