"""Tests of ``twistedvoice.calls.voice`` and its utterances, on both carriers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import CallStateError, QueueFull
from twistedvoice.interfaces import Utterance

from .doubles import BinaryLine, Exchange, Line, Notebook, tone

__all__ = ["BinaryVoiceTests", "DelayedVoiceTests", "NoteTests", "VoiceTests"]


class VoiceTests(SynchronousTestCase):
    """A voice on a carrier with marks and clear."""

    line_class: type[Line] = Line
    delay = 0.0
    #: What becomes of what was heard to its end.
    heard_outcome = "played"

    def setUp(self) -> None:
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)
        self.line = self.exchange.dial(delay=self.delay, line_class=self.line_class)
        self.call = self.agent.call
        self.format = self.call.format

    def tone(self, milliseconds: int) -> bytes:
        """:returns: sound in the call's format."""
        return tone(milliseconds, self.format)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.exchange.advance(seconds)

    def arrived(self) -> bytes:
        """:returns: all sound that has arrived at the carrier."""
        return b"".join(
            what for kind, what, _ in self.line.wire if isinstance(what, bytes)
        )

    def assertOutcome(self, utterance: Utterance, outcome: str) -> None:
        """Check how an utterance went."""
        self.assertEqual(self.successResultOf(utterance.finished()), outcome)

    def assertConserved(self) -> None:
        """Check that every frame is accounted for [OB-1]."""
        [call] = self.exchange.switchboard
        meters = call.stream.meters
        self.assertEqual(
            meters.queued,
            meters.sent
            + meters.flushed
            + meters.rejected
            + meters.dropped
            + call.stream.waiting,
        )

    def test_heard_to_the_end(self) -> None:
        """What was said is heard, byte for byte, and ends in one word."""
        utterance = self.call.say(self.tone(500))
        self.advance(1.5)
        self.assertOutcome(utterance, self.heard_outcome)
        self.assertEqual(self.arrived(), self.tone(500))
        self.assertEqual(utterance.heard_ms(), 500)
        self.assertConserved()

    def test_padding_is_not_heard(self) -> None:
        """An utterance is heard for no longer than it is, whatever fills its end."""
        utterance = self.call.say(self.tone(45))
        self.advance(1)
        self.assertEqual(utterance.heard_ms(), 45)
        padding = self.format.silence(self.format.frame_bytes)
        self.assertEqual(self.arrived()[: len(self.tone(45))], self.tone(45))
        self.assertEqual(len(self.arrived()), 3 * self.format.frame_bytes)
        self.assertTrue(padding.endswith(self.arrived()[len(self.tone(45)) :]))

    def test_written_in_any_pieces(self) -> None:
        """The pieces an utterance is written in are not heard."""
        utterance = self.call.speak()
        sound, at = self.tone(900), 0
        for size in (1, 2, 159, 160, 161, 1000, 7, 5000, 40_000):
            utterance.write(sound[at : at + size])
            at += size
        utterance.end()
        self.advance(2.5)
        self.assertEqual(self.arrived(), sound)
        self.assertOutcome(utterance, self.heard_outcome)

    def test_mark(self) -> None:
        """A mark is reached after what was said before it, not after what follows."""
        self.call.say(self.tone(500))
        reached = self.call.send_mark("half")
        self.call.say(self.tone(500))
        self.advance(0.45)
        self.assertNoResult(reached)
        self.advance(0.2 + 2 * self.delay)
        self.assertEqual(self.successResultOf(reached), self.heard_outcome)
        self.assertIn(("mark", "half", self.heard_outcome), self.agent.events)

    def test_mark_alone(self) -> None:
        """A mark with nothing to be said before it is reached at once."""
        reached = self.call.send_mark("here")
        self.advance(0.15 + 2 * self.delay)
        self.assertEqual(self.successResultOf(reached), self.heard_outcome)

    def test_mark_never_comes(self) -> None:
        """A mark that does not come back is not waited for, once nothing plays."""
        self.line.echoes = False
        first, second = self.call.say(self.tone(100)), self.call.speak()
        second.write(self.tone(2000))
        self.advance(5.5)
        self.assertOutcome(first, "assumed")
        second.end()
        self.assertNoResult(second.finished())
        self.advance(3.5)
        self.assertOutcome(second, "assumed")
        self.assertConserved()

    def test_lost(self) -> None:
        """What was not heard when the call ends is lost, marks too."""
        utterance = self.call.say(self.tone(500))
        reached = self.call.send_mark("end")
        self.advance(0.2)
        self.line.stop()
        self.assertOutcome(utterance, "lost")
        self.assertEqual(self.successResultOf(reached), "lost")
        self.assertLessEqual(abs(utterance.heard_ms() - 190), 20)
        self.assertIn(("mark", "end", "lost"), self.agent.events)
        self.assertEqual(self.exchange.cdrs[0]["marks"], {"lost": 2})

    def test_interrupt(self) -> None:
        """An interrupt drops what waits; what it says and what was heard add up."""
        utterance = self.call.say(self.tone(2000))
        self.advance(0.5)
        dropped_ms = self.call.interrupt("speech")
        self.advance(1)
        self.assertOutcome(utterance, "cleared")
        self.assertEqual(self.line.wire[-1][0], "clear")
        self.assertEqual(utterance.heard_ms() + dropped_ms, 2000)
        self.assertEqual(self.agent.events[1:], [("interrupted", "speech")])
        self.assertConserved()

    def test_interrupt_again(self) -> None:
        """An interrupt of silence does nothing, and tells nobody."""
        self.call.say(self.tone(2000))
        self.advance(0.5)
        self.call.interrupt("speech")
        self.assertEqual(self.call.interrupt("speech"), 0)
        self.advance(1)
        self.assertEqual(self.call.interrupt("speech"), 0)
        self.assertEqual(len(self.agent.events), 2)

    def test_interrupt_before_the_first_frame(self) -> None:
        """What was not sent at all is dropped whole."""
        utterance = self.call.say(self.tone(500))
        self.assertEqual(self.call.interrupt("speech"), 500)
        self.advance(1)
        self.assertEqual(self.arrived(), b"")
        self.assertEqual(utterance.heard_ms(), 0)

    def test_interrupt_what_is_not_whole(self) -> None:
        """An utterance in the making is over; what is still written is dropped."""
        utterance = self.call.speak()
        utterance.write(self.tone(300))
        self.advance(0.1)
        [call] = self.exchange.switchboard
        sent = call.stream.meters.sent
        self.call.interrupt("speech")
        utterance.write(self.tone(300))
        utterance.end()
        self.advance(1)
        self.assertEqual(len(self.arrived()), sent * self.format.frame_bytes)
        self.assertOutcome(utterance, "cleared")
        self.assertConserved()

    def test_written_to_while_told(self) -> None:
        """Who is told of one utterance's end and writes to the next drops it, too."""
        for end in ("interrupt", "stop"):
            with self.subTest(end):
                self.setUp()
                first = self.call.say(self.tone(200))
                second = self.call.speak()
                first.finished().addCallback(self.write_on, second)
                [call] = self.exchange.switchboard
                if end == "stop":
                    self.line.stop()
                else:
                    self.call.interrupt("speech")
                self.assertEqual(call.stream.waiting, 0)
                self.advance(1)
                self.assertNotEqual(
                    self.successResultOf(second.finished()), self.heard_outcome
                )

    def write_on(self, outcome: str, utterance: Utterance) -> None:
        """Write more, and end."""
        utterance.write(self.tone(200))
        utterance.end()

    def test_say_again(self) -> None:
        """Nothing stays mute: the next words are heard [B12]."""
        self.call.say(self.tone(500))
        self.advance(0.2)
        self.call.interrupt("speech")
        before = self.arrived()
        utterance = self.call.say(self.tone(300)[::-1])
        self.advance(1.5)
        self.assertOutcome(utterance, self.heard_outcome)
        self.assertEqual(
            self.arrived()[len(before) :][-len(self.tone(300)) :], self.tone(300)[::-1]
        )

    def test_queue_full(self) -> None:
        """What does not fit is refused whole, and counted; the rest stays in step."""
        utterance = self.call.speak()
        utterance.write(self.tone(299_990))
        with self.assertRaises(QueueFull):
            utterance.write(self.tone(35)[::-1])
        [call] = self.exchange.switchboard
        self.assertEqual(call.stream.meters.rejected, 2)
        self.assertConserved()
        self.advance(5)
        utterance.write(self.tone(10))
        self.assertEqual(call.stream.meters.queued, 15_000 + 2)
        utterance.end()
        self.assertEqual(call.stream.meters.queued, 15_000 + 2)
        dropped_ms = self.call.interrupt("enough")
        self.assertLessEqual(abs(dropped_ms - 295_000), 60)
        self.assertConserved()

    def test_say_too_much(self) -> None:
        """What is said whole and does not fit leaves nothing, and all else works."""
        self.call.say(self.tone(200_000))
        self.assertRaises(QueueFull, self.call.say, self.tone(200_000))
        [call] = self.exchange.switchboard
        self.assertEqual(call.stream.waiting, 10_000)
        self.call.say(self.tone(20))
        self.assertConserved()

    def test_speak_ends_the_one_before(self) -> None:
        """Two utterances never mix: the second ends the first."""
        first = self.call.speak()
        first.write(self.tone(30))
        self.call.say(self.tone(20))
        self.assertRaises(CallStateError, first.write, self.tone(20))
        self.advance(1)
        self.assertOutcome(first, self.heard_outcome)
        self.assertEqual(len(self.arrived()), 3 * self.format.frame_bytes)

    def test_finished_given_up(self) -> None:
        """Who no longer waits for the end of an utterance disturbs nobody."""
        utterance = self.call.say(self.tone(100))
        mark = self.call.send_mark("end")
        self.call.say(self.tone(10_000))
        for waiting in (utterance.finished(), mark, self.call.room()):
            waiting.addErrback(lambda _: None)
            waiting.cancel()
        self.advance(10)
        self.assertOutcome(utterance, self.heard_outcome)
        self.assertIn(("mark", "end", self.heard_outcome), self.agent.events)

    def test_playing(self) -> None:
        """It plays until the ear has heard all, not until all was made [B9]."""
        self.assertFalse(self.call.is_playing)
        self.call.say(self.tone(500))
        self.assertTrue(self.call.is_playing)
        self.advance(0.48)
        self.assertTrue(self.call.is_playing)
        self.advance(0.1)
        self.assertFalse(self.call.is_playing)

    def test_room(self) -> None:
        """There is room again when two seconds are left, and no sooner."""
        self.call.say(self.tone(12_000))
        room = self.call.room()
        self.advance(9.8)
        self.assertNoResult(room)
        self.advance(0.4)
        self.successResultOf(room)


