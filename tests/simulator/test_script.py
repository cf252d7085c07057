"""What the caller does, step by step."""

from __future__ import annotations

import wave
from itertools import islice

from attrs import Factory, define
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.script import (
    AwaitSilence,
    AwaitSpeech,
    HangUp,
    Interrupt,
    Press,
    Say,
    Script,
    Step,
    Wait,
    plain_steps,
    say_file,
)

QUIET = b"\xff" * 160


@define
class Stage:
    """A scene that a test sets and looks at."""

    hears_speech: bool = False
    events: list[str] = Factory(list)

    def press(self, digit: str) -> None:
        self.events.append(digit)

    def hang_up(self) -> None:
        self.events.append("hang up")

    def note(self, kind: str, detail: str = "") -> None:
        self.events.append(f"{kind} {detail}".strip())


class StepTests(SynchronousTestCase):
    """Each step alone."""

    def setUp(self) -> None:
        """An empty stage."""
        self.stage = Stage()

    def frames(self, step: Step) -> list[bytes]:
        """:returns: all frames of a step."""
        return list(step.perform(self.stage))

    def test_say_cuts_whole_frames(self) -> None:
        """Speech is cut into frames of 20 ms; silence fills the last one."""
        frames = self.frames(Say(b"\x01" * 200, "hello"))
        self.assertEqual(frames, [b"\x01" * 160, b"\x01" * 40 + b"\xff" * 120])
        self.assertEqual(self.stage.events, ["saying hello"])

    def test_press_pauses_between_keys(self) -> None:
        """Keys are pressed one after the other; the last needs no time."""
        frames = Press("1#").perform(self.stage)
        self.assertEqual(list(islice(frames, 12)), [QUIET] * 12)
        self.assertEqual(self.stage.events, ["1"])
        self.assertEqual(list(frames), [])
        self.assertEqual(self.stage.events, ["1", "#"])

    def test_wait_rounds_up(self) -> None:
        """Waiting takes whole frames, never less than asked."""
        self.assertEqual(self.frames(Wait(50)), [QUIET] * 3)

    def test_await_speech_and_silence(self) -> None:
        """Waiting for the service ends with the frame in which it does so."""
        cases: list[tuple[Step, bool]] = [
            (AwaitSpeech(), True),
            (AwaitSilence(), False),
        ]
        for step, wanted in cases:
            self.stage.hears_speech = not wanted
            frames = step.perform(self.stage)
            self.assertEqual(len(list(islice(frames, 30))), 30)
            self.stage.hears_speech = wanted
            self.assertEqual(list(frames), [])
        self.assertEqual(self.stage.events, [])

    def test_patience_ends(self) -> None:
        """A service that never speaks is waited for as long as told, then noted."""
        self.assertEqual(len(self.frames(AwaitSpeech(patience_ms=100))), 5)
        self.assertEqual(self.stage.events, ["gave_up speech"])

    def test_interrupt_speaks_over_the_service(self) -> None:
        """The caller lets the service speak for a while, then speaks."""
        frames = Interrupt(b"\x01" * 160, after_ms=40).perform(self.stage)
        self.assertEqual(list(islice(frames, 3)), [QUIET] * 3)
        self.stage.hears_speech = True
        self.assertEqual(list(frames), [QUIET, QUIET, b"\x01" * 160])
        self.assertEqual(self.stage.events, ["interrupting", "saying"])


class ScriptTests(SynchronousTestCase):
    """The whole of a script."""

    def test_caller_stays_on_the_line(self) -> None:
        """After the last step the caller is silent without end."""
        frames = Script([Say(b"\x01" * 160)]).frames(Stage())
        self.assertEqual(list(islice(frames, 3)), [b"\x01" * 160, QUIET, QUIET])

    def test_done_when_only_waiting_is_left(self) -> None:
        """A script is done once everything was said and pressed to the end."""
        script = Script([Say(b"\x01" * 160), Wait(40), HangUp()])
        frames = script.frames(Stage())
        self.assertFalse(script.is_done)
        next(frames)
        self.assertFalse(script.is_done)
        next(frames)
        self.assertTrue(script.is_done)

    def test_plain_call(self) -> None:
        """A plain caller listens before and after each thing to do, and hangs up."""
        say = Say(b"\x01")
        kinds = [type(step).__name__ for step in plain_steps(say, "12")]
        listen = ["AwaitSpeech", "AwaitSilence"]
        self.assertEqual(kinds, [*listen, "Say", *listen, "Press", *listen, "HangUp"])
        self.assertEqual(len(plain_steps(None, "")), 3)

    def test_say_file_converts(self) -> None:
        """A WAV file of any kind becomes mu-law at 8 kHz, named after the file."""
        path = self.mktemp() + ".wav"
        with wave.open(path, "wb") as file:
            file.setparams((2, 3, 48000, 4800, "NONE", ""))
            file.writeframes(bytes(4800 * 6))
        say = say_file(path)
        self.assertEqual(say.audio, b"\xff" * 800)
        self.assertTrue(path.endswith(say.name))
        self.assertNotIn("/", say.name)
