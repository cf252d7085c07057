"""The way out of one call, in every dialect and over every transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import FRAME_US
from twistedvoice.realtime.flags import Flags
from twistedvoice.realtime.spoken import Spoken

from .doubles import (
    BINARY_OVER_PREFIXES,
    BINARY_OVER_WEBSOCKET,
    TWILIO_OVER_PREFIXES,
    TWILIO_OVER_WEBSOCKET,
    Line,
)
from .machine import StreamMachine

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as _TestCase
else:
    _TestCase = object

LEAD_US = 100_000
#: The same on every run and machine, and no clock.
STEADY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


def tick(line: Line, start_us: int, end_us: int) -> None:
    """Tick every 20 ms from ``start_us`` until before ``end_us``."""
    for now_us in range(start_us, end_us, FRAME_US):
        line.stream.tick(now_us)


class StreamContract(_TestCase):
    """To be mixed into a ``SynchronousTestCase`` with a way to make lines."""

    make_line = TWILIO_OVER_WEBSOCKET

    def open_line(self, lead_us: int = LEAD_US) -> Line:
        """:returns: a line whose stream has started at 0."""
        return self.make_line(lead_us).open()

    # -- queueing -----------------------------------------------------------------

    def test_wrong_size_is_refused(self) -> None:
        """A frame that is not exactly 20 ms is not queued, nor counted [TX-6]."""
        line = self.open_line()
        size = line.dialect.format.frame_bytes
        for wrong in (0, 1, size - 1, size + 1, 2 * size):
            with self.assertRaises(ValueError) as caught:
                line.stream.queue_frame(b"\0" * wrong, Spoken(0))
            self.assertIn(f"{size} bytes, not {wrong}", str(caught.exception))
        self.assertEqual((line.stream.waiting, line.stream.meters.queued), (0, 0))

    def test_sound_is_kept_until_the_start(self) -> None:
        """What is said before the stream has started is sent after it [AO-3]."""
        line = self.make_line(LEAD_US)
        said = line.say(3)
        line.stream.queue_mark("m1")
        line.stream.tick(0)
        self.assertEqual(line.transport.events, [])
        line.open(20_000)
        said += line.say(1)
        line.stream.tick(20_000)
        self.assertEqual(line.sound(), said)
        self.assertEqual(line.stream.flags.first_audio_sent_us, 20_000)

    def test_waiting(self) -> None:
        """What waits is told in frames and in time; marks take none."""
        line = self.open_line()
        line.say(7)
        line.stream.queue_mark("m1")
        self.assertEqual((line.stream.waiting, line.stream.waiting_us), (7, 140_000))
        line.stream.tick(0)
        self.assertEqual((line.stream.waiting, line.stream.waiting_us), (2, 40_000))

    def test_idle_sends_nothing(self) -> None:
        """A call that says nothing puts nothing on the wire [TX-9]."""
        line = self.open_line()
        tick(line, 0, 1_000_000)
        self.assertEqual(line.transport.events, [])

    def test_most_waiting(self) -> None:
        """The largest number of frames that waited at once is kept [OB-1]."""
        line = self.open_line()
        line.say(7)
        line.stream.tick(0)
        line.say(1)
        line.stream.clear(0)
        line.say(2)
        self.assertEqual(line.stream.meters.most_waiting, 7)

    # -- comfort ------------------------------------------------------------------

    def comforted(self) -> tuple[Line, bytes]:
        """:returns: an open line with comfort silence, and a frame of that."""
        line = self.make_line(LEAD_US, comfort=True).open()
        sound = line.dialect.format
        return line, sound.silence(sound.frame_bytes)

    def test_comfort(self) -> None:
        """With comfort on, each idle tick sends a frame of silence [TX-9]."""
        line, silence = self.comforted()
        tick(line, 0, 100_000)
        self.assertEqual(line.arrived(), [("media", silence)] * 5)
        self.assertEqual(line.stream.meters.comfort, 5)

    def test_comfort_is_nothing_said(self) -> None:
        """It is in no flag, track, playout clock or count of frames."""
        line, _ = self.comforted()
        tick(line, 0, 100_000)
        stream = line.stream
        self.assertEqual(stream.flags, Flags())
        self.assertEqual((stream.meters.queued, stream.meters.sent), (0, 0))
        self.assertEqual(stream.playout.playing_until_us, 0)
        self.assertEqual(list(line.tracks.played), [])

    def test_comfort_waits_for_what_plays(self) -> None:
        """No silence is put behind sound that the carrier still plays."""
        line, silence = self.comforted()
        said = line.say(3)
        tick(line, 0, 80_000)
        self.assertEqual(line.sound(), [*said, silence])
        more = line.say(1)
        line.stream.tick(80_000)
        self.assertEqual(line.sound(), [*said, silence, *more])

    def test_comfort_of_a_stream_that_cannot_send(self) -> None:
        """None is sent before the start, to a slow peer, or after the close."""
        line = self.make_line(LEAD_US, comfort=True)
        line.stream.tick(0)
        line.open(20_000).transport.pause()
        line.stream.tick(20_000)
        line.transport.resume()
        line.stream.close()
        line.stream.tick(40_000)
        self.assertEqual(line.transport.events, [])
        self.assertEqual(line.stream.meters.comfort, 0)

    # -- the pace -----------------------------------------------------------------

    def test_pace(self) -> None:
        """The lead goes out at once, then a frame each tick, in order, unchanged."""
        line = self.open_line()
        said = line.say(20)
        counts = []
        for now_us in range(0, 200_000, FRAME_US):
            before = len(line.transport.events)
            line.stream.tick(now_us)
            counts.append(len(line.transport.events) - before)
        self.assertEqual(counts, [5, *[1] * 9])
        tick(line, 200_000, 400_000)
        self.assertEqual(line.sound(), said)

    def test_lead_of_one_frame(self) -> None:
        """A lead of one frame is strictly one frame a tick."""
        line = self.open_line(lead_us=20_000)
        line.say(20)
        for number, now_us in enumerate(range(0, 200_000, FRAME_US), start=1):
            line.stream.tick(now_us)
            self.assertEqual(len(line.transport.events), number)

    def test_played_track(self) -> None:
        """Each frame is noted where it plays, counted from the carrier's start."""
        line = self.make_line(LEAD_US).open(now_us=3_000_000)
        said = line.say(6)
        line.stream.tick(3_500_000)
        line.stream.tick(3_900_000)
        starts = [500_000, 520_000, 540_000, 560_000, 580_000, 900_000]
        self.assertEqual(list(line.tracks.played), list(zip(starts, said, strict=True)))

    def test_no_tracks(self) -> None:
        """A call that is not recorded keeps no sound, and says the same."""
        line = self.open_line()
        line.stream.tracks = None
        said = line.say(3)
        line.stream.tick(0)
        line.stream.clear(10_000)
        self.assertEqual(line.sound(), said)
        self.assertEqual(list(line.tracks.played), [])

    # -- marks --------------------------------------------------------------------

    def test_marks_keep_their_place(self) -> None:
        """A mark goes out behind all sound before it and ahead of all after it."""
        line = self.open_line(lead_us=40_000)
        first = line.say(2)
        line.stream.queue_mark("one")
        line.stream.queue_mark("two")
        second = line.say(1)
        tick(line, 0, 60_000)
        marks = ["one", "two"] if line.dialect.capabilities.marks else []
        self.assertEqual(
            line.arrived(),
            [
                *(("media", payload) for payload in first),
                *(("mark", name) for name in marks),
                *(("media", payload) for payload in second),
            ],
        )

    def test_marks_without_a_carrier_that_has_them(self) -> None:
        """Where the carrier has no marks, the clock says when each will be heard."""
        line = self.open_line(lead_us=40_000)
        line.say(2)
        line.stream.queue_mark("one")
        line.say(1)
        line.stream.queue_mark("two")
        tick(line, 0, 60_000)
        passed = [] if line.dialect.capabilities.marks else _BY_THE_CLOCK
        self.assertEqual(line.stream.passed, passed)

    def test_interrupt_forgets_marks_that_were_passed(self) -> None:
        """A mark that would be heard later never is, once its sound was dropped."""
        line = self.make_line(LEAD_US).open()
        line.say(2)
        line.stream.queue_mark("one")
        line.stream.tick(0)
        line.stream.clear(10_000)
        self.assertEqual(line.stream.passed, [])

    # -- the interrupt ------------------------------------------------------------

    def test_clear(self) -> None:
        """A clear drops what waits and tells the carrier, once, if it can [BI-1]."""
        line = self.open_line()
        said = line.say(20)
        line.stream.queue_mark("m1")
        line.stream.tick(0)
        dropped_us = line.stream.clear(30_000)
        tick(line, 40_000, 400_000)
        can = line.dialect.capabilities.clear
        wanted: list[tuple[str, bytes | str]] = [("media", each) for each in said[:5]]
        self.assertEqual(line.arrived(), wanted + ([("clear", "")] if can else []))
        self.assertEqual(dropped_us, 300_000 + (70_000 if can else 0))
        self.assertEqual(line.stream.meters.flushed, 15)
        self.assertEqual(line.stream.waiting, 0)

    def test_clear_cuts_the_played_track(self) -> None:
        """What the carrier was told to drop is not recorded; what it holds is."""
        line = self.open_line()
        said = line.say(5)
        line.stream.tick(0)
        line.stream.clear(30_000)
        played = b"".join(payload for _, payload in line.tracks.played)
        sound = line.dialect.format
        whole_us = 30_000 if line.dialect.capabilities.clear else 100_000
        self.assertEqual(played, b"".join(said)[: sound.bytes_in(whole_us)])

    def test_late_chunks_after_a_clear(self) -> None:
        """What an interrupted utterance still brings never leaves [B10]."""
        line = self.open_line()
        stale = Spoken(line.stream.generation)
        line.say(2, stale)
        line.stream.clear(0)
        late = line.say(3, stale)
        fresh = line.say(3)
        late += line.say(3, stale)
        tick(line, 0, 400_000)
        self.assertEqual(line.sound(), fresh)
        self.assertEqual(line.stream.meters.flushed, 8)

    def test_no_mute_after_a_clear(self) -> None:
        """What is said next plays at once, with a whole lead [B12]."""
        line = self.open_line()
        line.say(20)
        line.stream.tick(0)
        line.stream.clear(30_000)
        fresh = line.say(9)
        line.stream.tick(40_000)
        count = 5 if line.dialect.capabilities.clear else 2
        self.assertEqual(line.sound()[5:], fresh[:count])

    def test_clear_on_a_paused_transport(self) -> None:
        """A clear goes out even when the peer reads slowly; no frame does [B11]."""
        line = self.open_line()
        line.transport.pause()
        line.say(5)
        line.stream.tick(0)
        line.stream.clear(0)
        can = line.dialect.capabilities.clear
        self.assertEqual(line.arrived(), [("clear", "")] if can else [])

    def test_clear_before_the_start(self) -> None:
        """Before the stream has started there is nobody to tell, and nothing stays."""
        line = self.make_line(LEAD_US)
        line.say(4)
        self.assertEqual(line.stream.clear(0), 80_000)
        fresh = line.open().say(1)
        line.stream.tick(0)
        self.assertEqual(line.arrived(), [("media", fresh[0])])

    # -- a peer that reads slowly -------------------------------------------------

    def test_paused_transport_holds_frames(self) -> None:
        """Nothing is written while paused; each such tick is counted [TX-8]."""
        line = self.open_line()
        said = line.say(8)
        line.transport.pause()
        tick(line, 0, 60_000)
        flags, meters = line.stream.flags, line.stream.meters
        self.assertEqual(line.transport.events, [])
        self.assertEqual(flags.first_audio_sent_us, None)
        self.assertEqual((flags.stalled_since_us, meters.held_ticks), (0, 3))
        line.transport.resume()
        line.stream.tick(60_000)
        self.assertEqual(line.sound(), said[:5])
        self.assertEqual((flags.stalled_since_us, meters.held_ticks), (None, 3))
        self.assertEqual(flags.first_audio_sent_us, 60_000)

    def test_transport_that_pauses_in_a_tick(self) -> None:
        """A tick stops at the very frame that filled the socket."""
        line = self.open_line()
        said = line.say(8)
        line.transport.room = 2
        line.stream.tick(0)
        self.assertEqual(line.sound(), said[:2])
        self.assertEqual(line.stream.flags.stalled_since_us, 0)
        line.transport.resume()
        line.stream.tick(20_000)
        self.assertEqual(line.sound(), said[:6])

    def test_stall_begins_anew_with_each_frame(self) -> None:
        """A peer that takes a frame now and then is slow, and has not stalled."""
        line = self.open_line()
        line.say(8)
        for now_us in range(0, 100_000, FRAME_US):
            line.transport.resume()
            line.transport.room = 1
            line.stream.tick(now_us)
            self.assertEqual(line.stream.flags.stalled_since_us, now_us)

    def test_stall_goes_on_with_nothing_to_say(self) -> None:
        """A peer that does not read has stalled: what it is sent need not be sound."""
        line = self.open_line()
        line.say(8)
        line.transport.pause()
        line.stream.tick(0)
        line.stream.clear(10_000)
        line.stream.tick(20_000)
        self.assertEqual(line.stream.flags.stalled_since_us, 0)
        line.transport.resume()
        line.stream.tick(40_000)
        self.assertEqual(line.stream.flags.stalled_since_us, None)

    def test_stall_ends_when_only_a_mark_waited(self) -> None:
        """A mark that could not leave stalls the stream until it is gone."""
        line = self.open_line()
        line.stream.queue_mark("m1")
        line.transport.pause()
        line.stream.tick(0)
        self.assertEqual(line.stream.flags.stalled_since_us, 0)
        line.transport.resume()
        line.stream.tick(20_000)
        self.assertEqual(line.stream.flags.stalled_since_us, None)

    # -- holes --------------------------------------------------------------------

    def assert_hole(self, line: Line, why: str, at_us: int, length_us: int) -> None:
        """The ledger has exactly this one hole."""
        meters = line.stream.meters
        (hole,) = meters.ledger
        self.assertEqual(
            (hole.why, hole.at_us, hole.length_us), (why, at_us, length_us)
        )
        self.assertEqual(meters.underruns, {why: 1})
        self.assertEqual(meters.underrun_us, length_us)

    def test_hole_of_the_agent(self) -> None:
        """Sound that comes too late for its place is the agent's hole [OB-2]."""
        line = self.open_line()
        spoken = Spoken(0)
        line.say(2, spoken)
        tick(line, 0, 100_000)
        line.say(1, spoken)
        line.stream.tick(100_000)
        self.assert_hole(line, "agent", 40_000, 60_000)

    def test_hole_of_the_reactor(self) -> None:
        """Sound that waited while no tick came is the reactor's hole."""
        line = self.open_line()
        line.say(12)
        tick(line, 0, 40_000)
        line.stream.tick(250_000)
        self.assert_hole(line, "reactor", 120_000, 130_000)

    def test_hole_of_the_socket(self) -> None:
        """Sound that waited while the peer did not read is the socket's hole."""
        line = self.open_line()
        line.say(12)
        line.stream.tick(0)
        line.transport.pause()
        tick(line, 20_000, 180_000)
        line.transport.resume()
        line.stream.tick(180_000)
        self.assert_hole(line, "socket", 100_000, 80_000)

    def test_hole_that_is_not_heard(self) -> None:
        """A hole of less than 5 ms hides in any jitter buffer and is not counted."""
        line = self.open_line(lead_us=20_000)
        line.say(3)
        for now_us in (0, 24_999, 50_000):
            line.stream.tick(now_us)
        self.assert_hole(line, "reactor", 44_999, 5_001)

    def test_silence_between_utterances_is_no_hole(self) -> None:
        """Between two utterances silence is meant, after a clear as well."""
        line = self.open_line()
        line.say(2)
        tick(line, 0, 200_000)
        line.say(2)
        tick(line, 200_000, 400_000)
        line.stream.clear(400_000)
        line.say(2)
        tick(line, 600_000, 700_000)
        self.assertEqual(line.stream.meters.ledger, [])
        self.assertEqual(line.stream.meters.sent, 6)

    # -- the end ------------------------------------------------------------------

    def test_close(self) -> None:
        """What waits at the close counts as dropped, and nothing more is written."""
        line = self.open_line()
        line.say(8)
        line.stream.queue_mark("m1")
        line.stream.tick(0)
        line.stream.close()
        written = list(line.transport.events)
        line.say(1)
        tick(line, 20_000, 200_000)
        line.stream.clear(200_000)
        self.assertEqual(line.transport.events, written)
        meters = line.stream.meters
        self.assertEqual((meters.sent, meters.dropped, meters.flushed), (5, 3, 1))

    def test_failing_write_loses_no_frame(self) -> None:
        """A frame whose write raises still waits: it was not sent, nor is it lost."""
        line = self.open_line()
        line.say(2)
        line.transport.events = _Broken()
        self.assertRaises(OSError, line.stream.tick, 0)
        self.assertEqual((line.stream.waiting, line.stream.meters.sent), (2, 0))
        self.assertEqual(line.stream.flags.first_audio_sent_us, None)


