"""Tests for :mod:`twistedvoice.archive.story`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import made, made_busy, write_sound
from tests.archive.test_speech import tone
from tests.simulator.babble import beside
from twistedvoice.archive.catalog import scan
from twistedvoice.archive.speech import Span
from twistedvoice.archive.story import Story, Turn, read_story
from twistedvoice.audio.pcm import Samples
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.errors import ArchiveError
from twistedvoice.formats import MULAW_8K

SAID = tone(1, 5000)


class StoryTests(SynchronousTestCase):
    """What is known of one recording."""

    def setUp(self) -> None:
        """An empty folder."""
        self.folder = Path(self.mktemp())

    def story(self) -> Story:
        """:returns: what happened in the one recording that there is."""
        (entry,) = scan(self.folder)
        return read_story(entry)

    def told(
        self, caller: Samples, service: Samples, *lines: Mapping[str, object]
    ) -> Story:
        """:returns: what happened in a recording of this sound."""
        write_sound(made(self.folder, "one", lines=lines), caller, service)
        return self.story()

    def test_busy(self) -> None:
        """Answers, barge-ins, levels and lengths are as they were made."""
        made_busy(self.folder)
        story = self.story()
        self.assertEqual(story.duration_ms, 22_000)
        self.assertEqual(story.turns, [Turn(6600, 7500), Turn(12_900, 13_400)])
        self.assertEqual(story.latency_ms, 700)
        (barge_in,) = story.barge_ins
        self.assertEqual((barge_in.began_ms, barge_in.latency_ms), (11_300, 400))
        self.assertEqual(story.caller.level.speech_ms, 3200)
        self.assertEqual(story.missing_ms("lost", "gap"), 640)

    def test_order(self) -> None:
        """Lines are in order of time; checksums and what has no time are left out."""
        made_busy(self.folder)
        told = self.story().lines
        times = [line["at"] for line in told]
        self.assertEqual(times, sorted(times))
        self.assertEqual((told[0]["kind"], told[-1]["kind"]), ("said", "end"))

    def test_caller_goes_on(self) -> None:
        """Who goes on before the answer waited from the last word on."""
        story = self.told(beside(SAID, 0.8, SAID, 3.0), beside(3.3, SAID))
        self.assertEqual(story.turns, [Turn(2800, 3300)])

    def test_over_each_other(self) -> None:
        """Where the service sounds already, nobody waits for it."""
        story = self.told(beside(0.5, SAID, 3.0), beside(1.0, SAID, 1.0, SAID))
        self.assertEqual(story.turns, [])

    def test_pause_in_an_utterance(self) -> None:
        """The end of a pause in an utterance is no answer; that of the next one is."""
        said = {"kind": "said", "at": 0, "until": 2800, "outcome": "played"}
        caller, service = beside(0.9, SAID, 3.0), beside(1.5, 0.5, SAID)
        self.assertEqual(self.told(caller, service, said).turns, [])
        said["until"] = 1950
        self.assertEqual(self.told(caller, service, said).turns, [Turn(1900, 2000)])

    def test_no_barge_in(self) -> None:
        """A clear while the caller is quiet, or with nothing to be cut, is none."""
        clear = {"kind": "clear", "at": 2500}
        both = beside(SAID, 3.0)
        self.assertEqual(self.told(both, beside(2.0, SAID), clear).barge_ins, [])
        speaking = beside(2.0, SAID, 1.0)
        self.assertEqual(self.told(speaking, beside(3.5, SAID), clear).barge_ins, [])
        self.assertEqual(
            len(self.told(speaking, beside(1.0, tone(1.5, 5000)), clear).barge_ins), 1
        )

    def test_pauses(self) -> None:
        """A pause lasts until it is over, or to the end of the recording."""
        lines = [("pause", 100), ("pause", 150), ("resume", 300), ("pause", 600)]
        told = [{"kind": kind, "at": at} for kind, at in lines]
        silence = np.zeros(8000, np.int16)
        story = self.told(silence, silence, *told)
        self.assertEqual(story.pauses, [Span(100, 300), Span(600, 1000)])

    def test_no_sidecar(self) -> None:
        """The sound alone tells who answered whom."""
        made_busy(self.folder).with_suffix(".jsonl").unlink()
        story = self.story()
        self.assertEqual((len(story.turns), story.lines), (2, []))

    def test_silence(self) -> None:
        """In silence nothing happens."""
        story = self.told(np.zeros(800, np.int16), np.zeros(800, np.int16))
        self.assertEqual((story.turns, story.latency_ms), ([], None))

    def test_one_channel(self) -> None:
        """A file of one channel is none of ours."""
        self.folder.mkdir()
        writer = WavWriter(self.folder / "one.wav", MULAW_8K, 1)
        writer.write(b"\xff" * 160)
        writer.close()
        self.assertRaises(ArchiveError, self.story)

    def test_lines_of_others(self) -> None:
        """Lines without a meaning are not told; they do no other harm."""
        junk: tuple[Mapping[str, object], ...] = (
            {"kind": ["clear"], "at": 1},
            {"kind": "said", "at": 1},
            {"kind": "said", "at": 1, "until": "x"},
            {"kind": "gap", "at": 5, "ms": []},
            {"kind": "clear", "at": float("nan")},
            {"kind": "clear", "at": 10**400},
        )
        made(self.folder, "one", lines=[*junk, {"kind": "clear", "at": 7}])
        self.assertEqual([line["at"] for line in self.story().lines[:-1]], [7])
