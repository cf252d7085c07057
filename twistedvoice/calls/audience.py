# -*- test-case-name: tests.calls.test_watcher -*-
"""The observers of calls, each kept from disturbing the others.

What one of them raises is logged and goes no further: the call goes on, the other
observers are told, and the record of the call is kept without what it would have added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import CallObserver, CallRecord, RecordingWish
from .patience import patiently

if TYPE_CHECKING:
    from .call import Call

__all__ = ["facts_of", "tell_asked", "tell_first_audio", "tell_started"]

_log = Logger()


def tell_started(call: Call) -> None:
    """Tell that an admitted call has begun, and where its sound is."""
    record, tracks = call.record, call.inbound.tracks
    assert record is not None
    _tell(
        call.services.observers,
        record,
        lambda observer: observer.call_started(record, tracks),
    )


def tell_first_audio(observers: Sequence[CallObserver], call: Call) -> None:
    """Tell, once a call, that its first frame was sent; nothing happens before."""
    record = call.record
    if call.first_audio_told or call.stream.flags.first_audio_sent_us is None:
        return
    assert record is not None
    call.first_audio_told = True
    _tell(observers, record, lambda observer: observer.first_audio_sent(record))
    # It begins work, and many calls may begin together.
    call.services.schedule.look()


def tell_asked(call: Call, wish: RecordingWish) -> None:
    """Tell what the agent of an admitted call wants of its recording."""
    record = call.record
    assert record is not None
    _tell(
        call.services.observers, record, lambda observer: observer.asked(record, wish)
    )


def facts_of(
    clock: IReactorTime, observers: Sequence[CallObserver], record: CallRecord
) -> Deferred[list[Mapping[str, object]]]:
    """:returns: fires with what each adds to the CDR in time; never fails."""

    def failed(failure: Failure) -> Mapping[str, object]:
        _log.failure("an observer of {call_id} failed", failure, call_id=record.call_id)
        return {}

    def ended(observer: CallObserver) -> Deferred[Mapping[str, object]]:
        facts = maybeDeferred(observer.call_ended, record).addErrback(failed)
        return patiently(clock, facts).addErrback(failed)

    return gatherResults(map(ended, observers))


def _tell(
    observers: Sequence[CallObserver],
    record: CallRecord,
    tell: Callable[[CallObserver], None],
) -> None:
    for observer in observers:
        try:
            tell(observer)
        except Exception:  # one observer's fault must not stop the others
            _log.failure("an observer of {call_id} failed", call_id=record.call_id)
