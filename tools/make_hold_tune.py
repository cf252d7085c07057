"""Play the tune that callers hear while they are on hold again.

Not part of the service. The tune is computed from nothing but the notes below, so it is
nobody's but ours; it needs numpy alone::

    python tools/make_hold_tune.py

It writes the WAV file where the package ships it: 16-bit mono at 8 kHz, its level that
of the sample prompts. The end of each note rings into the beginning of the file, so
that the tune can be repeated without a seam.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["main", "tune"]

Samples = npt.NDArray[np.float64]

RATE = 8000
PATH = Path(__file__).parent.parent / "twistedvoice/agents/prompts/hold.wav"

#: Seconds from one note to the next, and how fast a note dies away.
STEP, DECAY = 0.3125, 0.9
#: Four bars of eight notes, in semitones above the lowest: a broken chord each.
BARS = (
    (0, 7, 12, 16, 19, 16, 12, 7),
    (-3, 4, 9, 12, 16, 12, 9, 4),
    (-7, 0, 5, 9, 12, 9, 5, 0),
    (-5, 2, 7, 11, 14, 11, 7, 5),
)
LOWEST_HERTZ = 261.63
#: Overtones and how loud they are: something between a harp and a musical box.
OVERTONES = {1: 1.0, 2: 0.35, 3: 0.12, 4: 0.05}


def tune() -> npt.NDArray[np.int16]:
    """:returns: the samples of the tune: ten seconds."""
    notes = [note for bar in BARS for note in bar]
    samples = np.zeros(round(len(notes) * STEP * RATE))
    for place, semitones in enumerate(notes):
        start = round(place * STEP * RATE)
        sound = plucked(LOWEST_HERTZ * 2 ** (semitones / 12))
        # What rings on after the end goes to the beginning.
        np.add.at(samples, np.arange(start, start + len(sound)) % len(samples), sound)
    level = np.sqrt(np.mean(samples**2))
    louder: npt.NDArray[np.int16] = np.rint(
        samples / level * 32768 * 10 ** (-20.5 / 20)
    ).astype(np.int16)
    return louder


def plucked(hertz: float) -> Samples:
    """:returns: one note, two seconds of it."""
    seconds = np.arange(2 * RATE) / RATE
    wave_form: Samples = np.zeros(len(seconds))
    for overtone, loudness in OVERTONES.items():
        fading = np.exp(-seconds * (1 + overtone) / DECAY)
        wave_form += loudness * fading * np.sin(2 * np.pi * hertz * overtone * seconds)
    attack = np.minimum(1, seconds / 0.008)
    release = np.minimum(1, (seconds[-1] - seconds) / 0.2)
    return wave_form * attack * release


def main() -> None:
    """Write the file."""
    with wave.open(str(PATH), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tune().astype("<i2").tobytes())


if __name__ == "__main__":
    main()
