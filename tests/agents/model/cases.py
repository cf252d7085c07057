"""What every agent stands whose model is elsewhere, whichever it is.

Mix :class:`TurnCases`, :class:`FunctionCases` and :class:`FailureCases` into a
:class:`~.talk.RemoteCase`, and :class:`LossCases` into a :class:`~.talk.TalkCase`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import Deferred

from twistedvoice.agents.model.conduct import _APOLOGY
from twistedvoice.agents.model.house import House
from twistedvoice.agents.model.memory import Line
from twistedvoice.agents.model.remote import RemoteAgent
from twistedvoice.agents.tools import tool
from twistedvoice.audio.wav import load
from twistedvoice.doubles.plan import Reply
from twistedvoice.errors import CarrierApiError
from twistedvoice.formats import MULAW_8K
from twistedvoice.testing import FakeCall

from .talk import SPEECH, RemoteCase, TalkCase

if TYPE_CHECKING:
    _RemoteMixin = RemoteCase
    _Mixin = TalkCase
else:
    _RemoteMixin = object
    _Mixin = object

__all__ = [
    "APOLOGY",
    "HELLO",
    "TALE",
    "ClerkTools",
    "FailureCases",
    "FunctionCases",
    "LossCases",
    "TurnCases",
]

HELLO, TALE = "hello there", "once upon a time there was a very long story"
APOLOGY = load(_APOLOGY, MULAW_8K)
APOLOGY += b"\xff" * (-len(APOLOGY) % 160)


class ClerkTools(RemoteAgent):
    """Functions of an agent's own, and what was said."""

    def __init__(self, house: House[Any]) -> None:
        super().__init__(house)
        self.lines: list[tuple[str, str]] = []

    @tool("Look an order up.", {"number": {"type": "string"}})
    def order(self, number: str) -> object:
        """Know one order."""
        return {"state": "sent"} if number == "17" else {"error": "no such order"}

    @tool("Wait.", {"seconds": {"type": "number"}}, timeout_seconds=3)
    async def wait(self, seconds: float) -> object:
        """Take its time."""
        done: Deferred[None] = Deferred()
        self.call.call_later(seconds, lambda: done.callback(None))
        await done
        return "waited"

    def transcribed(self, line: Line) -> None:
        """Note it."""
        self.lines.append((line.who, line.text))


class TurnCases(_RemoteMixin):
    """Who says what, and what is known of it."""

    clerk: ClassVar[type[RemoteAgent]]

    def test_own_greeting(self) -> None:
        """A greeting of our own is said at once, and the model is not asked for one."""
        talk = self.talk(settings={"greeting": str(_APOLOGY), "greeting_text": "Oh."})
        call = talk.start(0.02)
        self.assertEqual(call.heard, APOLOGY[:160])
        call.advance(9)
        self.assertEqual(call.heard, APOLOGY)

    def test_protected_greeting(self) -> None:
        """A greeting may be protected: the caller is heard when it is over."""
        for greeting in ({}, {"greeting": str(_APOLOGY)}):
            settings = {"protect_greeting": True, **greeting}
            talk = self.talk(self.reply(says=TALE), settings=settings)
            call = talk.start(0.5)
            call.hear(SPEECH)
            self.assertEqual((call.events, talk.heard()), ([], b""))
            call.advance(5)
            talk.speak()
            self.assertNotEqual(talk.heard(), b"")

    def test_both_sides(self) -> None:
        """The author hears both sides; of a cut answer only what was heard."""
        talk = self.talk(
            *(self.reply(says=text) for text in (HELLO, TALE, "fine")),
            agent=self.clerk,
            transcripts=["tell me a story", "enough"],
        )
        call = talk.start(2)
        talk.speak(1)
        talk.speak(2)
        call.caller_hangs_up()
        agent: Any = call.agent
        (who, first), second, (third_who, cut), *rest = agent.lines
        self.assertEqual((who, first), ("agent", HELLO))
        self.assertEqual(second, ("caller", "tell me a story"))
        self.assertEqual(third_who, "agent")
        self.assertTrue(cut and TALE.startswith(cut) and cut != TALE, cut)
        self.assertEqual(rest, [("caller", "enough"), ("agent", "fine")])

    def test_while_it_rings(self) -> None:
        """What was opened while the phone rang is what the call uses."""
        talk = self.talk(self.reply(says=HELLO))
        talk.house.expect(FakeCall.call_id)
        for _ in range(100):
            talk.clock.advance(0.02)
        opened = len(talk.network.requests)
        call = talk.start(2)
        self.assertEqual(call.heard, self.sound_of(HELLO))
        self.assertEqual(len(talk.network.requests), opened)


