"""Agents that use more of their call; one for each section of the page."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred

from twistedvoice.agents import prompts
from twistedvoice.agents.agent import Agent
from twistedvoice.agents.digits import Keypad
from twistedvoice.agents.silence import Silence
from twistedvoice.audio.wav import load
from twistedvoice.errors import NotSupported
from twistedvoice.interfaces import CallControl
from twistedvoice.speech.bargein import BargeIn, BargeInRules
from twistedvoice.speech.recital import Recital
from twistedvoice.speech.turns import Turns
from twistedvoice.speech.vad import new_detector
from twistedvoice.speech.voicemail import Voicemail

SOUNDS = Path(prompts.__path__[0])
CODE, THANKS, SORRY, HOURS, GOODBYE, MUSIC, STORY = (
    str(SOUNDS / f"{name}.wav")
    for name in ("code", "thanks", "sorry", "hours", "goodbye", "hold", "story")
)


class Reader(Agent):
    """Says what comes bit by bit, for as long as somebody listens."""

    async def call_started(self, call: CallControl) -> None:
        utterance = call.speak()
        finished = utterance.finished()
        for _ in range(600):
            if finished.called:
                return
            utterance.write(call.format.silence(call.format.bytes_per_second))
            await call.room()
        utterance.end()


class Storyteller(Agent):
    """Tells a story until the caller says something."""

    def call_started(self, call: CallControl) -> None:
        recital = Recital(call)
        self.gate = BargeIn(call, recital, BargeInRules())
        self.turns, self.detector = Turns(), new_detector(call.format)
        recital.say(load(STORY, call.format))

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        turn = self.turns.frame(self.detector.is_voiced(payload))
        if turn == "started":
            self.gate.speech_started()
        elif turn == "ended":
            spoken_ms = self.turns.spoken_ms
            self.gate.speech_ended(understood=False, spoken_ms=spoken_ms)


class Cashier(Agent):
    """Asks for a code that no recording shall have."""

    async def call_started(self, call: CallControl) -> None:
        self.keypad = Keypad(call)
        call.pause_recording()
        await self.keypad.collect(most=4, prompt=await call.say_file(CODE))
        call.resume_recording()
        call.hang_up_after(await call.say_file(THANKS))

    def digit_pressed(self, digit: str) -> None:
        self.keypad.press(digit)


class Operator(Agent):
    """Hands callers over, as politely as can be."""

    async def call_started(self, call: CallControl) -> None:
        """Try the warm way first."""
        try:
            await call.warm_transfer("+15550100")
        except NotSupported:
            await call.transfer("+15550100")


class Extension(Agent):
    """Dials on, where a machine asks for an extension."""

    async def call_started(self, call: CallControl) -> None:
        """Wait a second, press three keys, and hang up once they were heard."""
        await call.send_digits("ww42#").finished()
        call.hang_up()


class Thrifty(Agent):
    """Pays a cent for each second that it listens."""

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        self.call.spent(0.0002)

    async def must_end(self, reason: str) -> None:
        self.call.hang_up_after(await self.call.say_file(GOODBYE))


class Waiting(Agent):
    """Plays music until it has found what the caller wants."""

    async def call_started(self, call: CallControl) -> None:
        music = await call.hold_file(MUSIC)
        await self.find()
        music.resume()
        call.hang_up_after(await call.say_file(GOODBYE))

    def find(self) -> Deferred[None]:
        """Take half a minute."""
        found: Deferred[None] = Deferred()
        self.call.call_later(30, lambda: found.callback(None))
        return found


class Doorkeeper(Agent):
    """Asks for a code of four digits."""

    async def call_started(self, call: CallControl) -> None:
        self.keypad = Keypad(call)
        code = await self.keypad.collect(most=4, prompt=await call.say_file(CODE))
        call.hang_up_after(await call.say_file(THANKS if code else GOODBYE))

    def digit_pressed(self, digit: str) -> None:
        self.keypad.press(digit)


class Host(Agent):
    """Says sorry to who says nothing for six seconds, and then hangs up."""

    def call_started(self, call: CallControl) -> None:
        self.silence = Silence(call, ask=self.ask, seconds=6, times=1)

    async def ask(self) -> None:
        await self.call.say_file(SORRY)

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        self.silence.frame(payload)

    def digit_pressed(self, digit: str) -> None:
        self.silence.heard()


class Messenger(Agent):
    """Tells the opening hours to a person, or to a machine after its beep."""

    def call_started(self, call: CallControl) -> None:
        self.voicemail = Voicemail(call.format)

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        heard = self.voicemail.frame(payload)
        if heard in ("person", "beep"):
            self.call.interrupt("begin again")
            self.call.call_later(0, self.tell)

    async def tell(self) -> None:
        self.call.hang_up_after(await self.call.say_file(HOURS))
