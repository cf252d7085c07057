# -*- test-case-name: tests.speech.test_whispering tests.slow.whisper -*-
"""The free ear of an engine process: a Whisper model, one speech at a time.

It is given a whole speech and writes down what was said in it. The model is a folder
that the operator has; nothing is ever downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..audio import pcm
from ..audio.resample import resample
from ..formats import AudioFormat

__all__ = ["Whisper", "missing_files"]

#: What every model of Whisper was trained with.
_RATE = 16_000
#: Without the tokenizer it would be looked for on the network.
_FILES = ("model.bin", "config.json", "tokenizer.json")


def missing_files(model: Path) -> list[str]:
    """:returns: what the folder of a model lacks."""
    return [name for name in _FILES if not (model / name).is_file()]


class Whisper:
    """One model."""

    def __init__(self, model: str, language: str) -> None:
        """Load it and hear a second of nothing; takes seconds."""
        from faster_whisper import WhisperModel

        self._model = WhisperModel(
            model, device="cpu", compute_type="int8", local_files_only=True
        )
        self._language = language
        "".join(self._pieces(np.zeros(_RATE, np.float32)))

    def words(self, audio: bytes, sound: AudioFormat) -> str:
        """:returns: what is said in ``audio``; empty where that is nothing."""
        samples = resample(pcm.decode(audio, sound), sound.rate, _RATE)
        return "".join(self._pieces((samples / 32768).astype(np.float32))).strip()

    def _pieces(self, samples: npt.NDArray[np.float32]) -> Iterator[str]:
        segments, _ = self._model.transcribe(
            samples,
            language=self._language,
            # The first guess: a caller waits.
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            # What sounds like no speech is none, whatever words were found.
            log_prob_threshold=None,
        )
        return (segment.text for segment in segments)
