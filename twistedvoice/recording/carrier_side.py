# -*- test-case-name: tests.recording.test_carrier_side -*-
"""Has calls recorded by the carrier, as their observer.

It knows which call is which: every call has one machine, whatever streams come and go
on it, and the carrier's status callbacks find their way to it. Callbacks come whenever
they like, also long after the call, so what they said last is remembered for a while.
The markup of a live call is never touched.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from attrs import define
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..carriers.twilio.rest import TwilioRest
from ..interfaces import CallRecord, HttpClient, HttpRequest, RecordingWish
from .carrier_call import (
    CarrierCall,
    CarrierCounts,
    RecordingInputs,
    make_recording,
)
from .carrier_pause import RecordingPause
from .carrier_start import RecordingStart

__all__ = ["CarrierRecordings"]

#: What a recording can become: first the one, then one of the others.
_RANKS = {"in-progress": 1, "completed": 2, "absent": 2, "failed": 2}
_REMEMBERED_SECONDS = 900.0
_REMEMBERED = 10_000

_log = Logger()


class CarrierRecordings:
    """
    The calls that the carrier records, or is asked to.

    Implements :class:`twistedvoice.interfaces.CallObserver`. All of it runs in the
    reactor; no method blocks.
    """

    def __init__(
        self,
        clock: IReactorTime,
        client: HttpClient,
        rest: TwilioRest,
        *,
        callback_url: str,
        wanted: Callable[[CallRecord], bool],
        random: Callable[[], float],
    ) -> None:
        """
        :param callback_url: where the carrier tells how a recording fares, for
            :meth:`callback`.
        :param wanted: whether a call is to be recorded.
        :param random: between 0 and 1; spreads the retries of many calls.
        """
        self.counts = CarrierCounts()
        self._clock = clock
        self._client = client
        #: These two may be set while calls run.
        self.rest = rest
        self.callback_url = callback_url
        self._wanted = wanted
        self._random = random
        self._calls: dict[str, _Live] = {}
        #: What each recording's callbacks said last; the calls that were asked for.
        self._heard = _Memory(clock)
        self._asked = _Memory(clock)

    def call_started(self, record: CallRecord, tracks: object) -> None:
        """Wait for the call's first sound; a new stream of a live call joins it."""
        live = self._calls.get(record.call_id)
        if live is not None:
            live.carried_by(record)
            return
        call = CarrierCall(
            call_id=record.call_id,
            clock=self._clock,
            counts=self.counts,
            new_start=lambda: self._new_start(record),
            pause=self._new_pause(record),
        )
        inputs = make_recording(call)
        self._calls[record.call_id] = live = _Live(call, inputs, record.session_id)
        live.agreed = not record.needs_consent
        if self._wanted(record):
            inputs.arm()
        else:
            inputs.skip("off")

    def first_audio_sent(self, record: CallRecord) -> None:
        """Ask the carrier to record the call, unless it was asked already."""
        live = self._calls.get(record.call_id)
        if live is not None:
            live.spoken = True
            live.trigger()

    def asked(self, record: CallRecord, wish: RecordingWish) -> None:
        """Do what the call's agent wants of its recording."""
        live = self._calls.get(record.call_id)
        if live is not None and live.session_id == record.session_id:
            live.asked(wish)

    def call_ended(self, record: CallRecord) -> Deferred[Mapping[str, object]]:
        """
        :returns: fires with ``{"carrier_recording": {"state", "sid", "reason"}}``, at
            once or when the request under way is answered, some seconds at the most.
            It does not wait for the recording to be ready.
        """
        live = self._calls.get(record.call_id)
        if live is None:
            return succeed({})
        if live.session_id != record.session_id:
            return succeed(live.call.report())
        live.ended()
        return live.call.outcome().addCallback(self._forget, record)

    def callback(self, form: Mapping[str, str]) -> None:
        """
        Take a status callback: twice, early, late, in any order, of any call.

        :param form: the fields of a request whose signature was checked.
        """
        self.counts.callbacks += 1
        status, recording_id = form.get("RecordingStatus"), form.get("RecordingSid")
        rank = _RANKS.get(status or "")
        if rank is None or not recording_id:
            self.counts.callbacks_unknown += 1
        elif rank <= self._heard.get(recording_id):
            self.counts.callbacks_stale += 1
        else:
            self._heard.put(recording_id, rank)
            self._pass_on(form)

    def stop(self) -> None:
        """Drop what is under way; nothing is left on the clock."""
        for live in list(self._calls.values()):
            live.inputs.give_up()

    def _new_start(self, record: CallRecord) -> RecordingStart:
        call_id, account_id = record.call_id, record.account_id
        asked_before = self._asked.get(call_id) > 0
        self._asked.put(call_id, 1)
        return RecordingStart(
            clock=self._clock,
            client=self._client,
            create=self.rest.start_recording(
                call_id, callback_url=self.callback_url, account_id=account_id
            ),
            look=self.rest.list_recordings(call_id, account_id=account_id),
            random=self._random,
            counts=self.counts,
            look_first=asked_before,
        )

    def _new_pause(self, record: CallRecord) -> RecordingPause:
        call_id, account_id = record.call_id, record.account_id

        def request(recording_id: str, paused: bool) -> HttpRequest:
            rest = self.rest
            ask = rest.pause_recording if paused else rest.resume_recording
            return ask(call_id, recording_id, account_id=account_id)

        return RecordingPause(
            call_id=call_id,
            clock=self._clock,
            client=self._client,
            request=request,
            random=self._random,
        )

    def _pass_on(self, form: Mapping[str, str]) -> None:
        call_id, recording_id = form.get("CallSid", ""), form["RecordingSid"]
        status = form["RecordingStatus"]
        _log.info(
            "call {call_id}: the carrier says {recording_id} is {status}, {seconds} s",
            call_id=call_id,
            recording_id=recording_id,
            status=status,
            seconds=form.get("RecordingDuration", "?"),
        )
        live = self._calls.get(call_id)
        if live is None or live.call.recording_id not in (None, recording_id):
            return
        if status == "in-progress":
            live.inputs.started("called_back", recording_id)
        elif status == "completed":
            live.inputs.completed(recording_id)
        else:
            live.inputs.failed(status)

    def _forget(
        self, report: Mapping[str, object], record: CallRecord
    ) -> Mapping[str, object]:
        # A stream that came while this one waited for a verdict will report it too.
        if self._calls[record.call_id].session_id == record.session_id:
            del self._calls[record.call_id]
        return report


