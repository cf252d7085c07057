# -*- test-case-name: tests.recording.test_carrier_side -*-
"""The machine of one call that the carrier is to record.

It says what may happen when, and that each call comes to one end: done, failed or
skipped. Asking the carrier is the story of :mod:`.carrier_start`; the machine begins
it, and cancels it when the answer came another way. :mod:`.carrier_side` feeds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import Factory, define, frozen
from automat import TypeMachineBuilder, pep614
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from .carrier_pause import RecordingPause
from .carrier_start import RecordingStart, StartCounts, StartOutcome

__all__ = ["CarrierCall", "CarrierCounts", "RecordingInputs", "make_recording"]

#: How long an ended call waits for the answer to a request that is under way.
_GRACE_SECONDS = 10.0
_FINAL = frozenset({"done", "failed", "skipped"})

_log = Logger()


@define
class CarrierCounts(StartCounts):
    """What happened so far, for the metrics."""

    #: Calls whose recording was started or found, and the found ones among them.
    recorded: int = 0
    adopted: int = 0
    #: Calls by the state they ended in.
    done: int = 0
    failed: int = 0
    skipped: int = 0
    #: Status callbacks: all, those that told nothing new, those not understood.
    callbacks: int = 0
    callbacks_stale: int = 0
    callbacks_unknown: int = 0


class RecordingInputs(Protocol):
    """What can happen to a call that may be recorded."""

    # from the life of the call

    def arm(self) -> None:
        """The call is to be recorded as soon as it says something."""

    def trigger(self) -> None:
        """The call's first sound was sent."""

    def ended(self) -> None:
        """The call is over."""

    def give_up(self) -> None:
        """The service stops."""

    # from the carrier, or from the start

    def started(self, reason: str, recording_id: str) -> None:
        """The carrier records the call."""

    def completed(self, recording_id: str) -> None:
        """The recording is ready at the carrier."""

    def failed(self, reason: str) -> None:
        """There is no recording of this call, and there will be none."""

    def skip(self, reason: str) -> None:
        """The call is not to be recorded, or can be no longer."""


@define(kw_only=True)
class CarrierCall:
    """What is known of one call's recording."""

    call_id: str
    clock: IReactorTime
    counts: CarrierCounts
    new_start: Callable[[], RecordingStart]
    pause: RecordingPause
    #: The call has ended; what is under way may still bring a verdict.
    over: bool = False
    state: str = "idle"
    reason: str = ""
    recording_id: str | None = None
    waiting: list[Deferred[Mapping[str, object]]] = Factory(list)

    def report(self) -> Mapping[str, object]:
        """:returns: what belongs into the CDR."""
        state = {"state": self.state, "sid": self.recording_id, "reason": self.reason}
        if self.pause.word:
            state["pause"] = self.pause.word
        return {"carrier_recording": state}

    def outcome(self) -> Deferred[Mapping[str, object]]:
        """:returns: fires with the report once the state is final."""
        if self.state in _FINAL:
            return succeed(self.report())
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def enter(self, state: str, reason: str, recording_id: str | None = None) -> None:
        """Note the new state; tell those who wait when it is a final one."""
        self.state, self.reason = state, reason
        self.recording_id = recording_id or self.recording_id
        _log.info(
            "call {call_id}: carrier recording {recording_id} is {state}: {reason}",
            call_id=self.call_id,
            recording_id=self.recording_id,
            state=state,
            reason=reason,
        )
        if state in _FINAL:
            self.pause.stop()
            waiting, self.waiting = self.waiting, []
            for each in waiting:
                each.callback(self.report())


@frozen
class _UnderWay:
    """A start that is not settled yet; cancelling ``told`` leaves nothing of it."""

    start: RecordingStart
    told: Deferred[None]


def _ask_the_carrier(inputs: RecordingInputs, call: CarrierCall) -> _UnderWay:
    call.enter("starting", "first_audio")
    start = call.new_start()
    told = Deferred.fromCoroutine(start.run()).addCallback(_tell, inputs)
    return _UnderWay(start, told.addErrback(_tell_failure, inputs, call))


def _tell(outcome: StartOutcome, inputs: RecordingInputs) -> None:
    if outcome.recording_id is not None:
        inputs.started(outcome.reason, outcome.recording_id)
    elif outcome.verdict == "skipped":
        inputs.skip(outcome.reason)
    else:
        inputs.failed(outcome.reason)


def _tell_failure(failure: Failure, inputs: RecordingInputs, call: CarrierCall) -> None:
    if isinstance(failure.value, CancelledError):
        return
    _log.failure(
        "while starting to record call {call_id}", failure, call_id=call.call_id
    )
    inputs.failed("error")


RecordingMachine = TypeMachineBuilder(RecordingInputs, CarrierCall)

# States:
_idle = RecordingMachine.state("Idle")
_armed = RecordingMachine.state("Armed")
_starting = RecordingMachine.state("Starting", _ask_the_carrier)
_recording = RecordingMachine.state("Recording")
_done = RecordingMachine.state("Done")
_failed = RecordingMachine.state("Failed")
_skipped = RecordingMachine.state("Skipped")

