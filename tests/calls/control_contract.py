# -*- test-case-name: tests.test_testing -*-
"""What every call owes its agent, whatever carries it.

Mix :class:`CallControlContract` into a test case and give it :meth:`make_call`. Times
are checked to 60 ms: a call may start to sound a frame late, and hear of it a frame
later still.
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.errors import CallStateError, NotSupported, QueueFull
from twistedvoice.interfaces import CallControl, Utterance

if TYPE_CHECKING:
    _Mixin = SynchronousTestCase
else:
    _Mixin = object

__all__ = ["CallControlContract", "CallHarness", "Diary"]

#: How far a time may be off, in milliseconds.
_SLACK_MS = 60


class CallHarness(Protocol):
    """A started call, whose caller hears without delay, and its strings to pull."""

    call: CallControl

    def advance(self, seconds: float) -> None:
        """Let time pass, with all that happens in it."""

    def end(self) -> None:
        """The caller hangs up, and the call hears of it."""


class Diary(Agent):
    """An agent that does nothing but write down what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        #: Whether to say one thing after the other from the first interrupt on.
        self.says_on = False

    def call_started(self, call: CallControl) -> None:
        self.events.append(("started",))

    def mark_reached(self, name: str, outcome: str) -> None:
        self.events.append(("mark", name, outcome))

    async def interrupted(self, reason: str) -> None:
        self.events.append(("interrupted", reason))
        while self.says_on:
            await self.call.say(b"\x12" * self.call.format.frame_bytes).finished()

    def call_ended(self, outcome: str) -> None:
        self.events.append(("ended",))


