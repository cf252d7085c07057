# -*- test-case-name: tests.calls.test_control -*-
"""What an agent may do with its call.

It checks that the call is open, and turns what the agent wants into deeds of the voice
and of the call's life. It outlives the call harmlessly: then everything is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ..audio.tones import dtmf
from ..errors import CallStateError, NotSupported
from ..formats import AudioFormat
from ..interfaces import CallRecord, Hold, Utterance
from .goodbye import Goodbye
from .hold import Loop
from .voice import Voice

if TYPE_CHECKING:
    from .call import Call

__all__ = ["NO_WARM_TRANSFER", "Control"]

#: Why nobody is handed over warmly.
NO_WARM_TRANSFER = "a warm transfer needs an outbound call; use transfer"


class Control:
    """Implements :class:`twistedvoice.interfaces.CallControl` for one open call."""

    def __init__(
        self, call: Call, record: CallRecord, params: Mapping[str, str]
    ) -> None:
        self._call = call
        self._voice: Voice = call.voice
        self._record = record
        self.call_id = record.call_id
        self.session_id = record.session_id
        self.to_number = record.to_number
        self.from_number = record.from_number
        self.format: AudioFormat = record.format
        self.params = params

    @property
    def is_playing(self) -> bool:
        return self._call.state != "Closed" and self._voice.is_playing

    def say(self, audio: bytes) -> Utterance:
        self._must_be_open()
        return self._voice.say(audio)

    def speak(self) -> Utterance:
        self._must_be_open()
        return self._voice.speak()

    def say_file(self, path: str) -> Deferred[Utterance]:
        self._must_be_open()
        loading = self._call.services.load_sound(path, self.format)
        return loading.addCallback(self.say)

    def send_digits(self, digits: str) -> Utterance:
        return self.say(dtmf(digits, self.format))

    def hold(self, audio: bytes) -> Hold:
        return Loop(self, audio)

    def hold_file(self, path: str) -> Deferred[Hold]:
        self._must_be_open()
        loading = self._call.services.load_sound(path, self.format)
        return loading.addCallback(self.hold)

    def interrupt(self, reason: str) -> int:
        if self._call.state == "Closed":
            return 0
        return self._call.interrupt(reason)

    def room(self) -> Deferred[None]:
        self._must_be_open()
        return self._voice.room()

    def send_mark(self, name: str) -> Deferred[str]:
        self._must_be_open()
        reached: Deferred[str] = Deferred()

        def resolved(outcome: str) -> None:
            self._call.tell_agent("mark_reached", name, outcome)
            reached.callback(outcome)

        self._voice.send_mark(resolved)
        return reached

    def hang_up_after(self, utterance: Utterance) -> None:
        self._must_be_open()
        Goodbye(self._call, utterance)

    def hang_up(self) -> None:
        self._call.life.hang_up(self._call.hang_up_outcome)

    def transfer(self, number: str) -> Deferred[None]:
        self._must_be_open()
        control = self._call.services.control
        if control is None:
            return fail(CallStateError("no access to the carrier's API is configured"))
        call = self._call

        def failed(failure: Failure) -> Failure:
            call.transfers -= 1
            return failure

        transferring = control.transfer(self._record, number)
        # The carrier ends the stream by itself when it has the new markup, maybe
        # before its API says so.
        call.transfers += 1
        return transferring.addCallbacks(
            lambda _: call.life.over("transferred"), failed
        )

    def warm_transfer(self, number: str) -> Deferred[None]:
        self._must_be_open()
        return fail(NotSupported(NO_WARM_TRANSFER))

    def pause_recording(self) -> None:
        self._call.ask_recorders("pause")

    def resume_recording(self) -> None:
        self._call.ask_recorders("resume")

    def consent_to_recording(self) -> None:
        self._call.ask_recorders("consent")

    def spent(self, amount: float) -> None:
        self._call.spend(amount)

    def call_later(self, seconds: float, function: Callable[[], Any]) -> Any:
        self._must_be_open()
        return self._call.call_agent_later(seconds, function)

    def _must_be_open(self) -> None:
        if self._call.state != "Streaming":
            raise CallStateError(f"the call is {self._call.state.lower()}")
