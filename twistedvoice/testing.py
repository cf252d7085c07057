# -*- test-case-name: tests.test_testing -*-
"""A telephone call without a telephone, for the tests of agents.

:class:`FakeCall` is what an agent gets instead of a real call: it plays what the agent
says to a caller who hears without delay, in virtual time, and writes down what the
agent did. It obeys the same contract test as the real call; only the network, the
carrier and the pace of the wire are missing. The doubles of services that agents talk
with are here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    fail,
    maybeDeferred,
    succeed,
)
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.python.failure import Failure

from .audio.tones import dtmf
from .audio.wav import load
from .calls.control import NO_WARM_TRANSFER
from .calls.goodbye import GOODBYE_SECONDS
from .calls.hold import Loop
from .calls.spending import Spending
from .calls.voice import _HIGH_US, _LOW_US
from .doubles.cascade import CascadeDouble
from .doubles.gemini.service import GeminiDouble
from .doubles.http import MemoryHttp
from .doubles.network import MemoryNetwork
from .doubles.openai.service import OpenAiDouble
from .errors import CallStateError, NotSupported
from .fakeear import Ear, Span
from .formats import MULAW_8K, AudioFormat
from .interfaces import Agent, Hold, Utterance

__all__ = [
    "CascadeDouble",
    "FakeCall",
    "FakeUtterance",
    "GeminiDouble",
    "MemoryHttp",
    "MemoryNetwork",
    "OpenAiDouble",
]


class FakeCall:
    """
    The call of one agent under test; see :class:`twistedvoice.interfaces.CallControl`.

    Make it with the agent, :meth:`start` it, let time pass with :meth:`advance`, be the
    caller with :meth:`press`, :meth:`hear` and :meth:`caller_hangs_up`, and look at
    ``events``, ``said`` and ``heard``. What the agent raises is logged, which fails a
    test of trial, and ends the call.
    """

    _log = Logger()

    call_id = "CA00000000000000000000000000000001"
    session_id = "fake-1"

    def __init__(
        self,
        agent: Agent,
        *,
        clock: Clock | None = None,
        format: AudioFormat = MULAW_8K,  # noqa: A002
        to_number: str = "+15550100001",
        from_number: str = "+15550100002",
        params: Mapping[str, str] | None = None,
        spend_cap: float | None = None,
    ) -> None:
        """:param clock: share it when the agent has a use for a clock of its own."""
        self.agent = agent
        self.clock = clock or Clock()
        self.format = format
        self.to_number = to_number
        self.from_number = from_number
        self.params = params or {}
        #: What the agent asked for and how the call ended, in order:
        #: ``("interrupt", reason)``, ``("mark", name)``, ``("transfer", number)``,
        #: ``("warm_transfer", number)``, ``("digits", digits)``,
        #: ``("hold", "")``, ``("hang_up", "")``, ``("hang_up_after", "")``,
        #: ``("recording", "paused")``, ``("recording", "resumed")``,
        #: ``("recording", "agreed")``, ``("ended", outcome)``.
        self.events: list[tuple[str, str]] = []
        #: Whether the agent has paused the recording.
        self.is_recording_paused = False
        #: Whether the agent has said that the caller agreed to be recorded.
        self.has_consent = False
        #: What ``transfer`` fails with; None lets it succeed.
        self.transfer_error: Exception | None = None
        #: What the agent says that the call has cost: its ``total``.
        self.spending = Spending(spend_cap)
        self._hang_up_outcome = "hung_up"
        self._state = "live"
        self._ear = Ear(self.clock, format)
        self._open: list[FakeUtterance] = []
        self._rooms: list[Deferred[None]] = []
        self._timers: list[IDelayedCall] = []
        self._running: list[Deferred[object]] = []
        self._last_words: Utterance | None = None

    # -- for the test: the caller, and time ----------------------------------------

    def start(self) -> None:
        """The caller is on the line: tell the agent."""
        setattr(self.agent, "call", self)  # noqa: B010 - the protocol does not have it
        self._tell(self.agent.call_started, self)

    def press(self, digits: str) -> None:
        """The caller presses these keys, one after the other, in no time."""
        for digit in digits:
            if not self.ended:
                self._tell(self.agent.digit_pressed, digit)

    def hear(self, audio: bytes) -> None:
        """The caller says ``audio``, frame after frame, which takes its time."""
        size = self.format.frame_bytes
        for start in range(0, len(audio), size):
            if not self.ended:
                heard_ms = self._ear.now_us() // 1000
                self._tell(
                    self.agent.audio_heard, audio[start : start + size], heard_ms
                )
                self.advance(0.02)

    def caller_hangs_up(self) -> None:
        """The caller hangs up."""
        self._end("completed")

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due in between happens at its own time."""
        until = self.clock.seconds() + seconds
        while (due := self._next_due()) is not None and due <= until:
            self.clock.rightNow = max(due, self.clock.rightNow)
            self.clock.advance(0)
        self.clock.rightNow = until

    @property
    def said(self) -> bytes:
        """All whole frames that the agent has said, heard or not."""
        return bytes(self._ear.said)

    @property
    def heard(self) -> bytes:
        """All that the caller has heard until now, without the pauses."""
        return b"".join(self._ear.heard(span) for span in self._ear.spans)

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._state == "ended"

    # -- for the agent: what it can do with its call -------------------------------

    @property
    def is_playing(self) -> bool:
        """Whether the caller hears the agent right now."""
        return self._ear.waiting_us() > 0

    def say(self, audio: bytes) -> FakeUtterance:
        """Say all of ``audio``, or, when it does not fit, none of it."""
        utterance = self.speak()
        try:
            utterance.write(audio)
        finally:
            utterance.end()
        return utterance

    def say_file(self, path: str) -> Deferred[Utterance]:
        """Read a WAV file and say it, at once."""
        return maybeDeferred(lambda: self.say(load(path, self.format)))

    def speak(self) -> FakeUtterance:
        """Begin to say something that is not whole yet; it ends the one before."""
        self._must_be_live()
        for before in tuple(self._open):
            before.end()
        utterance = FakeUtterance(self)
        self._open.append(utterance)
        return utterance

    def send_digits(self, digits: str) -> Utterance:
        """Say the tones of these keys."""
        utterance = self.say(dtmf(digits, self.format))
        self.events.append(("digits", digits))
        return utterance

    def hold(self, audio: bytes) -> Hold:
        """Say ``audio`` over and over."""
        loop = Loop(self, audio)
        self.events.append(("hold", ""))
        return loop

    def hold_file(self, path: str) -> Deferred[Hold]:
        """Read a WAV file and say it over and over."""
        return maybeDeferred(lambda: self.hold(load(path, self.format)))

    def interrupt(self, reason: str) -> int:
        """Fall silent at once; with nothing to interrupt, nothing happens."""
        if not (self._open or self._ear.points):
            return 0
        self.events.append(("interrupt", reason))
        dropped_us = self._ear.waiting_us()
        self._last_words = None
        self._silence("cleared")
        self._tell(self.agent.interrupted, reason)
        self._make_room()
        if self._state == "draining":
            self._end(self._hang_up_outcome)
        return dropped_us // 1000

    def room(self) -> Deferred[None]:
        """:returns: fires when little waits, or the call has ended."""
        self._must_be_live()
        waiting: Deferred[None] = Deferred()
        self._rooms.append(waiting)
        if self._ear.waiting_us() <= _HIGH_US:
            self._make_room()
        elif len(self._rooms) == 1:
            self._look_for_room()
        return waiting

    def send_mark(self, name: str) -> Deferred[str]:
        """:returns: fires once all that was said so far was heard, or never will be."""
        self._must_be_live()
        self.events.append(("mark", name))
        reached: Deferred[str] = Deferred()

        def resolve(outcome: str) -> None:
            reached.callback(outcome)
            self._tell(self.agent.mark_reached, name, outcome)

        self._ear.when_heard(self._ear.playing_until_us, resolve)
        return reached

    def hang_up_after(self, utterance: Utterance) -> None:
        """Hang up once ``utterance`` was heard; an interrupt takes this back."""
        self._must_be_live()
        self.events.append(("hang_up_after", ""))
        self._last_words = utterance
        utterance.finished().addCallback(self._finished, utterance)

    def hang_up(self) -> None:
        """End the call once what is queued was heard."""
        if self._live:
            self.events.append(("hang_up", ""))
            self._state = "draining"
            self._later(
                self._ear.waiting_us(), lambda: self._end(self._hang_up_outcome)
            )

    def transfer(self, number: str) -> Deferred[None]:
        """Hand the caller on, which ends the call; or fail with ``transfer_error``."""
        self._must_be_live()
        self.events.append(("transfer", number))
        handed_over: Deferred[None] = Deferred()
        if self.transfer_error is not None:
            handed_over.errback(self.transfer_error)
        else:
            handed_over.callback(None)
            self._end("transferred")
        return handed_over

    def warm_transfer(self, number: str) -> Deferred[None]:
        """Fail as a real call does, and go on."""
        self._must_be_live()
        self.events.append(("warm_transfer", number))
        return fail(NotSupported(NO_WARM_TRANSFER))

    def pause_recording(self) -> None:
        """Have silence recorded from now on."""
        if not self.is_recording_paused and not self.ended:
            self.is_recording_paused = True
            self.events.append(("recording", "paused"))

    def resume_recording(self) -> None:
        """Record again."""
        if self.is_recording_paused and not self.ended:
            self.is_recording_paused = False
            self.events.append(("recording", "resumed"))

    def consent_to_recording(self) -> None:
        """The caller agreed to be recorded."""
        if not self.has_consent and not self.ended:
            self.has_consent = True
            self.events.append(("recording", "agreed"))

    def spent(self, amount: float) -> None:
        """Note what the call has cost; over the cap, it must end."""
        if self.spending.add(amount) and self._live:
            self._hang_up_outcome = "overspent"
            self._later(round(GOODBYE_SECONDS * 1e6), lambda: self._end("overspent"))
            self._tell(self.agent.must_end, "overspent")

    def call_later(self, seconds: float, function: Callable[[], object]) -> Any:
        """Call ``function`` later unless the call has ended by then."""
        self._must_be_live()
        return self._later(round(seconds * 1e6), lambda: self._tell(function))

    # -- between the two -----------------------------------------------------------

    def _silence(self, outcome: str) -> None:
        """Take back all that was not heard, and tell everyone who waits for it."""
        cut_off = tuple(self._open)  # not what is begun by those who are told
        self._ear.cut(outcome)
        for utterance in cut_off:
            utterance._resolve(outcome)

    def _finished(self, outcome: str, utterance: Utterance) -> None:
        """Hang up if these were to be the last words and were heard."""
        if utterance is self._last_words and outcome == "played":
            self._end(self._hang_up_outcome)

    def _look_for_room(self) -> None:
        """Tell who waits for room if there is some, else look again when there is."""
        short_us = self._ear.waiting_us() - _LOW_US
        if short_us > 0:
            self._later(short_us, self._look_for_room)
        else:
            self._make_room()

    def _make_room(self) -> None:
        rooms, self._rooms = self._rooms, []
        for waiting in rooms:
            waiting.callback(None)

    def _end(self, outcome: str) -> None:
        """The call is over: nothing of it may happen any more; once."""
        if self.ended:
            return
        self._state = "ended"
        self.events.append(("ended", outcome))
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._silence("lost")
        self._make_room()
        self._tell(self.agent.call_ended, outcome)
        for running in self._running:
            running.cancel()

    def _tell(self, function: Callable[..., object], *arguments: object) -> None:
        """Call the agent; what it raises ends its call."""
        running = maybeDeferred(function, *arguments).addErrback(self._agent_failed)
        if not running.called:
            self._running.append(running)

    def _agent_failed(self, failure: Failure) -> None:
        """End the call of an agent that raised."""
        # A story that goes on after the call finds that it cannot, and so it ends.
        if self._live or not isinstance(failure.value, CallStateError | CancelledError):
            self._log.failure("the agent raised", failure, call_id=self.call_id)
            self._end("agent_failed")

    def _must_be_live(self) -> None:
        """:raises CallStateError: when nothing new is taken."""
        if not self._live:
            raise CallStateError("the call has ended or is about to")

    @property
    def _live(self) -> bool:
        """Whether the agent may still say something."""
        return self._state == "live"

    def _later(self, delay_us: int, function: Callable[[], object]) -> IDelayedCall:
        """Call ``function`` later unless the call has ended by then."""
        timer = self.clock.callLater(delay_us / 1e6, function)
        self._timers.append(timer)
        return timer

    def _next_due(self) -> float | None:
        """:returns: when the clock has to call someone next."""
        return min(
            (timer.getTime() for timer in self.clock.getDelayedCalls()), default=None
        )


