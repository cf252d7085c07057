# -*- test-case-name: tests.web.test_meters -*-
"""Reads the plain meters of the service for Prometheus, when it is scraped.

Names and meanings are in docs/metrics. What calls count is added up when they end;
what live calls have counted so far is added at the scrape, so counters never fall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Protocol

from attrs import frozen
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ..calls.admission import Admission
from ..calls.latency import After
from ..calls.overload import Overload
from ..calls.switchboard import Switchboard
from ..errands import Tally
from ..metrics import Histogram
from ..realtime.schedule import Schedule
from .gate import Gate
from .webhooks import Webhooks

__all__ = ["ServiceCollector"]


class OutboxMeters(Protocol):
    """What an outbox counts, and what it saw at its last look."""

    tally: Tally

    @property
    def counts(self) -> Mapping[str, int]:
        """What came of attempts."""

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest errand that nothing blocks has been waiting."""


@frozen(kw_only=True, eq=False)
class ServiceCollector(Collector):
    """All meters of one process."""

    switchboard: Switchboard
    schedule: Schedule
    admission: Admission
    overload: Overload
    gate: Gate
    webhooks: Webhooks
    #: How late the reactor's beats were, and where it was caught.
    reactor_lateness: Histogram
    culprits: Mapping[str, int]
    #: Counts of the recording at the carrier, by what; empty when that is off.
    carrier_recordings: Callable[[], Mapping[str, int]]
    #: The carrier's copies of calls, by what they are worth.
    carrier_copies: Mapping[str, int]
    #: What is to be done after calls.
    outbox: OutboxMeters
    #: What became of our own recordings.
    recordings: Mapping[str, int]

    def collect(self) -> Iterator[Metric]:
        """:returns: one family after the other, as prometheus-client asks for it."""
        yield from self._calls()
        yield from self._frames()
        yield from self._realtime()
        yield from self._doors()
        yield _counter("recordings", "Recordings, by what became of them.", "what",
                       self.recordings)  # fmt: skip
        yield _counter("carrier_recordings", "Recording at the carrier.", "what",
                       self.carrier_recordings())  # fmt: skip
        yield _counter("carrier_copies", "Recordings compared with the carrier's.",
                       "verdict", self.carrier_copies)  # fmt: skip
        yield from self._outbox()

    def _calls(self) -> Iterator[Metric]:
        board = self.switchboard
        yield _gauge("calls_live", "Calls on the line now.", len(board))
        yield _gauge("sockets_unstarted", "Open sockets without a call.",
                     board.unstarted())  # fmt: skip
        yield _counter("calls", "Calls ended, by outcome.", "outcome", board.outcomes)
        yield _counter("streams_turned_away", "Streams that never became a call.",
                       "reason", board.turned_away)  # fmt: skip
        yield _histogram("first_audio_seconds", "From start to the first frame sent.",
                         board.first_audio)  # fmt: skip
        yield _histogram("interrupt_seconds", "From an interrupt to the clear sent.",
                         board.interrupted)  # fmt: skip
        yield from self._latencies()

    def _latencies(self) -> Iterator[Metric]:
        latencies = self.switchboard.latencies
        yield _histogram("first_heard_seconds", "From start to the ear.",
                         latencies.first_heard)  # fmt: skip
        yield _histograms("turn_seconds", "From the caller's end to a frame sent.",
                          "after", latencies.turn)  # fmt: skip
        yield _histograms("turn_heard_seconds", "From the caller's end to the ear.",
                          "after", latencies.turn_heard)  # fmt: skip
        yield _histogram("silence_seconds", "From an interrupt to silence.",
                         latencies.silence)  # fmt: skip

    def _frames(self) -> Iterator[Metric]:
        frames, underruns = (
            Counter(self.switchboard.frames),
            Counter(self.switchboard.underruns),
        )
        waiting = 0
        for call in self.switchboard:
            meters = call.stream.meters
            for name in ("queued", "sent", "flushed", "rejected", "dropped"):
                frames[name] += getattr(meters, name)
            frames["received"] += call.inbound.frames
            frames["malformed"] += call.inbound.malformed
            underruns.update(meters.underruns)
            waiting += call.stream.waiting
        yield _counter("frames", "Frames of 20 ms, by what became of them.", "what",
                       frames)  # fmt: skip
        yield _gauge("frames_waiting", "Frames in the queues of live calls.", waiting)
        yield _counter("underruns", "Holes inside utterances, by cause.", "why",
                       underruns)  # fmt: skip

    def _realtime(self) -> Iterator[Metric]:
        yield _histogram("tick_late_seconds", "How late the schedule came.",
                         self.schedule.lateness)  # fmt: skip
        yield _histogram("tick_duration_seconds", "How long visits took.",
                         self.schedule.duration)  # fmt: skip
        slots = GaugeMetricFamily(
            "twistedvoice_slot_streams", "Streams in each turn.", labels=["slot"]
        )
        for number, size in enumerate(self.schedule.crowd()):
            slots.add_metric([str(number)], size)
        yield slots
        yield _histogram("reactor_late_seconds", "How late the reactor's beats were.",
                         self.reactor_lateness)  # fmt: skip
        yield _counter("reactor_blocked", "Where the reactor was caught being late.",
                       "place", self.culprits)  # fmt: skip

    def _outbox(self) -> Iterator[Metric]:
        outbox = self.outbox
        yield _counter("errands", "Attempts at what follows a call.", "what",
                       outbox.counts)  # fmt: skip
        yield _gauge("errands_waiting", "What is to be done after calls.",
                     outbox.tally.waiting)  # fmt: skip
        yield _gauge("errands_parked", "What waits for an operator.",
                     outbox.tally.parked)  # fmt: skip
        yield _gauge("errands_oldest_seconds", "How long the oldest has waited.",
                     outbox.oldest_seconds)  # fmt: skip

    def _doors(self) -> Iterator[Metric]:
        gate = self.admission
        counts = {
            name: getattr(gate, name)
            for name in (
                "reserved", "claimed", "taken", "released", "refused_full",
                "refused_closed", "refused_late", "refused_token",
            )
        }  # fmt: skip
        yield _gauge("overloaded", "Whether late ticks keep new calls out.",
                     int(self.overload.is_on))  # fmt: skip
        yield _counter("admission", "What the gate of calls did.", "what", counts)
        yield _counter("requests_refused", "Requests turned away.", "reason",
                       self.gate.refused)  # fmt: skip
        yield _counter("webhook_answers", "Answers to incoming calls.", "what",
                       self.webhooks.answers)  # fmt: skip


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"twistedvoice_{name}", meaning, value=value)


def _counter(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"twistedvoice_{name}", meaning, labels=[label])
    # A copy in one step: the lag probe may be counting meanwhile.
    for value, count in dict(counts).items():
        family.add_metric([value], count)
    return family


def _histogram(name: str, meaning: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(
        f"twistedvoice_{name}",
        meaning,
        buckets=_buckets(histogram),
        sum_value=histogram.total / 1_000_000,
    )


def _histograms(
    name: str, meaning: str, label: str, histograms: Mapping[After, Histogram]
) -> Metric:
    family = HistogramMetricFamily(f"twistedvoice_{name}", meaning, labels=[label])
    for value, histogram in histograms.items():
        family.add_metric([value], _buckets(histogram), histogram.total / 1_000_000)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [str(bound / 1_000_000) for bound in histogram.bounds]
    reached = map(float, accumulate(histogram.counts))
    return list(zip([*bounds, "+Inf"], reached, strict=True))
