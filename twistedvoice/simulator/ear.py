# -*- test-case-name: tests.simulator.test_ear -*-
"""Hears when somebody begins and stops to speak.

Loudness decides, so that a service that streams silence is not taken to speak. The
simulated call feeds it what the playout buffer played; the caller's script asks it.
"""

from __future__ import annotations

from ..formats import FRAME_MS, MULAW_8K

__all__ = ["HUSH_MS", "Ear"]

#: So long must it be quiet before speech is over; a breath is shorter.
HUSH_MS = 800
#: So many loud frames in a row begin speech; a click is shorter.
_ONSET_FRAMES = 2
#: A frame is loud when a tenth of its samples are.
_LOUD_SAMPLES = MULAW_8K.frame_bytes // 10
#: The mu-law bytes of samples below about -38 dB of full scale.
_QUIET = bytes(byte for byte in range(256) if ~byte & 0x7F < 0x20)


class Ear:
    """Listens to mu-law sound from time zero on."""

    def __init__(self, hush_ms: int = HUSH_MS) -> None:
        """:param hush_ms: how long it must be quiet before speech is over."""
        self._hush_ms = hush_ms
        #: Whether somebody speaks.
        self.hears_speech = False
        self._unheard = bytearray()
        self._now_ms = 0
        self._loud_frames = 0
        self._last_loud_ms = 0

    def listen(self, sound: bytes) -> list[tuple[int, str]]:
        """
        :param sound: what follows on what was heard before; any length.
        :returns: when speech began or ended, in milliseconds, and which:
            ``speech_started`` or ``speech_ended``.
        """
        turns: list[tuple[int, str]] = []
        self._unheard += sound
        size = MULAW_8K.frame_bytes
        while len(self._unheard) >= size:
            turns += self._frame(bytes(self._unheard[:size]))
            del self._unheard[:size]
        return turns

    def _frame(self, frame: bytes) -> list[tuple[int, str]]:
        self._now_ms += FRAME_MS
        if len(frame.translate(None, _QUIET)) >= _LOUD_SAMPLES:
            return self._loud_frame()
        return self._quiet_frame()

    def _loud_frame(self) -> list[tuple[int, str]]:
        self._last_loud_ms = self._now_ms
        self._loud_frames += 1
        if self.hears_speech or self._loud_frames < _ONSET_FRAMES:
            return []
        self.hears_speech = True
        return [(self._now_ms - self._loud_frames * FRAME_MS, "speech_started")]

    def _quiet_frame(self) -> list[tuple[int, str]]:
        self._loud_frames = 0
        if not self.hears_speech or self._now_ms - self._last_loud_ms < self._hush_ms:
            return []
        self.hears_speech = False
        return [(self._last_loud_ms, "speech_ended")]
