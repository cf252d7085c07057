# -*- test-case-name: tests.speech.test_engines -*-
"""Tests of the engines themselves, and of what is asked of them."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice.simulator.speech
from twistedvoice.audio import pcm
from twistedvoice.audio.wav import load
from twistedvoice.errors import ConfigError, EngineError
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.speech.engines import Engines, Scribes, require_engines, wanting
from twistedvoice.speech.grammar import Grammar, Rule
from twistedvoice.speech.hearing import Ears
from twistedvoice.speech.speaking import Mouth, levelled, trimmed
from twistedvoice.speech.wire import pack

from .engines import EngineReactor

_WITHOUT = "pip install 'twistedvoice[local]'"
_SPEECH = Path(twistedvoice.simulator.speech.__file__).parent
_GRAMMAR = Grammar(
    "main",
    [
        Rule(
            name="hours",
            phrases=["hello [i would like to know] [your] opening hours"],
        ),
        Rule(name="bye", phrases=["thank you [goodbye]", "goodbye"]),
    ],
)


def line(name: str) -> bytes:
    """:returns: a line of the simulated caller, with a pause before and after."""
    silence = MULAW_8K.silence(3200)
    return silence + load(_SPEECH / f"caller_{name}.wav", MULAW_8K) + silence


@cache
def _ears() -> Ears:
    """:returns: the same each time: they take a while to load."""
    return Ears({"main": _GRAMMAR.jsgf()})


class EarsTests(SynchronousTestCase):
    """The recogniser, in this process."""

    if find_spec("pocketsphinx") is None:
        skip = f"pocketsphinx is not installed: {_WITHOUT}"

    def setUp(self) -> None:
        self.ears = _ears()

    def hear(self, job: int, audio: bytes) -> None:
        """Hear ``audio`` in pieces of 100 ms."""
        for start in range(0, len(audio), 800):
            self.ears.hear(job, audio[start : start + 800])

    def test_hears(self) -> None:
        """What was said is found as words of the grammar."""
        self.ears.begin(1, "main", MULAW_8K)
        self.hear(1, line("hello"))
        words = self.ears.words(1)
        self.ears.close(1)
        found = _GRAMMAR.read(words)
        self.assertEqual(found and found.name, "hours", words)

    def test_goes_on(self) -> None:
        """Who asked too early hears the rest all the same."""
        self.ears.begin(1, "main", MULAW_8K)
        audio = line("thanks")
        self.hear(1, audio[:8000])
        self.ears.words(1)
        self.hear(1, audio[8000:])
        found = _GRAMMAR.read(self.ears.words(1))
        self.ears.close(1)
        self.assertEqual(found and found.name, "bye")

    def test_more_than_decoders(self) -> None:
        """Speech that finds no decoder is heard when another has ended."""
        for job in range(8):
            self.ears.begin(job, "main", MULAW_8K)
            self.hear(job, line("thanks")[:8000] if job < 7 else line("thanks"))
        self.assertEqual(self.ears.words(7), "")
        for job in range(6):
            self.ears.close(job)
        self.assertNotEqual(self.ears.words(7), "")
        for job in (6, 7):
            self.ears.close(job)


class MouthTests(SynchronousTestCase):
    """The synthesiser, in this process."""

    if find_spec("hibari") is None:
        skip = f"hibari is not installed: {_WITHOUT}"

    def test_speaks(self) -> None:
        """Each sentence is a piece, as loud as speech, in the format that is wanted."""
        mouth = Mouth()
        for sound in (MULAW_8K, AudioFormat("l16", 16_000)):
            pieces = list(mouth.speak("We are open. Come in.", sound))
            self.assertEqual(len(pieces), 2)
            for piece in pieces:
                seconds = sound.duration_us(len(piece)) / 1e6
                self.assertGreater(seconds, 0.4)
                self.assertLess(seconds, 2)
                peak = int(np.abs(pcm.decode(piece, sound).astype(int)).max())
                self.assertGreater(peak, 8000)
        self.assertEqual(pieces, list(mouth.speak("We are open. Come in.", sound)))

    def test_cannot_say(self) -> None:
        """What the voice cannot say is no sound, and it can say the next."""
        mouth, said = Mouth(), StringIO()
        self.patch(sys, "stderr", said)
        self.assertEqual(list(mouth.speak("4" * 40, MULAW_8K)), [])
        self.assertEqual(said.getvalue(), "a text cannot be said: IndexError\n")
        self.assertEqual(len(list(mouth.speak("Hello.", MULAW_8K))), 1)


class ShapingTests(SynchronousTestCase):
    """What becomes of synthesised sound."""

    def test_trimmed(self) -> None:
        """20 ms of silence stay before the sound, and 200 follow it."""
        sound = np.concatenate([np.zeros(1000), np.full(500, 0.5), np.zeros(1000)])
        found = trimmed(sound, 1000)
        self.assertEqual(len(found), 20 + 499 + 200)
        self.assertEqual(len(trimmed(np.zeros(100), 1000)), 0)

    def test_levelled(self) -> None:
        """Faint and loud sound become equally loud; peaks stay below the limit."""
        wave = np.sin(np.arange(1000) / 5)
        for factor in (0.02, 0.9):
            found = levelled(wave * factor)
            loud = found[np.abs(found) > 0.01]
            self.assertLess(abs(float(np.sqrt(np.mean(loud**2))) - 0.1), 0.01)
        spike = np.full(1000, 0.01)
        spike[500] = 0.9
        self.assertLessEqual(float(np.max(levelled(spike))), 0.68)


class EnginesTests(SynchronousTestCase):
    """What is asked of engines, without any."""

    def setUp(self) -> None:
        self.reactor = EngineReactor()
        self.engines = Engines(self.reactor, {"main": "..."}, ears=1)

    def start(self) -> None:
        """All engines are ready."""
        starting = self.engines.start()
        for process in self.reactor.processes:
            process.answer(b"R")
        self.successResultOf(starting)

    def test_hear(self) -> None:
        """What is heard goes to an ear, and words come back when they are wanted."""
        self.start()
        hearing = self.engines.hear("main", MULAW_8K)
        hearing.write(b"sound")
        words = hearing.words()
        ear = self.reactor.processes[0]
        self.assertEqual([m.kind for m in ear.told], [b"S", b"B", b"A", b"W"])
        ear.answer(b"W", 1, b"opening hours")
        self.assertEqual(self.successResultOf(words), "opening hours")
        hearing.close()
        self.assertEqual(ear.told[-1].kind, b"C")

    def test_speak(self) -> None:
        """What is said comes piece by piece, and then it is done."""
        self.start()
        heard: list[bytes] = []
        done = self.engines.speak("One. Two.", MULAW_8K, heard.append)
        mouth = self.reactor.processes[1]
        mouth.protocol.outReceived(pack(b"A", 1, b"one") + pack(b"A", 1, b"two"))
        self.assertNoResult(done)
        mouth.answer(b"D", 1)
        self.successResultOf(done)
        self.assertEqual(heard, [b"one", b"two"])

    def test_none(self) -> None:
        """Before engines are there, nothing can be asked of them."""
        self.assertRaises(EngineError, self.engines.hear, "main", MULAW_8K)

    def test_cancelled(self) -> None:
        """Of what is not wanted any more nothing is heard."""
        self.start()
        heard: list[bytes] = []
        done = self.engines.speak("One.", MULAW_8K, heard.append)
        done.cancel()
        self.failureResultOf(done, CancelledError)
        mouth = self.reactor.processes[1]
        self.assertEqual(mouth.told[-1].kind, b"C")
        mouth.protocol.outReceived(pack(b"A", 1, b"one") + pack(b"D", 1))
        self.assertEqual(heard, [])

    def test_missing(self) -> None:
        """What is not installed is named, with what installs it."""
        error = self.assertRaises(
            ConfigError,
            require_engines,
            lambda name: None if name == "hibari" else name,
        )
        self.assertEqual(list(error.problems), [f"needs hibari: {_WITHOUT}"])
        wanted = "needs faster_whisper, webrtcvad: pip install 'twistedvoice[whisper]'"
        self.assertEqual(wanting("whisper", lambda name: None), wanted)
        self.assertEqual(wanting("whisper", lambda name: name), "")


class ScribesTests(SynchronousTestCase):
    """What is asked of those that write down, without any."""

    def setUp(self) -> None:
        self.reactor = EngineReactor()
        self.scribes = Scribes(self.reactor, "/model", "en", 1)
        starting = self.scribes.start()
        [self.process] = self.reactor.processes
        self.process.answer(b"R")
        self.successResultOf(starting)

    def test_words(self) -> None:
        """A speech goes there as a whole, and comes back as words."""
        words = self.scribes.words(b"sound", MULAW_8K)
        kinds = [message.kind for message in self.process.told]
        self.assertEqual(kinds, [b"S", b"B", b"A", b"W"])
        set_up = {"model": "/model", "language": "en"}
        self.assertEqual(json.loads(self.process.told[0].body), set_up)
        self.process.answer(b"W", 1, b"hello")
        self.assertEqual(self.successResultOf(words), "hello")
        self.assertEqual(self.process.told[-1].kind, b"C")

    def test_too_many(self) -> None:
        """No more speeches wait than are written down in time."""
        waiting = [self.scribes.words(b"sound", MULAW_8K) for _ in range(8)]
        self.assertRaises(EngineError, self.scribes.words, b"sound", MULAW_8K)
        waiting[0].cancel()
        self.failureResultOf(waiting[0], CancelledError)
        waiting.append(self.scribes.words(b"sound", MULAW_8K))
        self.process.die()
        for words in waiting[1:]:
            self.failureResultOf(words, EngineError)
