# -*- test-case-name: tests.simulator.test_place -*-
"""Places one simulated call: webhook, markup, stream, and the end.

The command line, the demo and the integration tests call it. What happened is in the
journal; only a call that could not be placed at all is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from .caller import SimulatedCall
from .carrier import carry
from .journal import Journal
from .markup import StreamOrder, read_markup
from .plan import CallPlan
from .script import Script
from .webhook import ask_for_markup, tell_status
from .wire import StreamWriter

__all__ = ["place_call"]

_PROGRESS_SECONDS = 1.0
#: The carrier's words for calls that no stream carried.
_STATUS = {"busy": "busy", "rejected": "busy"}


def place_call(
    reactor: Any,
    plan: CallPlan,
    *,
    progress: Callable[[Journal], object] = lambda journal: None,
) -> Deferred[Journal]:
    """
    Place the call; cancel the Deferred to break it off.

    :param progress: called once a second while the stream lives, and at its end.
    :returns: fires when the call is over and nothing of it is left on the reactor.
    :raises SimulationError: through the Deferred, when the service cannot be reached
        or refuses; the message says what to look at.
    """
    return Deferred.fromCoroutine(_place(reactor, plan, progress))


async def _place(
    reactor: Any, plan: CallPlan, progress: Callable[[Journal], object]
) -> Journal:
    journal = Journal(call_id=plan.call_id)
    if plan.stream_url:
        order = StreamOrder(url=plan.stream_url, params=plan.params)
        await _stream(reactor, plan, order, journal, progress)
    else:
        await _answer(reactor, plan, journal, progress)
    if plan.status_url:
        status = _STATUS.get(journal.outcome, "completed")
        await tell_status(reactor, plan, status, journal.duration_ms)
    return journal


async def _answer(
    reactor: Any,
    plan: CallPlan,
    journal: Journal,
    progress: Callable[[Journal], object],
) -> None:
    """Ask the webhook what to do, and do it."""
    told = read_markup(await ask_for_markup(reactor, plan))
    journal.note(0.0, "answered")
    _note_verbs(journal, told.verbs)
    if told.stream is None:
        journal.outcome = told.outcome
    elif await _stream(reactor, plan, told.stream, journal, progress):
        _note_verbs(journal, told.after)


async def _stream(
    reactor: Any,
    plan: CallPlan,
    order: StreamOrder,
    journal: Journal,
    progress: Callable[[Journal], object],
) -> bool:
    """:returns: whether the call outlived its stream."""
    if "?" in order.url:
        journal.note(0.0, "problem", "the stream's URL has a query; carriers drop it")
    call = _call(plan, journal)
    beat = LoopingCall(progress, journal)
    beat.clock = reactor
    beating = beat.start(_PROGRESS_SECONDS, now=False)
    try:
        return await carry(reactor, plan, order, call)
    finally:
        if beat.running:
            beat.stop()
        await beating
        progress(journal)


def _call(plan: CallPlan, journal: Journal) -> SimulatedCall:
    writer = StreamWriter(
        stream_id=plan.stream_id, call_id=plan.call_id, account_id=plan.account_id
    )
    return SimulatedCall(
        writer,
        Script(plan.steps),
        journal,
        jitter_ms=plan.jitter_ms,
        max_ms=plan.max_seconds * 1000,
    )


def _note_verbs(journal: Journal, verbs: Sequence[str]) -> None:
    for verb in verbs:
        journal.note(journal.duration_ms, "verb", verb)
