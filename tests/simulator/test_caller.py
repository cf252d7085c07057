"""One simulated call without a socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.caller import SimulatedCall
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.script import AwaitSpeech, HangUp, Press, Say, Script, Step
from twistedvoice.simulator.wire import StreamWriter

from .service import LOUD, SPOKEN

SID = "MZ1"


def message(event: str, **content: Any) -> bytes:
    """:returns: a message of the service."""
    return json.dumps({"streamSid": SID, "event": event, **content}).encode()


def media(sound: bytes) -> bytes:
    """:returns: a message of the service that plays ``sound``."""
    return message("media", media={"payload": base64.b64encode(sound).decode()})


def mark(name: str) -> bytes:
    """:returns: a message of the service that sets a mark."""
    return message("mark", mark={"name": name})


class CallTestCase(SynchronousTestCase):
    """Has a call that has started."""

    def begin(
        self, *steps: Step, jitter_ms: int = 0, max_ms: float = 60_000
    ) -> SimulatedCall:
        """:returns: a call at time zero."""
        self.journal = Journal()
        self.call = SimulatedCall(
            StreamWriter(stream_id=SID, call_id="CA1", account_id="AC1"),
            Script(steps),
            self.journal,
            jitter_ms=jitter_ms,
            max_ms=max_ms,
        )
        self.call.start({})
        return self.call

    def run_until(self, now_ms: int, *, since_ms: int = 0) -> list[dict[str, Any]]:
        """:returns: what is sent when the call ticks on time."""
        return [
            json.loads(sent)
            for at_ms in range(since_ms + 20, now_ms + 1, 20)
            for sent in self.call.tick(at_ms)
        ]

    def noted(self, *kinds: str) -> Sequence[tuple[float, str, str]]:
        """:returns: what the journal has of these kinds."""
        return [
            (event.at_ms, event.kind, event.detail)
            for event in self.journal.happenings
            if event.kind in kinds
        ]


class SayingTests(CallTestCase):
    """The caller's sound."""

    def test_frames_come_every_20_ms(self) -> None:
        """Each tick sends the frame that just ended, stamped with its beginning."""
        self.begin(Say(b"\x01" * 320))
        sent = self.run_until(60)
        self.assertEqual([m["media"]["timestamp"] for m in sent], ["0", "20", "40"])
        self.assertEqual(base64.b64decode(sent[0]["media"]["payload"]), b"\x01" * 160)
        self.assertEqual(self.journal.said, b"\x01" * 320 + b"\xff" * 160)

    def test_late_tick_sends_all_that_is_due(self) -> None:
        """A carrier loses no frame to a late tick, and the journal tells how late."""
        call = self.begin()
        call.tick(20)
        self.assertEqual(len(call.tick(105)), 4)
        self.assertEqual(len(call.tick(120)), 1)
        self.assertEqual(self.journal.late_ms, 65.0)

    def test_early_tick_sends_nothing(self) -> None:
        """Nothing is due before its time."""
        self.assertEqual(self.begin().tick(19.999), [])

    def test_digits_go_between_frames(self) -> None:
        """A key is sent before the sound of its frame, and noted."""
        self.begin(Press("5"))
        sent = self.run_until(20)
        self.assertEqual([m["event"] for m in sent], ["dtmf", "media"])
        self.assertEqual(self.noted("digit"), [(0.0, "digit", "5")])


