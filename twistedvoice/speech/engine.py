# -*- test-case-name: tests.speech.test_engines -*-
"""``python -m twistedvoice.speech.engine ROLE``: one engine process.

Started by :mod:`.pool` for a service and not by people. It does what comes over its
standard input and ends with it, so it never outlives its service; a signal that is
meant for the service does not end it while calls still need it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ..formats import AudioFormat
from .hearing import Ears
from .speaking import Mouth
from .whispering import Whisper
from .wire import Message, Unpacker, pack

__all__ = ["main"]

#: Beside the service, which has to be on time.
_NICE = 5

_Take = Callable[[Message], Iterator[bytes]]


def main(role: str) -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    messages = _messages()
    take = _ROLES[role](json.loads(next(messages).body))
    _write(pack(b"R", 0))
    for message in messages:
        for answer in take(message):
            _write(answer)


def _hearing(set_up: Any) -> _Take:
    ears = Ears(set_up)

    def take(message: Message) -> Iterator[bytes]:
        kind, job, body = message
        if kind == b"B":
            wanted = json.loads(body)
            ears.begin(job, wanted["grammar"], _format(wanted))
        elif kind == b"A":
            ears.hear(job, body)
        elif kind == b"W":
            yield pack(b"W", job, ears.words(job).encode())
        elif kind == b"C":
            ears.close(job)

    return take


def _transcribing(set_up: Any) -> _Take:
    whisper = Whisper(**set_up)
    heard: dict[int, tuple[AudioFormat, bytearray]] = {}

    def take(message: Message) -> Iterator[bytes]:
        kind, job, body = message
        if kind == b"B":
            heard[job] = (_format(json.loads(body)), bytearray())
        elif kind == b"A":
            heard[job][1].extend(body)
        elif kind == b"W":
            sound, audio = heard[job]
            yield pack(b"W", job, whisper.words(bytes(audio), sound).encode())
        elif kind == b"C":
            del heard[job]

    return take


def _speaking(set_up: Any) -> _Take:
    mouth = Mouth()

    def take(message: Message) -> Iterator[bytes]:
        kind, job, body = message
        if kind == b"B":
            wanted = json.loads(body)
            for piece in mouth.speak(wanted["text"], _format(wanted)):
                yield pack(b"A", job, piece)
            yield pack(b"D", job)

    return take


def _format(wanted: Any) -> AudioFormat:
    return AudioFormat(wanted["encoding"], wanted["rate"])


def _messages() -> Iterator[Message]:
    unpacker = Unpacker()
    while data := os.read(0, 1 << 16):
        yield from unpacker.feed(data)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


_ROLES: dict[str, Callable[[Any], _Take]] = {
    "hear": _hearing,
    "speak": _speaking,
    "transcribe": _transcribing,
}

if __name__ == "__main__":
    main(sys.argv[1])