# Transitions without behaviour:
_armed.upon(RecordingInputs.trigger).to(_starting).returns(None)
_starting.upon(RecordingInputs.trigger).loop().returns(None)
_recording.upon(RecordingInputs.trigger).loop().returns(None)
_recording.upon(RecordingInputs.started).loop().returns(None)
# The carrier speaks of a recording that was over before this stream began.
_armed.upon(RecordingInputs.completed).loop().returns(None)
_armed.upon(RecordingInputs.failed).loop().returns(None)
# The end is the end, whatever is heard afterwards.
for _end in (_done, _failed, _skipped):
    _end.upon(RecordingInputs.trigger).loop().returns(None)
    _end.upon(RecordingInputs.ended).loop().returns(None)
    _end.upon(RecordingInputs.give_up).loop().returns(None)
    _end.upon(RecordingInputs.started).loop().returns(None)
    _end.upon(RecordingInputs.completed).loop().returns(None)
    _end.upon(RecordingInputs.failed).loop().returns(None)


# Transitions with behaviour:
@pep614(_idle.upon(RecordingInputs.arm).to(_armed))
def _wait_for_sound(inputs: RecordingInputs, call: CarrierCall) -> None:
    call.enter("armed", "wanted")


@pep614(_idle.upon(RecordingInputs.skip).to(_skipped))
@pep614(_armed.upon(RecordingInputs.skip).to(_skipped))
def _skip(inputs: RecordingInputs, call: CarrierCall, reason: str) -> None:
    call.counts.skipped += 1
    call.enter("skipped", reason)


@pep614(_starting.upon(RecordingInputs.skip).to(_skipped))
def _too_late(
    inputs: RecordingInputs, call: CarrierCall, under_way: _UnderWay, reason: str
) -> None:
    _skip(inputs, call, reason)


@pep614(_armed.upon(RecordingInputs.ended).to(_skipped))
@pep614(_armed.upon(RecordingInputs.give_up).to(_skipped))
def _nothing_was_said(inputs: RecordingInputs, call: CarrierCall) -> None:
    _skip(inputs, call, "no_audio")


@pep614(_armed.upon(RecordingInputs.started).to(_recording))
def _is_recorded(
    inputs: RecordingInputs, call: CarrierCall, reason: str, recording_id: str
) -> None:
    call.counts.recorded += 1
    call.counts.adopted += reason == "adopted"
    call.enter("recording", reason, recording_id)
    call.pause.begin(recording_id)
    if call.over:
        inputs.ended()


@pep614(_starting.upon(RecordingInputs.started).to(_recording))
def _start_succeeded(
    inputs: RecordingInputs,
    call: CarrierCall,
    under_way: _UnderWay,
    reason: str,
    recording_id: str,
) -> None:
    under_way.told.cancel()
    _is_recorded(inputs, call, reason, recording_id)


@pep614(_starting.upon(RecordingInputs.completed).to(_done))
def _completed_before_it_began(
    inputs: RecordingInputs,
    call: CarrierCall,
    under_way: _UnderWay,
    recording_id: str,
) -> None:
    under_way.told.cancel()
    call.counts.recorded += 1
    _complete(inputs, call, recording_id)


@pep614(_recording.upon(RecordingInputs.completed).to(_done))
def _complete(inputs: RecordingInputs, call: CarrierCall, recording_id: str) -> None:
    call.counts.done += 1
    call.enter("done", "completed", recording_id)


@pep614(_recording.upon(RecordingInputs.ended).to(_done))
@pep614(_recording.upon(RecordingInputs.give_up).to(_done))
def _carrier_finishes(inputs: RecordingInputs, call: CarrierCall) -> None:
    call.counts.done += 1
    call.enter("done", call.reason)


@pep614(_starting.upon(RecordingInputs.ended).loop())
def _settle_soon(
    inputs: RecordingInputs, call: CarrierCall, under_way: _UnderWay
) -> None:
    call.over = True
    under_way.start.call_ended()
    under_way.told.addTimeout(
        _GRACE_SECONDS, call.clock, lambda *_: inputs.failed("unanswered")
    )


@pep614(_starting.upon(RecordingInputs.give_up).to(_failed))
def _abandon(inputs: RecordingInputs, call: CarrierCall, under_way: _UnderWay) -> None:
    _start_failed(inputs, call, under_way, "stopped")


@pep614(_starting.upon(RecordingInputs.failed).to(_failed))
def _start_failed(
    inputs: RecordingInputs, call: CarrierCall, under_way: _UnderWay, reason: str
) -> None:
    under_way.told.cancel()
    _fail(inputs, call, reason)


@pep614(_recording.upon(RecordingInputs.failed).to(_failed))
def _fail(inputs: RecordingInputs, call: CarrierCall, reason: str) -> None:
    call.counts.failed += 1
    call.enter("failed", reason)


#: Makes the machine of one call; it begins idle.
make_recording: Callable[[CarrierCall], RecordingInputs] = RecordingMachine.build()