class DelayedVoiceTests(VoiceTests):
    """The same, with a long way to the carrier."""

    delay = 0.15


class BinaryVoiceTests(VoiceTests):
    """A voice on a carrier that has neither marks nor clear, and other frames."""

    line_class = BinaryLine
    heard_outcome = "assumed"

    def test_interrupt(self) -> None:
        """What the carrier has is heard; the rest is dropped and never sent."""
        utterance = self.call.say(self.tone(2000))
        self.advance(0.5)
        self.assertGreater(self.call.interrupt("speech"), 1400)
        arrived = self.arrived()
        self.advance(1)
        self.assertEqual(self.arrived(), arrived)
        self.assertOutcome(utterance, "cleared")
        self.assertEqual(
            utterance.heard_ms(), self.format.duration_us(len(arrived)) // 1000
        )
        self.assertConserved()

    def test_interrupt_the_last_of_it(self) -> None:
        """With nothing left to drop, an interrupt does nothing."""
        self.call.say(self.tone(200))
        self.advance(1)
        self.call.say(self.tone(20))
        self.advance(0.3)
        self.assertEqual(self.call.interrupt("speech"), 0)
        self.assertEqual(self.agent.events, [("started",)])


class NoteTests(SynchronousTestCase):
    """What whoever records is told besides the sound."""

    def setUp(self) -> None:
        agent = Notebook()
        self.exchange = Exchange(agent=lambda: agent)
        self.line = self.exchange.dial()
        self.call = agent.call
        [call] = self.exchange.switchboard
        self.voice = call.voice
        assert call.inbound.tracks is not None
        self.tracks = call.inbound.tracks

    def kinds(self) -> list[str]:
        """:returns: the kinds of all notes, in order."""
        return [note.kind for note in self.tracks.notes]

    def test_played(self) -> None:
        """An utterance is noted when its mark is back, with its place and the time."""
        self.call.say(tone(500))
        for _ in range(40):
            self.exchange.advance(0.02)
            self.line.sound()
        [note] = self.tracks.notes
        [(start_us, _), *_] = self.tracks.played
        started_us = note.from_us - start_us
        self.assertEqual(note.until_us - note.from_us, 500_000)
        self.assertEqual((note.kind, note.at_us), ("played", note.until_us))
        came_us = note.heard * 20_000
        self.assertLessEqual(came_us - (note.at_us - started_us), 20_000)
        self.assertLess(note.heard, len(self.tracks.heard))

    def test_interrupted(self) -> None:
        """A clear is noted once, and all that was being said with what it cut."""
        self.call.say(tone(100))
        utterance = self.call.speak()
        utterance.write(tone(900))
        self.exchange.advance(0.305)
        self.call.interrupt("speech")
        self.assertEqual(self.kinds(), ["played", "clear", "cleared"])
        clear, cut = self.tracks.notes[1:]
        self.assertEqual(cut.until_us, clear.at_us)

    def test_unheard(self) -> None:
        """What never began has no place; it is not noted."""
        self.call.say(tone(500))
        self.call.say(tone(500))
        self.exchange.advance(0.1)
        self.call.interrupt("speech")
        self.assertEqual(self.kinds(), ["clear", "cleared"])

    def test_lost(self) -> None:
        """What was being said when the call ended is noted as lost, once."""
        self.call.say(tone(500))
        self.exchange.advance(0.3)
        self.line.stop()
        self.assertEqual(self.kinds(), ["lost"])

    def test_nobody_records(self) -> None:
        """Without tracks nothing is noted."""
        self.voice.stream.tracks = None
        self.call.say(tone(100))
        self.exchange.advance(0.5)
        self.call.interrupt("speech")
        self.assertEqual(self.tracks.notes, [])
