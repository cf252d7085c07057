"""A real service whose agent talks with the double of OpenAI over a real socket."""

from __future__ import annotations

from tests.agents.openai.talk import sound_of
from tests.integration.models import (
    ANSWER,
    HELLO,
    KEY,
    DoubleCommandCase,
    ModelCallCase,
)
from tests.integration.process import reactor
from twistedvoice.doubles.openai.plan import Plan
from twistedvoice.doubles.openai.service import OpenAiDouble
from twistedvoice.doubles.plan import Reply

__all__ = ["CallTests", "CommandTests"]


class CallTests(ModelCallCase):
    """A caller, a carrier, the service and the model."""

    async def test_call(self) -> None:
        """The model greets, hears the caller, and answers; its key is nowhere."""
        replies = [Reply(says=HELLO), Reply(says=ANSWER)]
        double = OpenAiDouble(reactor, Plan(key=KEY, replies=replies))
        journal = await self.called("openai", double, "/v1/realtime")
        self.assert_conversation(journal, double, sound_of)
        spoken = bytes(journal.said)
        self.assertIn(spoken[16_000:17_600], bytes(double.session.heard))


class CommandTests(DoubleCommandCase):
    """``python -m twistedvoice.doubles.openai``."""

    module = "twistedvoice.doubles.openai"

    async def test_command(self) -> None:
        """It says where it is, and lets in who has the key."""
        await self.let_in("?model=m", Authorization="Bearer sk-mine")
