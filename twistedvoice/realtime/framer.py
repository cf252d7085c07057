# -*- test-case-name: tests.realtime.test_framer -*-
"""Cuts sound of any size into frames of exactly 20 ms.

One framer serves one utterance. Nothing is lost: the frames and the tail together are
what was pushed, byte for byte.
"""

from __future__ import annotations

from ..formats import AudioFormat

__all__ = ["Framer"]


class Framer:
    """A cutter that keeps the bytes that do not fill a frame yet."""

    __slots__ = ("_format", "_size", "tail")

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self._format = format
        self._size = format.frame_bytes
        self.tail = b""

    def push(self, audio: bytes) -> list[bytes]:
        """:returns: every frame that is whole now, in order."""
        size = self._size
        if len(audio) == size and not self.tail and type(audio) is bytes:
            return [audio]  # the usual case of an agent that passes sound on
        if self.tail:
            audio = self.tail + audio
        whole = len(audio) - len(audio) % size
        self.tail = audio[whole:]
        return [audio[start : start + size] for start in range(0, whole, size)]

    def finish(self) -> list[bytes]:
        """:returns: the tail padded with silence to one frame, or nothing."""
        tail, self.tail = self.tail, b""
        # A torn sample would turn the padding into noise.
        tail = tail[: len(tail) - len(tail) % self._format.sample_bytes]
        if not tail:
            return []
        return [tail + self._format.silence(self._size - len(tail))]
