"""A real service whose agent talks with the double of Gemini over a real socket."""

from __future__ import annotations

from tests.agents.gemini.talk import sound_of
from tests.integration.models import (
    ANSWER,
    HELLO,
    KEY,
    DoubleCommandCase,
    ModelCallCase,
)
from tests.integration.process import reactor
from twistedvoice.doubles.gemini.plan import Plan
from twistedvoice.doubles.gemini.service import PATH, GeminiDouble
from twistedvoice.doubles.plan import Reply

__all__ = ["CallTests", "CommandTests"]


class CallTests(ModelCallCase):
    """A caller, a carrier, the service and the model."""

    async def test_call(self) -> None:
        """The model greets, hears the caller, and answers; its key is nowhere."""
        replies = [Reply(says=HELLO), Reply(says=ANSWER)]
        double = GeminiDouble(reactor, Plan(key=KEY, replies=replies))
        journal = await self.called("gemini", double, PATH)
        self.assert_conversation(journal, double, sound_of)


class CommandTests(DoubleCommandCase):
    """``python -m twistedvoice.doubles.gemini``."""

    module = "twistedvoice.doubles.gemini"

    async def test_command(self) -> None:
        """It says where it is, and lets a client in."""
        await self.let_in("?key=sk-mine")
