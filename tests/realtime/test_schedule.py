"""The one schedule of all calls, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from attrs import Factory, define
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import CallStateError
from twistedvoice.formats import FRAME_US
from twistedvoice.metrics import Histogram
from twistedvoice.realtime.flags import Flags
from twistedvoice.realtime.meters import StreamMeters
from twistedvoice.realtime.schedule import TURNS, Schedule, microseconds
from twistedvoice.realtime.spoken import Spoken

from .doubles import TWILIO_OVER_WEBSOCKET, Line

TURN_US = FRAME_US // TURNS


@define(eq=False)
class Pulse:
    """Something that notes when it was visited."""

    flags: Flags = Factory(Flags)
    meters: StreamMeters = Factory(StreamMeters)
    visits: list[int] = Factory(list)
    error: Exception | None = None

    def tick(self, now_us: int, late_us: int = 0) -> None:
        """Note the time, and raise what is to be raised."""
        self.visits.append(now_us)
        if self.error is not None:
            raise self.error


def run_until(clock: Clock, end_us: int) -> None:
    """Let time pass as a reactor would: from each thing that is due to the next."""
    end = end_us / 1_000_000
    while clock.calls and (due := clock.calls[0].getTime()) <= end:
        clock.rightNow = max(due, clock.rightNow)
        clock.advance(0)
    clock.rightNow = end


def block(clock: Clock, end_us: int) -> None:
    """Let time pass while the reactor does something else."""
    clock.advance(end_us / 1_000_000 - clock.seconds())


def pauses(times: Sequence[int]) -> set[int]:
    """:returns: all that lay between one time and the next."""
    return {later - earlier for earlier, later in pairwise(times)}


class _ScheduleTestCase(SynchronousTestCase):
    """A schedule on a clock of its own, which did not start at 0."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.rightNow = 1_234.567_8
        self.schedule = Schedule(self.clock)
        self.start_us = microseconds(self.clock)

    def joined(self) -> Pulse:
        """:returns: a pulse that has joined now."""
        pulse = Pulse()
        self.schedule.join(pulse)
        return pulse

    def run_for(self, span_us: int) -> None:
        """Let this much time pass, with every turn in time."""
        run_until(self.clock, microseconds(self.clock) + span_us)

    def block_for(self, span_us: int) -> None:
        """Let this much time pass, without a turn until its end."""
        block(self.clock, microseconds(self.clock) + span_us)


