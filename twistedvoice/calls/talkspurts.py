# -*- test-case-name: tests.calls.test_talkspurts -*-
"""Hears the caller's talkspurts: when speech begins and ends, with no agent to say so.

Loudness decides. It looks at every frame of a call, so all it does for one is to count
its loud bytes; it reads the clock only when speech begins or ends. It is made for
figures: an agent that must not mistake a cough for a word needs a better ear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..audio import pcm
from ..formats import ALAW_8K, FRAME_MS, MULAW_8K, AudioFormat

__all__ = ["HANGOVER_MS", "Hearer", "Talkspurts"]

#: Speech is over when it has been quiet so long; the pauses in a sentence are shorter.
HANGOVER_MS = 260
#: So many loud frames in a row begin speech; three may be a cough [BI-3].
_ONSET_FRAMES = 4
#: A frame is loud when more than one in so many of its samples is.
_LOUD_SHARE = 10
#: About -38 dB of full scale.
_QUIET_BELOW = 396


class Hearer(Protocol):
    """Who is told; times are on the schedule's clock."""

    def speech_began(self, at_us: int) -> None:
        """The caller speaks since then."""

    def speech_ended(self, at_us: int) -> None:
        """The last sound of what the caller said had come by then."""


class Talkspurts:
    """When the caller of one call speaks: its talkspurts, breaths in them included."""

    __slots__ = (
        "_first_ms", "_hearer", "_last_ms", "_loud_frames", "_now_us", "_quiet",
        "_speaks", "_wide",
    )  # fmt: skip

    def __init__(
        self,
        format: AudioFormat,  # noqa: A002
        now_us: Callable[[], int],
        hearer: Hearer,
    ) -> None:
        self._now_us = now_us
        self._hearer = hearer
        self._quiet = _QUIET[format.encoding]
        self._wide = format.sample_bytes == 2
        self._speaks = False
        self._loud_frames = 0
        #: Where the first frame of what may be speech, and the last loud one, began.
        self._first_ms = self._last_ms = 0

    def listen(self, payload: bytes, timestamp_ms: int) -> None:
        """
        Take the next frame of the caller's sound.

        :param timestamp_ms: when it began, on the carrier's clock.
        """
        if self._speaks and timestamp_ms - self._last_ms > HANGOVER_MS:
            self._speaks = False
            self._hearer.speech_ended(self._came_us(self._last_ms, timestamp_ms))
        tops = payload[1::2] if self._wide else payload
        if len(tops.translate(None, self._quiet)) * _LOUD_SHARE <= len(tops):
            self._loud_frames = 0
            return
        self._last_ms = timestamp_ms
        if not self._speaks:
            self._begin(timestamp_ms)

    def _begin(self, timestamp_ms: int) -> None:
        if not self._loud_frames:
            self._first_ms = timestamp_ms
        self._loud_frames += 1
        if self._loud_frames >= _ONSET_FRAMES:
            self._speaks = True
            self._loud_frames = 0
            began_ms = self._first_ms - FRAME_MS
            self._hearer.speech_began(self._came_us(began_ms, timestamp_ms))

    def _came_us(self, then_ms: int, timestamp_ms: int) -> int:
        """:returns: when the sound of ``then_ms`` came, if this one comes now."""
        return self._now_us() - (timestamp_ms - then_ms) * 1000


def _quiet_bytes(format: AudioFormat) -> bytes:  # noqa: A002
    samples = pcm.decode(bytes(range(256)), format)
    return bytes(
        byte for byte, sample in enumerate(samples) if abs(sample) < _QUIET_BELOW
    )


#: The bytes of quiet samples; of a wide one the upper byte alone is looked at.
_QUIET = {
    "mulaw": _quiet_bytes(MULAW_8K),
    "alaw": _quiet_bytes(ALAW_8K),
    "l16": b"\x00\x01\xfe\xff",
}