@define
class _Live:
    """A live call, its machine, and the stream that carries it now."""

    call: CarrierCall
    inputs: RecordingInputs
    session_id: str
    #: Whether the caller was told something, and agreed to be recorded.
    spoken: bool = False
    agreed: bool = True

    def carried_by(self, record: CallRecord) -> None:
        """Another stream goes on with the call; it knows of no pause."""
        self.session_id = record.session_id
        self.agreed = self.agreed or not record.needs_consent
        self.asked("resume")

    def asked(self, wish: RecordingWish) -> None:
        if wish == "consent":
            self.agreed = True
        else:
            self.call.pause.want(wish == "pause")
        self.trigger()

    def trigger(self) -> None:
        """Have it recorded, if it is time."""
        if self.spoken and self.agreed and not self.call.pause.wanted:
            self.inputs.trigger()

    def ended(self) -> None:
        if self.call.state == "armed" and not self.agreed:
            self.inputs.skip("no_consent")
        elif self.call.state == "armed" and self.spoken:
            self.inputs.skip("paused")
        self.inputs.ended()


class _Memory:
    """Remembers a number for each name, for a time, and not too many of them."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._numbers: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def get(self, name: str) -> int:
        """:returns: the number, or 0 when ``name`` is not known (any more)."""
        until, number = self._numbers.get(name, (0.0, 0))
        return number if until > self._clock.seconds() else 0

    def put(self, name: str, number: int) -> None:
        """Remember ``number``, and forget what is too old or too much."""
        now = self._clock.seconds()
        self._numbers[name] = (now + _REMEMBERED_SECONDS, number)
        self._numbers.move_to_end(name)
        while len(self._numbers) > _REMEMBERED or self._oldest() <= now:
            self._numbers.popitem(last=False)

    def _oldest(self) -> float:
        return next(iter(self._numbers.values()))[0]