class JoinTests(_ScheduleTestCase):
    """Streams come and go [TX-1]."""

    def test_join_twice(self) -> None:
        """A stream that is on the schedule cannot join it again."""
        pulse = self.joined()
        self.assertRaises(CallStateError, self.schedule.join, pulse)
        self.assertEqual(len(self.schedule), 1)
        self.run_for(100_000)
        self.assertEqual(len(pulse.visits), 5)

    def test_leave(self) -> None:
        """A stream that has left is visited no more; leaving again does nothing."""
        stays, goes = self.joined(), self.joined()
        self.run_for(100_000)
        self.schedule.leave(goes)
        self.schedule.leave(goes)
        self.run_for(100_000)
        self.assertEqual((len(stays.visits), len(goes.visits)), (10, 5))

    def test_nothing_is_left_on_the_clock(self) -> None:
        """An empty schedule is not on the clock, before and after [TD-4]."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        one, two = self.joined(), self.joined()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.run_for(50_000)
        self.schedule.leave(one)
        self.schedule.leave(two)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((len(self.schedule), sum(self.schedule.crowd())), (0, 0))

    def test_join_again(self) -> None:
        """The schedule starts anew after it was empty."""
        pulse = self.joined()
        self.run_for(100_000)
        self.schedule.leave(pulse)
        self.run_for(7_777)
        self.schedule.join(pulse)
        self.run_for(100_000)
        self.assertEqual(len(pulse.visits), 10)
        self.assertEqual(pauses(pulse.visits[5:]), {FRAME_US})

    def test_first_visit(self) -> None:
        """The first visit comes about half a period after joining, on any phase."""
        self.joined()
        for offset_us in range(0, FRAME_US, 700):
            self.run_for(FRAME_US + offset_us)
            pulse, joined_us = self.joined(), microseconds(self.clock)
            self.run_for(FRAME_US)
            self.assertTrue(0 < pulse.visits[0] - joined_us < FRAME_US, offset_us)
            self.schedule.leave(pulse)

    def test_first_visit_of_a_lone_stream(self) -> None:
        """A stream alone is visited as far from its own arrivals as can be."""
        pulse = self.joined()
        self.run_for(FRAME_US)
        self.assertEqual(pulse.visits, [self.start_us + FRAME_US // 2])


class SlotTests(_ScheduleTestCase):
    """The load is spread over the period [TX-4]."""

    def test_streams_that_join_at_random(self) -> None:
        """A thousand streams that join at random times share the slots evenly."""
        random = Random(1)
        for _ in range(1_000):
            self.run_for(random.randrange(0, 30_000))
            self.joined()
        sizes = self.schedule.crowd()
        self.assertEqual((len(sizes), sum(sizes)), (TURNS, 1_000))
        self.assertLessEqual(max(sizes), 110)
        self.assertGreaterEqual(min(sizes), 90)

    def test_streams_that_join_at_once(self) -> None:
        """A thousand streams that join at the same instant do not share one slot."""
        pulses = [self.joined() for _ in range(1_000)]
        self.assertLessEqual(max(self.schedule.crowd()), 143)
        self.run_for(1_000_000)
        self.assertEqual({len(pulse.visits) for pulse in pulses}, {50})

    def test_places_that_become_free_are_taken(self) -> None:
        """After many have left one slot, the next ones join it."""
        pulses = [self.joined() for _ in range(700)]
        before = self.schedule.crowd()
        self.assertEqual(sorted(before), [0] * 3 + [100] * 7)
        for pulse in pulses[::7]:
            self.schedule.leave(pulse)
        self.assertEqual(sorted(self.schedule.crowd()), [0] * 4 + [100] * 6)
        for _ in range(100):
            self.joined()
        self.assertEqual(self.schedule.crowd(), before)


class PaceTests(_ScheduleTestCase):
    """A stream is visited once in 20 ms, whatever happens [TX-2]."""

    def test_visits_are_20_ms_apart(self) -> None:
        """In time, the visits of every stream are exactly 20 ms apart."""
        pulses = []
        for _ in range(40):
            pulses.append(self.joined())
            self.run_for(3_333)
        self.run_for(60_000_000)
        for pulse in pulses:
            self.assertEqual(pauses(pulse.visits), {FRAME_US})

    def test_missed_periods_are_visited_once(self) -> None:
        """After a block every stream is visited once, late, and then in its phase."""
        pulses = [self.joined() for _ in range(16)]
        self.run_for(100_000)
        before = [list(pulse.visits) for pulse in pulses]
        self.block_for(310_000)
        now_us = microseconds(self.clock)
        for pulse, visits in zip(pulses, before, strict=True):
            self.assertEqual(pulse.visits, [*visits, now_us])
        self.run_for(FRAME_US)
        for pulse, visits in zip(pulses, before, strict=True):
            late_us = pulse.visits[-1] - visits[-1]
            self.assertEqual(late_us % FRAME_US, 0)
            self.assertEqual(len(pulse.visits), len(visits) + 2)

    def test_order_after_a_block(self) -> None:
        """Blocks of any length, and streams that join in them, leave nobody behind."""
        random = Random(4)
        pulses = []
        for _ in range(60):
            pulses += [self.joined() for _ in range(random.randrange(5))]
            self.block_for(random.randrange(90_000))
        self.run_for(100_000)
        for pulse in pulses:
            pulse.visits.clear()
        self.run_for(10 * FRAME_US)
        for pulse in pulses:
            self.assertEqual(len(pulse.visits), 10)
            self.assertEqual(pauses(pulse.visits), {FRAME_US})

    def test_share(self) -> None:
        """After a block a turn visits only some, who has waited longest first."""
        pulses = [self.joined() for _ in range(200)]
        self.run_for(100_000)
        for pulse in pulses:
            pulse.visits.clear()
        self.block_for(15_000)
        self.assertEqual(sum(len(pulse.visits) for pulse in pulses), 16 + 200 // 8)
        self.run_for(4 * TURN_US)
        self.assertEqual({len(pulse.visits) for pulse in pulses}, {1})

    def test_short_block_visits_only_what_was_missed(self) -> None:
        """A block of three turns makes three turns late and no other."""
        pulses = [self.joined() for _ in range(7)]
        self.run_for(100_000)
        before = [len(pulse.visits) for pulse in pulses]
        self.block_for(3 * TURN_US)
        visited = [len(p.visits) - b for p, b in zip(pulses, before, strict=True)]
        self.assertLessEqual(set(visited), {0, 1})
        self.assertLessEqual(sum(visited), 3)

    def test_block_from_45_to_79_ms(self) -> None:
        """A slot due at 50 and 70 ms is visited at 79 ms, then at 90 ms, once each."""
        pulse = self.joined()
        self.run_for(45_000)
        self.block_for(34_000)
        self.run_for(31_000)
        visits = [now_us - self.start_us for now_us in pulse.visits]
        self.assertEqual(visits, [10_000, 30_000, 79_000, 90_000, 110_000])

    def test_jitter(self) -> None:
        """Turns that come late now and then send one frame each, not none, then two."""
        random = Random(3)
        for lead_us in (20_000, 100_000):
            line = TWILIO_OVER_WEBSOCKET(lead_us).open()
            self.schedule.join(line.stream)
            line.say(100)
            self.run_for(FRAME_US)
            counts = []
            for _ in range(60):
                before = len(line.transport.events)
                now_us = microseconds(self.clock)
                self.block_for(random.randrange(9_000))
                run_until(self.clock, now_us + FRAME_US)
                counts.append(len(line.transport.events) - before)
            self.assertEqual(counts, [1] * 60)
            self.schedule.leave(line.stream)

    def test_a_little_early(self) -> None:
        """Looks just before and just after the time send one frame each, never two."""
        random = Random(5)
        line = TWILIO_OVER_WEBSOCKET(100_000).open()
        self.schedule.join(line.stream)
        line.say(200)
        counts = []
        for period in range(100):
            before = len(line.transport.events)
            due_us = self.start_us + FRAME_US // 2 + period * FRAME_US
            for at_us in (
                due_us - random.randrange(100),
                due_us + random.randrange(90),
            ):
                self.clock.rightNow = at_us / 1_000_000
                self.schedule.look()
            counts.append(len(line.transport.events) - before)
        self.assertEqual(counts, [5] + [1] * 99)

    def test_any_start(self) -> None:
        """A clock of floats, started at any instant, makes no turn late by rounding."""
        random = Random(2)
        for days in [0, 1, 400, 20_000] * 25:
            self.clock = Clock()
            self.clock.rightNow = days * 86_400 + random.random()
            self.schedule = Schedule(self.clock)
            pulse = self.joined()
            self.run_for(200_000)
            self.assertEqual(len(pulse.visits), 10)
            self.assertLessEqual(pauses(pulse.visits), {19_999, 20_000, 20_001})
            self.assertLessEqual(pulse.meters.lateness.largest, 2)


class LookTests(_ScheduleTestCase):
    """Others have the schedule look between two turns."""

    def test_what_is_due(self) -> None:
        """Who is due by now is visited at once, and not again in the next turn."""
        pulse = self.joined()
        self.clock.rightNow += 0.010_4
        self.schedule.look()
        self.assertEqual(len(pulse.visits), 1)
        self.run_for(2 * TURN_US)
        self.assertEqual(len(pulse.visits), 1)
        self.assertEqual(pulse.meters.lateness.largest, 400)

    def test_what_is_not(self) -> None:
        """Who is not due is not visited, and nothing is counted."""
        pulse = self.joined()
        self.clock.rightNow += 0.009_8
        self.schedule.look()
        self.assertEqual((pulse.visits, self.schedule.turns), ([], 0))

    def test_nobody(self) -> None:
        """An empty schedule may be looked at."""
        self.schedule.look()
        self.assertEqual(self.schedule.turns, 0)


class LatenessTests(_ScheduleTestCase):
    """How late the schedule was is counted, and never too small."""

    def test_in_time(self) -> None:
        """Turns in time are not late."""
        pulse = self.joined()
        self.run_for(1_000_000)
        self.assertEqual((self.schedule.turns, self.schedule.lateness.count), (50, 50))
        self.assertLessEqual(self.schedule.lateness.largest, 1)
        self.assertEqual(pulse.meters.lateness.count, 50)

    def test_block_within_a_period(self) -> None:
        """A late turn counts from when it was due."""
        pulse = self.joined()
        self.run_for(100_000)
        self.block_for(17_000)
        self.assertEqual(pulse.meters.lateness.largest, 7_000)
        self.assertEqual(self.schedule.lateness.largest, 7_000)

    def test_block_longer_than_a_period(self) -> None:
        """A block counts from the first turn that it swallowed, not from the last."""
        pulses = [self.joined() for _ in range(7)]
        self.run_for(100_000)
        self.block_for(4_255_000)
        for pulse in pulses:
            self.assertTrue(4_234_000 < pulse.meters.lateness.largest <= 4_255_000)
        self.assertEqual(self.schedule.lateness.largest, 4_251_000)

    def test_duration(self) -> None:
        """How long a visit took is counted."""
        clock = self.clock

        class Slow(Pulse):
            def tick(self, now_us: int, late_us: int = 0) -> None:
                clock.rightNow += 0.000_7

        self.schedule.join(Slow())
        self.run_for(FRAME_US)
        self.assertEqual(self.schedule.duration.count, 1)
        self.assertAlmostEqual(self.schedule.duration.total, 700, delta=1)

    def test_duration_after_a_block(self) -> None:
        """Visits that are made together are timed together."""
        clock = self.clock

        class Slow(Pulse):
            def tick(self, now_us: int, late_us: int = 0) -> None:
                clock.rightNow += 0.000_7

        for _ in range(3):
            self.schedule.join(Slow())
        self.block_for(FRAME_US)
        self.assertEqual(self.schedule.duration.count, 1)
        self.assertAlmostEqual(self.schedule.duration.largest, 2_100, delta=1)


class FailureTests(_ScheduleTestCase):
    """One stream fails, and no other notices [TX-5]."""

    def test_exception(self) -> None:
        """What a tick raises is left as a flag; the stream is visited no more."""
        pulses = [self.joined() for _ in range(30)]
        self.run_for(100_000)
        error = pulses[7].error = ValueError("a bug")
        self.run_for(100_000)
        self.assertIs(pulses[7].flags.failure, error)
        self.assertEqual(len(pulses[7].visits), 6)
        others = pulses[:7] + pulses[8:]
        self.assertEqual({len(pulse.visits) for pulse in others}, {10})
        self.assertEqual({pulse.flags.failure for pulse in others}, {None})

    def test_all_fail(self) -> None:
        """When every stream fails the schedule goes on, and they can leave."""
        pulses = [self.joined() for _ in range(30)]
        for pulse in pulses:
            pulse.error = ZeroDivisionError()
        self.run_for(100_000)
        fresh = self.joined()
        self.run_for(100_000)
        self.assertEqual(len(fresh.visits), 5)
        for pulse in [*pulses, fresh]:
            self.schedule.leave(pulse)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_broken_socket(self) -> None:
        """A stream whose transport raises fails, with its frames still counted."""
        broken, sound = TWILIO_OVER_WEBSOCKET().open(), TWILIO_OVER_WEBSOCKET().open()
        for line in (broken, sound):
            self.schedule.join(line.stream)
            line.say(3)
        del broken.transport.events
        self.run_for(100_000)
        self.assertIsInstance(broken.stream.flags.failure, AttributeError)
        self.assertEqual(broken.stream.waiting, 3)
        self.assertEqual(len(sound.sound()), 3)


class _Broken(Histogram):
    """A histogram with a bug."""

    def observe(self, value: int) -> None:
        raise ZeroDivisionError


class BrokenScheduleTests(_ScheduleTestCase):
    """A fault of the schedule itself."""

    def setUp(self) -> None:
        super().setUp()
        self.pulse = self.joined()
        sound, self.schedule.lateness = self.schedule.lateness, _Broken((1,))
        self.run_for(FRAME_US)
        self.schedule.lateness = sound

    def test_failure_is_kept(self) -> None:
        """A turn that raises ends the turns, and leaves what it raised to be seen."""
        assert self.schedule.failure is not None
        self.assertIsInstance(self.schedule.failure.value, ZeroDivisionError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_leave(self) -> None:
        """Streams may leave a schedule that has stopped."""
        self.schedule.leave(self.pulse)
        self.assertEqual(len(self.schedule), 0)

    def test_join(self) -> None:
        """The next stream that joins starts the turns again, for all."""
        fresh = self.joined()
        self.run_for(100_000)
        self.assertEqual((len(fresh.visits), len(self.pulse.visits)), (5, 6))


class HourTests(SynchronousTestCase):
    """An hour of one call, with stalls, in virtual time."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.schedule = Schedule(self.clock)
        self.line: Line = TWILIO_OVER_WEBSOCKET(100_000).open()
        self.spoken = Spoken(0)
        self.payload = self.line.frame()
        self.largest_burst = 0
        self.schedule.join(self.line.stream)

    def pass_time(self, span_us: int) -> None:
        """Let time pass without a turn; the agent always has more to say."""
        stream, written = self.line.stream, self.line.transport.events
        while stream.waiting < 20:
            stream.queue_frame(self.payload, self.spoken)
        self.clock.advance(span_us / 1_000_000)
        self.largest_burst = max(self.largest_burst, len(written))
        written.clear()

    def run_seconds(self, seconds: int, stalls_us: Sequence[int]) -> None:
        """So many seconds; the reactor stalls at the beginning of each."""
        for second in range(seconds):
            self.pass_time(stalls_us[second % len(stalls_us)])
            end_us = (second + 1) * 1_000_000
            while (left_us := end_us - microseconds(self.clock)) > 0:
                self.pass_time(min(FRAME_US, left_us))

    def test_stalls_within_the_lead(self) -> None:
        """Stalls up to the lead less a tick: an hour of sound, not a frame less."""
        self.run_seconds(3_600, [10_000, 45_000, 79_000, 80_000, 1_000])
        meters = self.line.stream.meters
        # From the first tick, at 10 ms, to the lead beyond the last, 20 ms before 10.
        wanted_us = 3_599_990_000 - 10_000 + 100_000
        self.assertEqual(meters.sent, wanted_us // FRAME_US)
        self.assertEqual((meters.ledger, meters.underrun_us), ([], 0))
        self.assertEqual(self.largest_burst, 5)

    def test_jitter(self) -> None:
        """Ticks that come a little early or late still send one frame each."""
        self.run_seconds(1, [20_000])
        stream, written = self.line.stream, self.line.transport.events
        bursts = set()
        for step in range(500):
            if stream.waiting < 20:
                stream.queue_frame(self.payload, self.spoken)
            jitter_us = step * 7_919 % 1_500
            self.clock.advance((FRAME_US + jitter_us) / 1_000_000)
            bursts.add(len(written))
            written.clear()
            self.clock.advance(-jitter_us / 1_000_000)
        self.assertEqual(bursts, {1})

    def test_stalls_beyond_the_lead(self) -> None:
        """What stalls cost beyond the lead is lost, told, and never made up."""
        self.run_seconds(600, [10_000, 145_000, 400_000, 20_000])
        stream = self.line.stream
        meters = stream.meters
        first_us = stream.flags.first_audio_sent_us or 0
        heard_us = stream.playout.playing_until_us - first_us
        self.assertEqual(meters.sent * FRAME_US + meters.underrun_us, heard_us)
        self.assertEqual(meters.underruns, {"reactor": 300})
        self.assertEqual(self.largest_burst, 5)