class CallControlContract(_Mixin):
    """The contract of :class:`twistedvoice.interfaces.CallControl`."""

    def make_call(self, agent: Agent) -> CallHarness:
        """:returns: a call that has started, with ``agent`` told of it."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.diary = Diary()
        self.harness = self.make_call(self.diary)
        self.call = self.harness.call

    def sound(self, milliseconds: int) -> bytes:
        """:returns: this much sound that is not silence, in the call's format."""
        return b"\x12" * self.call.format.bytes_in(milliseconds * 1000)

    def wav(self, milliseconds: int) -> str:
        """:returns: the path of a file with this much sound."""
        path: str = self.mktemp()
        with wave.open(path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"\x00\x10" * (8 * milliseconds))
        return path

    def hear(self, utterance: Utterance) -> list[str]:
        """:returns: where the outcome of ``utterance`` will be."""
        outcomes: list[str] = []
        utterance.finished().addCallback(outcomes.append)
        return outcomes

    def fill(self) -> Deferred[None]:
        """:returns: a wait for room, after so much was said that there is none."""
        for _ in range(10_000):
            room = self.call.room()
            if not room.called:
                return room
            self.call.say(self.sound(1000))
        raise AssertionError("there is always room")

    def assertAbout(self, actual_ms: float, expected_ms: float) -> None:
        """Check a time, as far as times can be exact."""
        self.assertLessEqual(abs(actual_ms - expected_ms), _SLACK_MS, actual_ms)

    def assertEnded(self, times: int = 1) -> None:
        """Check how often the agent was told that the call is over."""
        self.assertEqual(self.diary.events.count(("ended",)), times)

    # -- saying --------------------------------------------------------------------

    def test_agent_knows_its_call(self) -> None:
        """The agent is told once that the call started, and has it at hand."""
        self.assertEqual(self.diary.events, [("started",)])
        self.assertIs(self.diary.call, self.call)

    def test_said_is_played(self) -> None:
        """What is said finishes as played once it was heard, and not before."""
        outcomes = self.hear(self.call.say(self.sound(1000)))
        self.harness.advance(0.9)
        self.assertEqual(outcomes, [])
        self.harness.advance(0.3)
        self.assertEqual(outcomes, ["played"])

    def test_finished_asked_late(self) -> None:
        """Asked afterwards, and more than once, an utterance says how it went."""
        utterance = self.call.say(self.sound(100))
        self.harness.advance(0.5)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertEqual(self.successResultOf(utterance.finished()), "played")

    def test_written_in_pieces(self) -> None:
        """Pieces of odd sizes are one utterance, which finishes only once it ended."""
        utterance = self.call.speak()
        outcomes = self.hear(utterance)
        for size in (1, 333, 100, 566):
            utterance.write(self.sound(size))
        self.harness.advance(1.5)
        self.assertEqual(outcomes, [])
        utterance.end()
        self.harness.advance(0.2)
        self.assertEqual(outcomes, ["played"])
        self.assertAbout(utterance.heard_ms(), 1000)

    def test_nothing_said(self) -> None:
        """An utterance without any sound is played at once."""
        utterance = self.call.speak()
        utterance.end()
        self.harness.advance(0.2)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertEqual(utterance.heard_ms(), 0)

    def test_one_after_the_other(self) -> None:
        """What is said second is heard after what was said first."""
        first, second = self.call.say(self.sound(500)), self.call.say(self.sound(500))
        self.harness.advance(0.4)
        self.assertAbout(first.heard_ms(), 400)
        self.assertEqual(second.heard_ms(), 0)
        self.harness.advance(0.8)
        self.assertEqual(self.successResultOf(first.finished()), "played")
        self.assertEqual(self.successResultOf(second.finished()), "played")

    def test_speak_ends_the_one_before(self) -> None:
        """Beginning to say something ends what was begun before."""
        first = self.call.speak()
        first.write(self.sound(100))
        second = self.call.speak()
        self.assertRaises(CallStateError, first.write, self.sound(20))
        second.write(self.sound(100))
        second.end()
        self.harness.advance(0.5)
        self.assertEqual(self.successResultOf(first.finished()), "played")
        self.assertEqual(self.successResultOf(second.finished()), "played")

    def test_write_after_end(self) -> None:
        """Nothing can be added to an utterance that was ended; ending twice is fine."""
        utterance = self.call.say(self.sound(100))
        utterance.end()
        self.assertRaises(CallStateError, utterance.write, self.sound(20))

    def test_playing(self) -> None:
        """The call is playing while the caller hears something, and then no more."""
        self.call.say(self.sound(500))
        self.harness.advance(0.25)
        self.assertTrue(self.call.is_playing)
        self.harness.advance(0.75)
        self.assertFalse(self.call.is_playing)

    def test_say_file(self) -> None:
        """A WAV file is said like bytes."""
        utterance = self.successResultOf(self.call.say_file(self.wav(500)))
        self.harness.advance(1)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertAbout(utterance.heard_ms(), 500)

    def test_send_digits(self) -> None:
        """Keys are said as one utterance: 200 ms for each, and 500 for a pause."""
        utterance = self.call.send_digits("1w2#")
        self.harness.advance(1)
        self.assertAbout(utterance.heard_ms(), 1000)
        self.harness.advance(0.3)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertEqual(utterance.heard_ms(), 1100)

    def test_send_no_digits(self) -> None:
        """What is no key is refused, without being repeated."""
        error = self.assertRaises(ValueError, self.call.send_digits, "12x4")
        self.assertNotIn("12", str(error).replace("0123456789", ""))

    # -- on hold -------------------------------------------------------------------

    def test_hold(self) -> None:
        """Who is held hears the sound over and over, and nothing once that is over."""
        hold = self.call.hold(self.sound(100))
        self.harness.advance(13)
        self.assertTrue(self.call.is_playing)
        hold.resume()
        utterance = self.call.say(self.sound(100))
        self.harness.advance(0.3)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertEqual(self.diary.events[1:], [("interrupted", "resume")])
        hold.resume()
        self.assertEqual(len(self.diary.events), 2)

    def test_hold_is_bounded(self) -> None:
        """However long it lasts, no more waits than some seconds of it."""
        self.call.hold(self.sound(30_000))
        for _ in range(2):
            self.harness.advance(13)
            self.assertTrue(self.call.is_playing)
        self.assertLess(self.call.interrupt("speech"), 12_000)

    def test_hold_after_words(self) -> None:
        """What was said before is heard before the sound; an interrupt ends both."""
        words = self.call.say(self.sound(500))
        self.call.hold(self.sound(1000))
        self.harness.advance(0.7)
        self.assertEqual(self.successResultOf(words.finished()), "played")
        self.call.interrupt("speech")
        self.harness.advance(5)
        self.assertFalse(self.call.is_playing)

    def test_say_on_hold(self) -> None:
        """What is said on hold comes after what waits of the sound, and ends it."""
        self.call.hold(self.sound(1000))
        self.harness.advance(0.5)
        utterance = self.call.say(self.sound(100))
        self.harness.advance(13)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertFalse(self.call.is_playing)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_end_on_hold(self) -> None:
        """A call that ends on hold ends like any other."""
        hold = self.call.hold(self.sound(1000))
        self.harness.advance(0.5)
        self.harness.end()
        self.harness.advance(1)
        hold.resume()
        self.assertEnded()
        self.assertRaises(CallStateError, self.call.hold, self.sound(20))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_hang_up_on_hold(self) -> None:
        """Hanging up plays what waits of the sound, and no more."""
        self.call.hold(self.sound(1000))
        self.harness.advance(0.5)
        self.call.hang_up()
        self.harness.advance(13)
        self.assertEnded()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_hold_with_nothing(self) -> None:
        """There must be something to hear."""
        self.assertRaises(ValueError, self.call.hold, b"")

    def test_hold_file(self) -> None:
        """A WAV file is held with like bytes."""
        hold = self.successResultOf(self.call.hold_file(self.wav(500)))
        self.harness.advance(4)
        self.assertTrue(self.call.is_playing)
        hold.resume()

    # -- room ----------------------------------------------------------------------

    def test_room_at_first(self) -> None:
        """There is room while nothing waits."""
        self.successResultOf(self.call.room())

    def test_room_comes_back(self) -> None:
        """Who waits for room is told once enough was heard."""
        room = self.fill()
        self._advance_until(lambda: room.called)
        self.successResultOf(room)

    def test_room_after_interrupt(self) -> None:
        """An interrupt makes room."""
        room = self.fill()
        self.call.interrupt("speech")
        self.harness.advance(0.2)
        self.successResultOf(room)

    def test_queue_full(self) -> None:
        """Too much is refused, never dropped silently; later there is room again."""
        utterance = self.call.speak()
        with self.assertRaises(QueueFull):
            for _ in range(10_000):
                utterance.write(self.sound(1000))
        room = self.call.room()
        self._advance_until(lambda: room.called)
        utterance.write(self.sound(20))

    def _advance_until(self, reached: Callable[[], bool]) -> None:
        for _ in range(10_000):
            if reached():
                return
            self.harness.advance(1)
        self.fail("never came")

    # -- marks ---------------------------------------------------------------------

    def test_mark_played(self) -> None:
        """A mark is reached when all that was said before it was heard."""
        self.call.say(self.sound(500))
        reached = self.call.send_mark("half")
        self.call.say(self.sound(500))
        self.harness.advance(0.4)
        self.assertNoResult(reached)
        self.harness.advance(0.2)
        self.assertEqual(self.successResultOf(reached), "played")
        self.assertIn(("mark", "half", "played"), self.diary.events)

    def test_mark_cleared(self) -> None:
        """A mark behind what was cut off is cleared, whatever the carrier echoes."""
        self.call.say(self.sound(500))
        reached = self.call.send_mark("end")
        self.harness.advance(0.2)
        self.call.interrupt("speech")
        self.harness.advance(0.5)
        self.assertEqual(self.successResultOf(reached), "cleared")
        self.assertEqual(self.diary.events.count(("mark", "end", "cleared")), 1)

    # -- interrupts ----------------------------------------------------------------

    def test_interrupt(self) -> None:
        """An interrupt ends what is said, and tells how much was not heard."""
        utterance = self.call.say(self.sound(2000))
        self.harness.advance(0.5)
        dropped = self.call.interrupt("digit")
        self.harness.advance(0.5)
        self.assertEqual(self.successResultOf(utterance.finished()), "cleared")
        self.assertAbout(utterance.heard_ms(), 500)
        self.assertAbout(utterance.heard_ms() + dropped, 2000)
        self.assertFalse(self.call.is_playing)
        self.assertEqual(self.diary.events[1:], [("interrupted", "digit")])

    def test_interrupt_twice(self) -> None:
        """A second interrupt finds nothing to drop and tells nobody."""
        self.call.say(self.sound(500))
        self.harness.advance(0.2)
        self.call.interrupt("digit")
        self.assertEqual(self.call.interrupt("digit"), 0)
        self.harness.advance(0.2)
        self.assertEqual(self.diary.events.count(("interrupted", "digit")), 1)

    def test_interrupt_nothing(self) -> None:
        """With nothing said there is nothing to drop."""
        self.assertEqual(self.call.interrupt("digit"), 0)

    def test_interrupt_all(self) -> None:
        """All that waits goes, not only what is heard right now."""
        waiting = [self.call.say(self.sound(300)) for _ in range(3)]
        self.harness.advance(0.1)
        self.call.interrupt("speech")
        self.harness.advance(1)
        for utterance in waiting:
            self.assertEqual(self.successResultOf(utterance.finished()), "cleared")

    def test_late_write(self) -> None:
        """What is written to an utterance after an interrupt is never heard (B10)."""
        utterance = self.call.speak()
        utterance.write(self.sound(500))
        self.harness.advance(0.2)
        self.call.interrupt("speech")
        heard = utterance.heard_ms()
        utterance.write(self.sound(500))
        utterance.end()
        self.harness.advance(1)
        self.assertEqual(utterance.heard_ms(), heard)
        self.assertEqual(self.successResultOf(utterance.finished()), "cleared")

    def test_say_after_interrupt(self) -> None:
        """What is said after an interrupt is heard: nothing stays mute (B12)."""
        self.call.say(self.sound(500))
        self.harness.advance(0.2)
        self.call.interrupt("speech")
        utterance = self.call.say(self.sound(500))
        self.harness.advance(0.8)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertAbout(utterance.heard_ms(), 500)

    def test_say_while_told_of_interrupt(self) -> None:
        """What is said by whom the interrupt told is not cut off by it."""
        utterance = self.call.say(self.sound(500))
        answers: list[Utterance] = []
        utterance.finished().addCallback(
            lambda outcome: answers.append(self.call.say(self.sound(100)))
        )
        self.harness.advance(0.2)
        self.call.interrupt("speech")
        self.harness.advance(0.5)
        self.assertEqual(self.successResultOf(answers[0].finished()), "played")

    # -- the end -------------------------------------------------------------------

    def test_hang_up_after(self) -> None:
        """The call ends once the last words were heard, and not before."""
        utterance = self.call.say(self.sound(1000))
        self.call.hang_up_after(utterance)
        self.harness.advance(0.8)
        self.assertEnded(0)
        self.harness.advance(1)
        self.assertEnded()
        self.assertEqual(self.successResultOf(utterance.finished()), "played")

    def test_hang_up_after_unfinished(self) -> None:
        """The last words need not be whole yet when they are named as such."""
        utterance = self.call.speak()
        self.call.hang_up_after(utterance)
        utterance.write(self.sound(200))
        self.harness.advance(0.5)
        utterance.write(self.sound(200))
        utterance.end()
        self.assertEnded(0)
        self.harness.advance(1)
        self.assertEnded()

    def test_hang_up_after_played(self) -> None:
        """Words that were heard already are the last ones at once."""
        utterance = self.call.say(self.sound(100))
        self.harness.advance(0.5)
        self.call.hang_up_after(utterance)
        self.harness.advance(0.5)
        self.assertEnded()

    def test_interrupt_takes_hang_up_back(self) -> None:
        """Who speaks into the goodbye is not hung up on (BI-6)."""
        self.call.hang_up_after(self.call.say(self.sound(1000)))
        self.harness.advance(0.5)
        self.call.interrupt("speech")
        self.harness.advance(2)
        self.assertEnded(0)
        self.call.say(self.sound(100))

    def test_hang_up(self) -> None:
        """Hanging up takes nothing new, but what is queued is still heard."""
        utterance = self.call.say(self.sound(500))
        self.call.hang_up()
        self.assertRaises(CallStateError, self.call.say, self.sound(500))
        self.harness.advance(2)
        self.assertEqual(self.successResultOf(utterance.finished()), "played")
        self.assertEnded()

    def test_hang_up_twice(self) -> None:
        """Hanging up twice ends the call once."""
        self.call.hang_up()
        self.call.hang_up()
        self.harness.advance(2)
        self.call.hang_up()
        self.assertEnded()

    def test_write_while_hanging_up(self) -> None:
        """Who is in the middle of saying something learns of the end by the outcome."""
        utterance = self.call.speak()
        utterance.write(self.sound(100))
        self.call.hang_up()
        utterance.write(self.sound(100))
        self.harness.advance(2)
        utterance.write(self.sound(100))
        self.assertEqual(self.successResultOf(utterance.finished()), "lost")

    def test_caller_hangs_up(self) -> None:
        """What was not heard when the call ended is lost."""
        utterance = self.call.say(self.sound(1000))
        reached = self.call.send_mark("end")
        self.harness.advance(0.5)
        self.harness.end()
        self.harness.advance(1)
        self.assertEqual(self.successResultOf(utterance.finished()), "lost")
        self.assertEqual(self.successResultOf(reached), "lost")
        self.assertAbout(utterance.heard_ms(), 500)
        self.assertEnded()

    def test_nothing_after_the_end(self) -> None:
        """After the end nothing can be said, and silence is not an error."""
        self.harness.end()
        self.harness.advance(1)
        self.assertRaises(CallStateError, self.call.say, self.sound(20))
        self.assertRaises(CallStateError, self.call.speak)
        self.assertRaises(CallStateError, self.call.send_mark, "late")
        self.assertEqual(self.call.interrupt("late"), 0)
        self.assertFalse(self.call.is_playing)

    def test_wait_for_room_ends_with_the_call(self) -> None:
        """Who waits for room when the call ends waits no longer."""
        room = self.fill()
        self.harness.end()
        self.harness.advance(1)
        self.successResultOf(room)
        self.assertRaises(CallStateError, self.call.room)

    def test_call_later(self) -> None:
        """A function is called when its time has come, unless that was taken back."""
        called: list[str] = []
        self.call.call_later(1, lambda: called.append("kept"))
        self.call.call_later(1, lambda: called.append("cancelled")).cancel()
        self.harness.advance(0.9)
        self.assertEqual(called, [])
        self.harness.advance(0.2)
        self.assertEqual(called, ["kept"])

    def test_call_later_after_the_end(self) -> None:
        """A call that ended calls nobody any more."""
        called: list[str] = []
        self.call.call_later(1, lambda: called.append("late"))
        self.harness.end()
        self.harness.advance(2)
        self.assertEqual(called, [])

    def test_call_later_raises(self) -> None:
        """What a function raises that was called later ends the call, and is logged."""
        self.call.call_later(1, lambda: [][0])
        self.harness.advance(1.5)
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), 1)
        self.assertEnded()

    def test_warm_transfer(self) -> None:
        """A warm transfer is refused with a reason, and the call goes on."""
        refused = self.call.warm_transfer("+15550100")
        error = self.failureResultOf(refused, NotSupported).value
        self.assertIn("use transfer", str(error))
        self.call.say(self.sound(20))

    def test_recorders(self) -> None:
        """Recorders may be told at any time, and as often as one likes."""
        wishes = [
            self.call.resume_recording,
            self.call.pause_recording,
            self.call.consent_to_recording,
        ]
        for wish in wishes * 2:
            wish()
            wish()
        self.call.hang_up()
        for wish in wishes:
            wish()
        self.harness.end()
        for wish in wishes:
            wish()
        self.assertEnded()

    def test_story_that_waits(self) -> None:
        """A coroutine that still waits when its call ends is cancelled."""
        waiting: Deferred[None] = Deferred()

        async def wait() -> None:
            await waiting

        self.call.call_later(0.1, wait)
        self.harness.advance(0.2)
        self.harness.end()
        self.harness.advance(0.1)
        self.assertTrue(waiting.called)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_story_that_ends_its_call(self) -> None:
        """A coroutine that hangs up may go on to its own end."""
        done: list[str] = []

        async def leave() -> None:
            await self.call.say(self.sound(100)).finished()
            self.call.hang_up()
            done.append("done")

        self.call.call_later(0.1, leave)
        self.harness.advance(1)
        self.assertEnded()
        self.assertEqual(done, ["done"])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_spent(self) -> None:
        """Costs may be told at any time, and without a cap nothing follows."""
        self.call.spent(1000)
        self.assertRaises(ValueError, self.call.spent, -1)
        self.harness.advance(20)
        self.assertEnded(0)
        self.harness.end()
        self.call.spent(1)
        self.assertEnded()

    def test_story_that_outlives_the_call(self) -> None:
        """A coroutine that finds that its call is over ends without a noise."""
        self.diary.says_on = True
        self.call.say(self.sound(1000))
        self.harness.advance(0.2)
        self.call.interrupt("speech")
        self.harness.end()
        self.harness.advance(1)
        self.assertEnded()
        self.assertEqual(self.flushLoggedErrors(), [])
