# -*- test-case-name: tests.agents.openai.test_agent tests.agents.cascade.test_agent -*-
"""What every agent does whose model is elsewhere, whichever way it talks with it.

It greets by a file, hangs up or puts the caller through when the model wants that, and
says what was said to whoever derives from it. When there is no model any more the
caller hears an apology, and is put through or hung up on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import CallStateError, CarrierApiError
from ...interfaces import Utterance
from ..agent import Agent
from ..leaving import leave
from ..tools import Toolbox, tool
from .house import House
from .memory import Line

__all__ = ["LONGEST_WAIT_SECONDS", "RETRY_SECONDS", "RemoteAgent"]

#: Failed answers in a row after which the model is given up.
_MOST_FAILURES = 3
#: How long until an answer that failed is asked for again, at least and at most.
RETRY_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 5.0

_T = TypeVar("_T")


class _Spoken(Protocol):
    """What the agent says in one call."""

    def last(self) -> Deferred[Utterance | None]:
        """:returns: fires with what is said last; None when nothing is being said."""

    def heard(self) -> Deferred[str]:
        """:returns: fires when all was heard, or with ``cleared`` when it never is."""


class RemoteAgent(Agent):
    """Talks with the caller by a model elsewhere; derive each way to do so from it."""

    _log = Logger()
    _speech: _Spoken

    def __init__(self, house: House[Any]) -> None:
        self._house = house
        self._conduct = house.conduct
        self._clock = house.outside.clock
        self._began = self._clock.seconds()
        self._toolbox = Toolbox(self, house.tools)
        #: Nothing that the caller says is passed on.
        self._is_deaf = self._conduct.protect_greeting
        #: Goodbye is being said.
        self.is_leaving = False
        self._failures = 0

    # -- for subclasses ----------------------------------------------------------------

    def transcribed(self, line: Line) -> object:
        """
        Something was said, by either side, and it is known what; for subclasses.

        May be a coroutine. Never log it: it is what people say on the phone.
        """

    @tool("End the call. Say goodbye first, then call this.")
    def hang_up(self) -> str:
        """End the call once the last words were heard."""

        def begun(last: Utterance | None) -> None:
            if last is not None and self.is_leaving:
                self.call.hang_up_after(last)
            elif self.is_leaving:
                self.call.hang_up()

        self.is_leaving = True
        self._then(self._speech.last(), begun)
        return "done"

    @tool(
        "Put the caller through to a person. Say so first, then call this.",
        timeout_seconds=60.0,
    )
    async def transfer(self) -> object:
        """Hand the caller over once the last words were heard."""
        if await self._speech.heard() == "cleared":
            return {"error": "the caller spoke, and was not put through"}
        try:
            await self.call.transfer(self._conduct.transfer)
        except (CarrierApiError, CallStateError):
            return {"error": "the caller could not be put through"}
        return "done"

    # -- from the greeting to the apology ----------------------------------------------

    def _greet(self, path: Path) -> None:
        greeting = self.call.say(self._house.sound(path, self.call.format))
        self._then(greeting.finished(), self._greeted)
        self._note(Line(who="agent", text=self._conduct.greeting_text, at_ms=0))

    def _greeted(self, outcome: str) -> None:
        self._is_deaf = self._is_deaf and self.is_leaving

    def _may_ask_again(self, reason: str, *, hopeless: bool) -> bool:
        """:returns: whether an answer that failed may be asked for once more."""
        self._log.warn(
            "an answer on {call_id} failed: {reason}",
            call_id=self.call.call_id,
            reason=reason,
        )
        self._failures += 1
        return not hopeless and self._failures < _MOST_FAILURES

    def _apologise(self) -> None:
        """There is no model any more: another number then, or the end."""
        self.is_leaving = self._is_deaf = True
        apology = self._house.sound(self._conduct.apology, self.call.format)
        self._then(self.call.say(apology).finished(), self._leave)

    def _leave(self, outcome: str) -> None:
        if outcome != "lost":
            is_handed_on = self._conduct.on_failure == "transfer"
            number = self._conduct.transfer if is_handed_on else ""
            leave(self.call, number).addErrback(self._failed)

    # -- within ------------------------------------------------------------------------

    def _note(self, line: Line) -> None:
        if line.text:
            maybeDeferred(self.transcribed, line).addErrback(self._failed)

    def _now_ms(self) -> int:
        return round((self._clock.seconds() - self._began) * 1000)

    def _then(self, waiting: Deferred[_T], function: Callable[[_T], None]) -> None:
        then: Deferred[Any] = waiting
        then.addCallback(function).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        """Something that runs beside the call's own events raised: end the call."""
        if not isinstance(failure.value, CallStateError):
            # Its message may hold what people said.
            self._log.error(
                "the agent of {call_id} raised {kind}",
                call_id=self.call.call_id,
                kind=type(failure.value).__name__,
            )
            self.call.hang_up()
