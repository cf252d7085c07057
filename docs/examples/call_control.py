"""Agents that use more of their call; one for each section of the page."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred

from twistedvoice.agents import prompts
from twistedvoice.agents.agent import Agent
from twistedvoice.agents.digits import Keypad
from twistedvoice.agents.silence import Silence
from twistedvoice.errors import NotSupported
from twistedvoice.interfaces import CallControl
from twistedvoice.speech.voicemail import Voicemail

SOUNDS = Path(prompts.__path__[0])
CODE, THANKS, SORRY, HOURS, GOODBYE, MUSIC = (
    str(SOUNDS / f"{name}.wav")
    for name in ("code", "thanks", "sorry", "hours", "goodbye", "hold")
)


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