class TwilioOverWebSocketTests(StreamContract, SynchronousTestCase):
    """Marks and clear, in frames of RFC 6455."""


class TwilioOverPrefixesTests(StreamContract, SynchronousTestCase):
    """The same over a transport that is no WebSocket."""

    make_line = TWILIO_OVER_PREFIXES


class BinaryOverWebSocketTests(StreamContract, SynchronousTestCase):
    """L16 at 16 kHz, without marks and without clear."""

    make_line = BINARY_OVER_WEBSOCKET


class BinaryOverPrefixesTests(StreamContract, SynchronousTestCase):
    """The same over a transport that is no WebSocket."""

    make_line = BINARY_OVER_PREFIXES


class AnyOrderTests(SynchronousTestCase):
    """Whatever is done in whatever order, each frame is in exactly one place."""

    def test_twilio(self) -> None:
        """Nothing stale, twice, early or out of order leaves; every count agrees."""
        run_state_machine_as_test(StreamMachine, settings=STEADY)

    def test_binary_without_websocket(self) -> None:
        """The same without marks, without clear, and over another transport."""
        machine = type("Machine", (StreamMachine,), {"make_line": BINARY_OVER_PREFIXES})
        run_state_machine_as_test(machine, settings=STEADY)


_BY_THE_CLOCK = [(40_000, "one"), (60_000, "two")]


class _Broken(list[tuple[str, bytes | str]]):
    """Events of a socket that broke."""

    def append(self, event: tuple[str, bytes | str]) -> None:
        raise OSError("broken pipe")
