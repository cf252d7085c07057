# -*- test-case-name: tests.speech.test_voicemail -*-
"""A person is told from a machine by how long either speaks, and by the beep."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.audio.test_beep import sounding
from twistedvoice.agents import prompts
from twistedvoice.audio.wav import load
from twistedvoice.formats import MULAW_8K
from twistedvoice.simulator import speech
from twistedvoice.speech.voicemail import Voicemail, VoicemailRules


def spoken(package: object, name: str) -> bytes:
    """:returns: a sample of speech."""
    folder = Path(getattr(package, "__path__")[0])  # noqa: B009
    return load(folder / f"{name}.wav", MULAW_8K)


SHORT = spoken(speech, "caller_thanks")
LONG = spoken(prompts, "hours")
SILENCE = sounding(2000)
BEEP = sounding(400, 1000)


class VoicemailTests(SynchronousTestCase):
    """What is heard at the beginning of a call."""

    def hear(
        self, *sounds: bytes, rules: VoicemailRules | None = None
    ) -> list[tuple[str, int]]:
        """:returns: what was decided, and at what millisecond."""
        voicemail = Voicemail(MULAW_8K, rules=rules)
        audio = b"".join(sounds)
        decided = [
            (voicemail.frame(audio[start : start + 160]), start // 8)
            for start in range(0, len(audio), 160)
        ]
        return [(what, at) for what, at in decided if what is not None]

    def test_person(self) -> None:
        """Who says something short and waits is a person."""
        [(what, at)] = self.hear(SILENCE, SHORT, SILENCE)
        self.assertEqual(what, "person")
        self.assertLess(at, 2000 + 1200 + 900)

    def test_machine(self) -> None:
        """Who goes on speaking is a machine; that is known while it speaks."""
        [(what, at)] = self.hear(SILENCE, LONG, SILENCE)
        self.assertEqual(what, "machine")
        self.assertLess(abs(at - 2000 - 2500), 300)

    def test_beep(self) -> None:
        """When the machine has beeped, a message may be left."""
        heard = self.hear(LONG, SILENCE, BEEP, SILENCE)
        self.assertEqual([what for what, _ in heard], ["machine", "beep"])
        end = (len(LONG) + len(SILENCE) + len(BEEP)) // 8
        self.assertLess(abs(heard[1][1] - end - 100), 40)

    def test_short_greeting(self) -> None:
        """A beep puts it right when a machine with a short greeting passed for one."""
        heard = self.hear(SHORT, SILENCE, BEEP, SILENCE)
        self.assertEqual([what for what, _ in heard], ["person", "beep"])

    def test_beep_at_once(self) -> None:
        """A machine that does nothing but beep is one, and no person afterwards."""
        heard = self.hear(SILENCE, BEEP, SILENCE, SHORT, SILENCE)
        self.assertEqual([what for what, _ in heard], ["beep"])

    def test_nobody(self) -> None:
        """Nothing is decided of who says nothing, and by a click."""
        self.assertEqual(self.hear(SILENCE, b"\x00" * 160, SILENCE), [])

    def test_rules(self) -> None:
        """How long a hello may be, and how long a person waits, can be set."""
        strict = VoicemailRules(hello_ms=600, wait_ms=400)
        [(what, _)] = self.hear(SHORT, SILENCE, rules=strict)
        self.assertEqual(what, "machine")

    def test_odd_frame(self) -> None:
        """What is no frame of 20 ms is not looked at."""
        voicemail = Voicemail(MULAW_8K)
        self.assertIsNone(voicemail.frame(b"\x00" * 100))