class FunctionCases(_RemoteMixin):
    """Functions that the model calls."""

    clerk: ClassVar[type[RemoteAgent]]
    #: What a model says that goes on by itself when a function has ended.
    after_results: ClassVar[Sequence[Any]] = ()

    def test_too_slow(self) -> None:
        """A function has its time; the model is told that it was over."""
        calls = [("wait", {"seconds": 10})]
        talk = self.talk(
            self.reply(calls=calls), self.reply(says=HELLO), agent=self.clerk
        )
        call = talk.start(6)
        self.assertEqual(talk.results(), ['{"error": "it took too long"}'])
        self.assertEqual(call.heard, self.sound_of(HELLO))

    def test_hang_up(self) -> None:
        """The model may end the call where it is allowed, after its last words."""
        for settings in ({}, {"functions": ["hang_up"]}):
            bye = self.reply(says=HELLO, calls=[("hang_up", {})])
            talk = self.talk(bye, self.reply(), settings=settings)
            call = talk.start(3)
            self.assertEqual(call.ended, bool(settings))
            self.assertEqual(call.heard, self.sound_of(HELLO))

    def test_hang_up_without_a_word(self) -> None:
        """A model that has said nothing hangs up at once."""
        talk = self.talk(
            self.reply(calls=[("hang_up", {})]), settings={"functions": "hang_up"}
        )
        self.assertTrue(talk.start(1).ended)

    def test_hang_up_taken_back(self) -> None:
        """A caller who speaks into the goodbye is listened to."""
        bye = self.reply(says=TALE, calls=[("hang_up", {})])
        replies = [bye, *self.after_results, self.reply(says=HELLO)]
        talk = self.talk(*replies, settings={"functions": "hang_up"})
        call = talk.start(1)
        talk.speak(2)
        self.assertFalse(call.ended)
        self.assertTrue(call.heard.endswith(self.sound_of(HELLO)))

    def transfer(self, *replies: Any) -> Any:
        """:returns: a call in which the model wants to put the caller through."""
        settings: dict[str, object] = {"functions": "transfer"}
        settings["transfer"] = "+15550100"
        first = self.reply(says=TALE, calls=[("transfer", {})])
        return self.talk(first, *replies, settings=settings)

    def test_transfer(self) -> None:
        """The caller is put through once that was heard, to the set number."""
        talk = self.transfer()
        call = talk.start(2)
        self.assertEqual(call.events, [])
        call.advance(2)
        self.assertEqual(call.events[0], ("transfer", "+15550100"))
        self.assertEqual(call.heard, self.sound_of(TALE))

    def test_transfer_fails(self) -> None:
        """When the carrier says no, the model is told and the call goes on."""
        talk = self.transfer(self.reply(says=HELLO))
        call = talk.start()
        call.transfer_error = CarrierApiError(
            "no", status=500, code=None, retryable=False
        )
        call.advance(5)
        self.assertIn("could not be put through", str(talk.results()))
        self.assertTrue(call.heard.endswith(self.sound_of(HELLO)))

    def test_transfer_interrupted(self) -> None:
        """A caller who speaks first stays."""
        talk = self.transfer(self.reply(says=HELLO))
        call = talk.start(1)
        talk.speak(3)
        self.assertEqual([what for what, _ in call.events], ["interrupt"])


class FailureCases(_RemoteMixin):
    """Nobody to talk with."""

    def assert_apologised(self, talk: Any, outcome: str) -> None:
        """The last that the caller heard is the apology; then the call ended so."""
        talk.call.advance(60)
        self.assertTrue(talk.call.heard.endswith(APOLOGY))
        self.assertEqual(talk.call.events[-1], ("ended", outcome))

    def test_refused(self) -> None:
        """With a wrong key there is an apology at once, and then the end."""
        talk = self.talk()
        talk.refuse(401)
        talk.start(0.1)
        self.assertEqual(talk.call.said, APOLOGY)
        self.assert_apologised(talk, "hung_up")

    def test_every_provider_down(self) -> None:
        """A call with every provider down still greets, apologises and transfers."""
        settings = {"greeting": str(_APOLOGY), "transfer": "+15550100"}
        settings["on_failure"] = "transfer"
        talk = self.talk(settings=settings)
        talk.network.answers = False
        call = talk.start()
        call.advance(0.02)
        self.assertEqual(call.heard, APOLOGY[:160])
        self.assert_apologised(talk, "transferred")
        self.assertEqual(call.said, APOLOGY + APOLOGY)

    def test_transfer_fails_too(self) -> None:
        """When not even the transfer works the call is ended."""
        settings = {"on_failure": "transfer", "transfer": "+15550100"}
        talk = self.talk(settings=settings)
        talk.refuse(400)
        call = talk.start()
        call.transfer_error = CarrierApiError(
            "no", status=500, code=None, retryable=False
        )
        self.assert_apologised(talk, "hung_up")


class LossCases(FailureCases, _Mixin):
    """Sessions that are lost, and models that are not there."""

    def test_lost_now_and_then(self) -> None:
        """Losses count in a row; one session that was of use forgives them."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(2)
        for _ in range(5):
            talk.session.break_off(1011)
            call.advance(40)
        self.assertEqual(len(talk.double.sessions), 6)
        self.assertEqual(call.events, [])

    def test_lost_before_the_greeting(self) -> None:
        """A caller who was not greeted yet is greeted by the next session."""
        talk = self.talk(Reply(says=HELLO), refusals=[503])
        call = talk.start(3)
        self.assertEqual(call.heard, self.sound_of(HELLO))
        self.assertEqual(talk.asked(), 1)

    def test_mute(self) -> None:
        """A model that does not answer is replaced, and given up in the end."""
        talk = self.talk(Reply(hangs=True), Reply(hangs=True), Reply(hangs=True))
        talk.start(40)
        self.assertEqual(len(talk.double.sessions), 3)
        self.assert_apologised(talk, "hung_up")

    def test_not_set_up(self) -> None:
        """An API that lets in but says nothing is no session."""
        talk = self.talk(mute=True)
        talk.start(30)
        self.assertEqual(len(talk.double.sessions), 3)
        self.assert_apologised(talk, "hung_up")

    def test_answer_breaks_off(self) -> None:
        """An answer that comes in part and then no more is not waited for."""
        talk = self.talk(Reply(says=TALE), Reply(says=HELLO), piece_every_seconds=30)
        call = talk.start(5)
        talk.plan.piece_every_seconds = 0.02
        call.advance(20)
        self.assertEqual(len(talk.double.sessions), 2)
        self.assertTrue(call.heard.endswith(self.sound_of(HELLO)))