class HearingTests(CallTestCase):
    """What the service sends."""

    def test_sound_is_heard_at_its_time(self) -> None:
        """The ear hears sound from when it came; the arrival is in the journal."""
        call = self.begin()
        self.run_until(40)
        call.receive(media(b"\x01" * 160), False, 50.0)
        self.run_until(80, since_ms=40)
        self.assertEqual(
            self.journal.heard, b"\xff" * 400 + b"\x01" * 160 + b"\xff" * 80
        )
        self.assertEqual(self.journal.arrivals, [(50.0, 160)])

    def test_mark_is_echoed_when_reached(self) -> None:
        """A mark comes back with the tick in which the sound before it ended."""
        call = self.begin()
        call.receive(media(b"\x01" * 200), False, 0.0)
        self.assertEqual(call.receive(mark("end"), False, 0.0), [])
        self.assertEqual(
            [m["event"] for m in self.run_until(40)], ["media", "media", "mark"]
        )
        self.assertEqual(
            self.noted("mark_received", "mark_echoed"),
            [(0.0, "mark_received", "end"), (40.0, "mark_echoed", "end")],
        )

    def test_mark_alone_is_echoed_at_once(self) -> None:
        """With nothing to play, the answer needs no tick."""
        call = self.begin()
        (echo,) = call.receive(mark("here"), False, 5.0)
        self.assertEqual(json.loads(echo)["mark"], {"name": "here"})

    def test_clear_echoes_all_marks(self) -> None:
        """A clear silences the service and returns its marks; the journal says what."""
        call = self.begin()
        call.receive(media(b"\x01" * 800), False, 0.0)
        call.receive(mark("end"), False, 0.0)
        (echo,) = call.receive(message("clear"), False, 30.0)
        self.assertEqual(json.loads(echo)["mark"], {"name": "end"})
        self.assertEqual(self.noted("clear"), [(30.0, "clear", "70 ms")])
        self.run_until(60)
        self.assertEqual(self.journal.heard, b"\x01" * 240 + b"\xff" * 240)

    def test_underruns_are_in_the_journal(self) -> None:
        """A hole in what the service says is written down."""
        call = self.begin()
        call.receive(media(b"\x01" * 160), False, 0.0)
        call.receive(media(b"\x01" * 160), False, 45.0)
        self.run_until(80)
        self.assertEqual(self.journal.underruns, [(20.0, 25.0)])

    def test_problems_do_not_end_the_call(self) -> None:
        """What would end a real stream is written down, and the call goes on."""
        call = self.begin()
        call.receive(b"hello", False, 10.0)
        call.receive(b"\x00", True, 11.0)
        self.assertEqual(
            self.noted("problem"),
            [(10.0, "problem", "not JSON"), (11.0, "problem", "a binary message")],
        )
        self.assertEqual(len(self.run_until(20)), 1)

    def test_caller_reacts_to_what_the_ear_hears(self) -> None:
        """A step that waits for speech goes on when the ear hears it, not before."""
        call = self.begin(AwaitSpeech(), Press("1"), jitter_ms=60)
        self.run_until(100)
        call.receive(media(SPOKEN), False, 100.0)
        self.run_until(300, since_ms=100)
        self.assertEqual(self.noted("speech_started"), [(160.0, "speech_started", "")])
        self.assertEqual(self.noted("digit"), [(200.0, "digit", "1")])


class EndingTests(CallTestCase):
    """How a call ends, and what it is called."""

    def test_hanging_up_stops_the_stream(self) -> None:
        """After the last frame comes ``stop``, once, and nothing else ever."""
        call = self.begin(Say(LOUD), HangUp())
        sent = self.run_until(100)
        self.assertEqual([m["event"] for m in sent], ["media", "stop"])
        self.assertTrue(call.has_stopped)
        self.assertEqual(call.receive(mark("late"), False, 101.0), [])
        call.finish(105.0, clean=False)
        self.assertEqual(self.journal.outcome, "completed")
        self.assertEqual(
            self.noted("stopped", "closed"),
            [(20.0, "stopped", ""), (105.0, "closed", "")],
        )

    def test_longest_call(self) -> None:
        """The carrier ends a call that is too long, in the midst of its script."""
        self.begin(Say(LOUD * 10), max_ms=100)
        sent = self.run_until(200)
        self.assertEqual([m["event"] for m in sent], ["media"] * 5 + ["stop"])
        self.assertEqual(self.journal.outcome, "too_long")

    def test_longest_call_with_nothing_left_to_do(self) -> None:
        """A caller who just stayed on the line has done what was planned."""
        self.begin(Say(LOUD), max_ms=100)
        self.run_until(200)
        self.assertEqual(self.journal.outcome, "completed")

    def test_service_closes(self) -> None:
        """Closing is right when the caller is done, too early otherwise."""
        for until_ms, clean, outcome in [
            (20, True, "hung_up"),
            (60, True, "completed"),
            (60, False, "lost"),
        ]:
            call = self.begin(Say(LOUD * 2))
            self.run_until(until_ms)
            call.finish(until_ms + 5.0, clean=clean)
            self.assertEqual(self.journal.outcome, outcome)
            self.assertEqual(self.journal.duration_ms, until_ms + 5.0)
