# -*- test-case-name: tests.agents.test_voicing -*-
"""The sentences of a dialogue as sound.

What is always the same is synthesised once, before calls come, and kept on disk under
a hash of the text and the voice; the rest is synthesised when it is said. Shared by
all calls of an agent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from ..audio import pcm
from ..audio.resample import resample
from ..formats import MULAW_8K, AudioFormat
from ..speech.engines import Engines
from ..speech.speaking import VOICE

__all__ = ["Voicing"]


class Voicing:
    """Says sentences; has those that never change ready."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._ready: dict[AudioFormat, dict[str, bytes]] = {MULAW_8K: {}}

    async def prepare(
        self,
        texts: Iterable[str],
        cache: Path | None,
        defer_to_thread: Callable[..., Deferred[Any]],
    ) -> None:
        """
        Make ``texts`` ready, which takes a tenth of a second for each that is new.

        :param cache: where sound is kept; None keeps nothing.
        :raises EngineError: when it cannot be synthesised.
        """
        for text in texts:
            path = None if cache is None else cache / f"{_name(text)}.ulaw"
            sound = b"" if path is None else await defer_to_thread(_read, path)
            if not sound:
                pieces: list[bytes] = []
                await self._engines.speak(text, MULAW_8K, pieces.append)
                sound = b"".join(pieces)
                if path is not None:
                    await defer_to_thread(_keep, path, sound)
            self._ready[MULAW_8K][text] = sound

    def ready(self, text: str, sound: AudioFormat) -> bytes | None:
        """:returns: ``text`` as sound, or None when it must be synthesised."""
        if sound not in self._ready:
            plain = self._ready[MULAW_8K].items()
            self._ready[sound] = {text: _converted(each, sound) for text, each in plain}
        return self._ready[sound].get(text)

    def speak(
        self, text: str, sound: AudioFormat, heard: Callable[[bytes], object]
    ) -> Deferred[None]:
        """See :meth:`twistedvoice.speech.engines.Engines.speak`."""
        return self._engines.speak(text, sound, heard)


def _name(text: str) -> str:
    return sha256(f"{VOICE}\n{text}".encode()).hexdigest()[:32]


def _read(path: Path) -> bytes:
    """:returns: what is kept there; nothing when that cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _keep(path: Path, sound: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_bytes(sound)
    part.replace(path)  # another process may write the same


def _converted(sound: bytes, into: AudioFormat) -> bytes:
    samples = pcm.decode(sound, MULAW_8K)
    return pcm.encode(resample(samples, MULAW_8K.rate, into.rate), into)
