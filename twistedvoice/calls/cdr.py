# -*- test-case-name: tests.calls.test_cdr -*-
"""The record of a finished call, as one flat JSON object.

It has ids, times, one word of outcome and the meters; no number, no digit, no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..formats import FRAME_MS

if TYPE_CHECKING:
    from .call import Call

__all__ = ["call_detail_record"]


def call_detail_record(
    call: Call, ended_us: int, facts: Iterable[Mapping[str, object]]
) -> dict[str, object]:
    """
    :param call: a closed call that had been admitted.
    :param ended_us: when it closed, on the monotonic clock.
    :param facts: what its observers add.
    """
    record, route = call.record, call.route
    assert record is not None and route is not None
    duration_us = ended_us - record.started_us
    cdr: dict[str, object] = {
        "session_id": record.session_id,
        "call_id": record.call_id,
        "account_id": record.account_id,
        "stream_id": record.stream_id,
        "node_id": call.services.node_id,
        "agent": route.agent_name,
        "started_at": _stamp(record.started_at),
        "ended_at": _stamp(record.started_at + duration_us / 1_000_000),
        "duration_ms": duration_us // 1000,
        "outcome": call.outcome,
        "spent": call.spending.total,
        **_heard(call),
        **_said(call),
        **call.waits.facts(),
    }
    for fact in facts:
        cdr.update(fact)
    return cdr


def _heard(call: Call) -> dict[str, object]:
    inbound = call.inbound
    return {
        "frames_in": inbound.frames,
        "messages_in": inbound.messages,
        "messages_bad": inbound.malformed,
        "messages": inbound.kinds(),
    }


def _said(call: Call) -> dict[str, object]:
    meters, flags = call.stream.meters, call.stream.flags
    assert call.record is not None
    first_us = flags.first_audio_sent_us
    return {
        "first_audio_ms": (
            None if first_us is None else (first_us - call.record.started_us) / 1000
        ),
        "frames_queued": meters.queued,
        "frames_sent": meters.sent,
        "frames_flushed": meters.flushed,
        "frames_rejected": meters.rejected,
        "frames_dropped": meters.dropped,
        "most_waiting_ms": meters.most_waiting * FRAME_MS,
        "said_ms": meters.sent * FRAME_MS,
        "interrupts": call.voice.interrupts,
        "marks": dict(call.voice.marks.outcomes),
        "underruns": dict(meters.underruns),
        "underrun_ms": meters.underrun_us / 1000,
        "underrun_ledger": [
            {
                "at_ms": (hole.at_us - call.record.started_us) / 1000,
                "length_ms": hole.length_us / 1000,
                "why": hole.why,
            }
            for hole in meters.ledger
        ],
        "held_ticks": meters.held_ticks,
        "tick_late_us": {
            "p50": meters.lateness.quantile(0.50),
            "p99": meters.lateness.quantile(0.99),
            "max": meters.lateness.largest,
        },
    }


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
