"""Says hello and hangs up; a key cuts it short. The example of docs/write-an-agent."""

from __future__ import annotations

from pathlib import Path

from twistedvoice.agents import prompts
from twistedvoice.agents.agent import Agent
from twistedvoice.interfaces import CallControl

HELLO = str(Path(prompts.__path__[0]) / "welcome.wav")


class HelloAgent(Agent):
    """Says hello to everyone."""

    async def call_started(self, call: CallControl) -> None:
        hello = await call.say_file(HELLO)
        call.hang_up_after(hello)

    def digit_pressed(self, digit: str) -> None:
        self.call.interrupt("digit")
        self.call.hang_up()
