# -*- test-case-name: tests.speech.test_engines -*-
"""The recogniser of an engine process: pocketsphinx, led by grammars.

It decodes while the caller speaks, so that little is left to do at the end. Whoever
asks for the words too early may go on: all that was heard is then decoded again. It
has a few decoders, each some 30 megabytes; speech that finds none waits for one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field

from ..audio import pcm
from ..audio.pcm import Samples
from ..audio.resample import Resampler
from ..formats import AudioFormat

__all__ = ["Ears", "unknown_words"]

#: What the acoustic model was trained with.
_RATE = 16_000
_WARM, _MOST = 2, 6
#: The mean cepstrum of speech on a telephone, measured on the service's prompts and on
#: two voices of flite. Each speech begins with it: the model's own fits a studio, and
#: what the caller before sounded like is no guide either.
_CEPSTRAL_MEAN = "41,29,-29,42,-14,-4,19,-21,19,-3,-4,16,-10"
_DICTIONARY = "en-us/cmudict-en-us.dict"


@define(kw_only=True, eq=False)
class _Listening:
    """One speech of one caller."""

    grammar: str
    sound: AudioFormat
    resampler: Resampler
    samples: list[Samples] = field(factory=list)
    decoder: Any = None
    #: Whether the decoder has come to the end of an utterance.
    is_over: bool = False

    def push(self, samples: Samples) -> None:
        self.decoder.process_raw(samples.tobytes(), False, False)


class Ears:
    """All that is heard by one process."""

    def __init__(self, grammars: Mapping[str, str]) -> None:
        """Load everything; takes seconds. :param grammars: JSGF by name."""
        self._grammars = grammars
        self._free = [self._new_decoder() for _ in range(_WARM)]
        self._made = _WARM
        self._listening: dict[int, _Listening] = {}
        self._waiting: deque[_Listening] = deque()

    def begin(self, job: int, grammar: str, sound: AudioFormat) -> None:
        """Somebody begins to speak."""
        resampler = Resampler(sound.rate, _RATE)
        listening = _Listening(grammar=grammar, sound=sound, resampler=resampler)
        self._listening[job] = listening
        self._waiting.append(listening)
        self._give_decoders()

    def hear(self, job: int, audio: bytes) -> None:
        """More was said."""
        listening = self._listening[job]
        decoded = pcm.decode(audio, listening.sound)
        samples = listening.resampler.process(decoded)
        listening.samples.append(samples)
        if listening.decoder is None:
            return
        if listening.is_over:
            self._decode_from_start(listening)
        elif len(samples):
            listening.push(samples)

    def words(self, job: int) -> str:
        """:returns: what was said so far; empty when nothing was recognised."""
        listening = self._listening[job]
        if listening.decoder is None:
            return ""
        if not listening.is_over:
            listening.decoder.end_utt()
            listening.is_over = True
        found = listening.decoder.hyp()
        return found.hypstr if found else ""

    def close(self, job: int) -> None:
        """The speech is over; its decoder is free for another."""
        listening = self._listening.pop(job)
        if listening.decoder is None:
            self._waiting.remove(listening)
            return
        if not listening.is_over:
            listening.decoder.end_utt()
        self._free.append(listening.decoder)
        self._give_decoders()

    def _give_decoders(self) -> None:
        while self._waiting and (self._free or self._made < _MOST):
            listening = self._waiting.popleft()
            if not self._free:
                self._free.append(self._new_decoder())
                self._made += 1
            listening.decoder = self._free.pop()
            listening.decoder.activate_search(listening.grammar)
            self._decode_from_start(listening)

    def _decode_from_start(self, listening: _Listening) -> None:
        listening.decoder.set_cmn(_CEPSTRAL_MEAN)
        listening.decoder.start_utt()
        listening.is_over = False
        if listening.samples:
            listening.push(np.concatenate(listening.samples))

    def _new_decoder(self) -> Any:
        import pocketsphinx

        model = pocketsphinx.get_model_path
        decoder = pocketsphinx.Decoder(
            samprate=_RATE,
            hmm=model("en-us/en-us"),
            dict=model(_DICTIONARY),
            lm=None,
            # Searching the lattice again finds the same words, 100 ms later.
            bestpath=False,
            loglevel="FATAL",
        )
        for name, text in self._grammars.items():
            decoder.add_jsgf_string(name, text)
        return decoder


def unknown_words(words: Collection[str]) -> set[str]:
    """:returns: those of ``words`` that cannot be recognised; reads a large file."""
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path(_DICTIONARY))
    with path.open(encoding="utf-8") as lines:
        return set(words).difference(line.partition(" ")[0] for line in lines)
