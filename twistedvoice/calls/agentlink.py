# -*- test-case-name: tests.calls.test_agentlink -*-
"""The line between a call and its agent, where an agent's faults end.

Whatever an agent raises, at once or later, is reported once and fails its own call.
Once the call takes nothing new, an agent that did not notice is no failure. The
coroutines it left waiting are cancelled when the call is over. What its exceptions say
may hold what the caller pressed or said, so only their type and place are logged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutine
from traceback import extract_tb

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import CallStateError
from ..interfaces import Agent, CallControl

__all__ = ["AgentLink"]

_log = Logger()


class AgentLink:
    """Tells one agent what happens in its call."""

    def __init__(
        self, agent: Agent, call_id: str, failed: Callable[[], object]
    ) -> None:
        """:param failed: called once, when the agent first raised something."""
        self.agent = agent
        self._call_id = call_id
        self._failed: Callable[[], object] | None = failed
        self._ending = False
        self._running: dict[Deferred[object], None] = {}

    def started(self, call: CallControl) -> None:
        """Give the agent its call, and tell it that the call has begun."""

        def introduce() -> Awaitable[object] | None:
            setattr(self.agent, "call", call)  # noqa: B010 - the protocol lacks it
            return self.agent.call_started(call)

        self.run(introduce)

    def heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Pass a frame of the caller's sound on."""
        try:
            self.agent.audio_heard(payload, timestamp_ms)
        except BaseException:  # the boundary of the agent, sys.exit included
            self._raised(Failure())

    def tell(self, event: str, *details: str) -> None:
        """Call the agent's method for an event."""
        self.run(lambda: getattr(self.agent, event)(*details))

    def run(self, function: Callable[[], Awaitable[object] | None]) -> None:
        """Call a function of the agent; when it is asynchronous, see it through."""
        try:
            result = function()
            if result is not None:
                self._see_through(result)
        except BaseException:  # the boundary of the agent, sys.exit included
            self._raised(Failure())

    def ending(self) -> None:
        """The call takes nothing new: who tries still is told, and has not failed."""
        self._ending = True

    def over(self, outcome: str) -> None:
        """The call is over: tell the agent, and cancel what it still waits for."""
        self._failed = None
        running, self._running = self._running, {}
        self.tell("call_ended", outcome)
        for deferred in running:
            deferred.cancel()

    def _see_through(self, awaitable: Awaitable[object]) -> None:
        if isinstance(awaitable, Deferred):
            running = awaitable
        elif iscoroutine(awaitable):
            running = Deferred.fromCoroutine(awaitable)
        else:
            raise TypeError(f"cannot await {type(awaitable).__name__}")
        self._running[running] = None
        running.addErrback(self._raised)
        running.addBoth(lambda _: self._running.pop(running, None))

    def _raised(self, failure: Failure) -> None:
        if not (self._ending and failure.check(CancelledError, CallStateError)):
            self._report(failure)
        # A traceback holds the frames of all who called, and by them the call.
        failure.cleanFailure()

    def _report(self, failure: Failure) -> None:
        failed, self._failed = self._failed, None
        failure = _unsaid(failure)
        if failed is not None:
            _log.failure("agent of {call_id} raised", failure, call_id=self._call_id)
            failed()
        else:
            _log.failure(
                "agent of {call_id} raised after its call",
                failure,
                call_id=self._call_id,
            )


def _unsaid(failure: Failure) -> Failure:
    """:returns: a failure of the same type that says where it was, and not what."""
    places = [
        f"{place.filename}:{place.lineno} in {place.name}"
        for place in extract_tb(failure.getTracebackObject())
    ]
    return Failure(Exception("\n  ".join(["raised at", *places])), failure.type)