class FakeUtterance:
    """Something that is said on a :class:`FakeCall`; as ``interfaces.Utterance``."""

    def __init__(self, call: FakeCall) -> None:
        self._call = call
        self._ear = call._ear
        self._spans: list[Span] = []
        self._tail = b""
        self._ended = False
        self._outcome: str | None = None
        self._waiting: list[Deferred[str]] = []

    def write(self, audio: bytes) -> None:
        """Say more; whole frames of it are on their way at once."""
        if self._ended:
            raise CallStateError("this utterance has been ended")
        if self._outcome is None and self._call._live:
            self._take(audio)

    def end(self) -> None:
        """Nothing more follows."""
        if self._ended:
            return
        self._ended = True
        if self._outcome is None:
            sound = self._call.format
            if self._tail:
                self._take(sound.silence(sound.frame_bytes - len(self._tail)))
            until_us = self._spans[-1].until_us if self._spans else 0
            self._ear.when_heard(until_us, self._resolve)

    def finished(self) -> Deferred[str]:
        """:returns: fires with how it went; may be asked for more than once."""
        if self._outcome is not None:
            return succeed(self._outcome)
        waiting: Deferred[str] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def heard_ms(self) -> int:
        """:returns: how much of it the caller has heard, in milliseconds."""
        heard = sum(len(self._ear.heard(span)) for span in self._spans)
        return self._call.format.duration_us(heard) // 1000

    def _take(self, audio: bytes) -> None:
        """Queue the whole frames, and keep the rest for the next ones."""
        waiting = self._tail + audio
        whole = len(waiting) - len(waiting) % self._call.format.frame_bytes
        if whole:
            self._spans.append(self._ear.queue(waiting[:whole]))
        self._tail = waiting[whole:]

    def _resolve(self, outcome: str) -> None:
        """The caller heard all of it, or never will; only the first outcome counts."""
        if self._outcome is not None:
            return
        self._outcome = outcome
        self._call._open.remove(self)
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(outcome)
