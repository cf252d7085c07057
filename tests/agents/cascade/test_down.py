# -*- test-case-name: tests.agents.cascade.test_down -*-
"""Services that are down from the beginning, all of them or one alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from twistedvoice.agents.model.conduct import _APOLOGY
from twistedvoice.agents.prompts import __file__ as prompts
from twistedvoice.audio.wav import load
from twistedvoice.doubles.cartesia import Mishap
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.formats import MULAW_8K

from .talk import Talk, TalkCase

__all__ = ["DownTests"]

_TRANSFER = ("transfer", "+15550100")
_REFUSED = [503] * 9
_WELCOME = prompts.replace("__init__.py", "welcome.wav")


class DownTests(TalkCase):
    """The caller is greeted, told, and put through."""

    def assert_handed_on(self, break_down: Callable[[Talk], object]) -> None:
        """Greeting, apology and transfer follow each other, whatever is said."""
        settings = {"on_failure": "transfer", "transfer": "+15550100"}
        talk = self.talk(
            settings={"greeting": _WELCOME, "answer_seconds": 2, **settings}
        )
        break_down(talk)
        call = talk.start(6)
        talk.says("hello", 60)
        sounds = [load(path, MULAW_8K) for path in (_WELCOME, _APOLOGY)]
        self.assertTrue(call.heard.startswith(sounds[0]))
        self.assertIn(sounds[1], call.heard[len(sounds[0]) :])
        self.assertEqual(call.events[-2:], [_TRANSFER, ("ended", "transferred")])

    def test_every_provider_down(self) -> None:
        """A call with every provider down still greets, apologises and transfers."""

        def all_down(talk: Talk) -> None:
            talk.network.answers = False
            talk.chat.plan.replies += [ChatReply(status=503)] * 9

        self.assert_handed_on(all_down)

    def test_deepgram_down(self) -> None:
        """Nobody hears."""
        self.assert_handed_on(lambda talk: talk.deepgram.plan.refusals.extend(_REFUSED))

    def test_chat_down(self) -> None:
        """Nobody thinks: refused, silent, or cut off."""
        for reply in (
            ChatReply(status=503),
            ChatReply(hangs=True),
            ChatReply(says="well", breaks_after=0),
        ):
            replies = [reply] * 9
            self.assert_handed_on(partial(self.plan_answers, replies))

    def plan_answers(self, replies: Sequence[ChatReply], talk: Talk) -> None:
        """Have the model answer so."""
        talk.chat.plan.replies += replies

    def test_cartesia_down(self) -> None:
        """Nobody speaks: refused, silent, or cut off."""
        self.assert_handed_on(lambda talk: talk.cartesia.plan.refusals.extend(_REFUSED))
        for mishap in (Mishap(hangs=True), Mishap(breaks_after_ms=0)):
            self.assert_handed_on(partial(self.plan_mishaps, [mishap] * 9))

    def plan_mishaps(self, mishaps: Sequence[Mishap], talk: Talk) -> None:
        """Have the voice fail so."""
        talk.cartesia.plan.mishaps += mishaps
