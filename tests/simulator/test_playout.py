"""The carrier's playout buffer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.playout import PAUSE_MS, PlayoutBuffer

MARK, CLEAR = "mark", "clear"

#: What happens at one moment: how many ms pass first, then sound, a mark or a clear.
MOMENTS = st.lists(
    st.tuples(
        st.integers(0, 70),
        st.one_of(st.integers(1, 1000), st.just(MARK), st.just(CLEAR)),
    ),
    max_size=40,
)


def frame(byte: int, frames: int = 1) -> bytes:
    """:returns: frames of 20 ms that hold one byte only."""
    return bytes([byte]) * 160 * frames


class PlayoutTests(SynchronousTestCase):
    """What the ear hears, and when."""

    def test_sound_plays_in_order_in_real_time(self) -> None:
        """Sound of any length plays at 8 bytes a millisecond, silence follows."""
        buffer = PlayoutBuffer(jitter_ms=0)
        buffer.media(frame(1))
        buffer.media(b"\x02" * 8)
        self.assertEqual(buffer.advance(10), (b"\x01" * 80, []))
        self.assertEqual(
            buffer.advance(22), (b"\x01" * 80 + b"\x02" * 8 + b"\xff" * 8, [])
        )

    def test_time_that_has_passed_plays_nothing(self) -> None:
        """Going back in time neither plays nor loses anything."""
        buffer = PlayoutBuffer(jitter_ms=0)
        buffer.media(frame(1))
        buffer.advance(10)
        self.assertEqual(buffer.advance(5), (b"", []))
        self.assertEqual(buffer.advance(20), (b"\x01" * 80, []))

    def test_jitter_buffer_holds_the_first_sound(self) -> None:
        """After a dry spell sound waits for the jitter buffer, then flows."""
        buffer = PlayoutBuffer(jitter_ms=60)
        buffer.advance(100)
        buffer.media(frame(1))
        buffer.advance(120)
        buffer.media(frame(2))
        heard, _ = buffer.advance(200)
        self.assertEqual(heard, b"\xff" * 320 + frame(1) + frame(2))

    def test_what_it_played(self) -> None:
        """It knows from when to when it played; a clear is a break, as silence is."""
        buffer = PlayoutBuffer(jitter_ms=60)
        for at_ms in (100, 120, 140):
            buffer.advance(at_ms)
            buffer.media(frame(1))
        buffer.advance(190)
        buffer.clear()
        buffer.media(frame(2))
        buffer.advance(400)
        self.assertEqual(buffer.played, [(160, 190), (250, 270)])
        near = PlayoutBuffer(jitter_ms=0)
        near.media(frame(1))
        near.advance(10)
        near.clear()
        near.media(frame(2))
        near.advance(50)
        self.assertEqual(near.played, [(0, 10), (10, 30)])

    def test_mark_on_an_empty_queue_comes_back_at_once(self) -> None:
        """With nothing to play, a mark is reached without time passing."""
        buffer = PlayoutBuffer(jitter_ms=60)
        buffer.advance(100)
        buffer.mark("here")
        self.assertEqual(buffer.advance(100), (b"", ["here"]))

    def test_mark_comes_back_when_the_sound_before_it_was_played(self) -> None:
        """A mark is reached with the last byte before it, not with the next one."""
        buffer = PlayoutBuffer(jitter_ms=0)
        buffer.media(frame(1))
        buffer.mark("end")
        buffer.media(frame(2))
        self.assertEqual(buffer.advance(19.75)[1], [])
        self.assertEqual(buffer.advance(20)[1], ["end"])

    def test_clear_gives_all_marks_back_and_falls_silent(self) -> None:
        """A clear drops the sound, and every mark that waited comes back in order."""
        buffer = PlayoutBuffer(jitter_ms=0)
        buffer.media(frame(1))
        buffer.mark("one")
        buffer.media(frame(2))
        buffer.mark("two")
        buffer.advance(5)
        self.assertEqual(buffer.clear(), ["one", "two"])
        self.assertEqual(buffer.cleared, 280)
        self.assertEqual(buffer.advance(10), (b"\xff" * 40, []))


class UnderrunTests(SynchronousTestCase):
    """What counts as a hole inside an utterance."""

    def holes(self, gap_ms: int, *, between: str = "", jitter_ms: int = 0) -> Any:
        """:returns: the underruns when two frames come ``gap_ms`` after dryness."""
        buffer = PlayoutBuffer(jitter_ms=jitter_ms)
        buffer.media(frame(1))
        if between == MARK:
            buffer.mark("end")
        buffer.advance(20 + jitter_ms)
        if between == CLEAR:
            buffer.clear()
        buffer.advance(20 + jitter_ms + gap_ms)
        buffer.media(frame(2))
        buffer.advance(5000)
        return buffer.underruns

    def test_sound_in_time_is_no_underrun(self) -> None:
        """Sound that comes the moment the queue runs dry leaves no hole."""
        self.assertEqual(self.holes(0), [])

    def test_late_sound_is_an_underrun(self) -> None:
        """A hole is told with its time and its length."""
        self.assertEqual(self.holes(35), [(20.0, 35.0)])

    def test_hole_is_as_long_as_the_ear_hears_it(self) -> None:
        """What the jitter buffer holds back again is part of the hole."""
        self.assertEqual(self.holes(35, jitter_ms=60), [(80.0, 95.0)])

    def test_mark_ends_an_utterance(self) -> None:
        """After a mark was reached, silence is meant."""
        self.assertEqual(self.holes(35, between=MARK), [])

    def test_clear_ends_an_utterance(self) -> None:
        """After a clear, silence is meant."""
        self.assertEqual(self.holes(35, between=CLEAR), [])

    def test_long_silence_is_a_pause(self) -> None:
        """A silence above the limit is meant even without a mark."""
        self.assertEqual(self.holes(PAUSE_MS + 1), [])
        self.assertEqual(self.holes(PAUSE_MS), [(20.0, float(PAUSE_MS))])

    def test_silence_before_the_first_sound_is_no_underrun(self) -> None:
        """A service may take its time to begin."""
        buffer = PlayoutBuffer(jitter_ms=60)
        buffer.advance(500)
        buffer.media(frame(1))
        buffer.advance(1000)
        self.assertEqual(buffer.underruns, [])


class ConservationTests(SynchronousTestCase):
    """Whatever happens, no sound is made up, lost or turned round."""

    @given(moments=MOMENTS, jitter_ms=st.sampled_from([0, 20, 60]))
    def test_every_byte_is_heard_dropped_or_waits(
        self, moments: list[tuple[int, int | str]], jitter_ms: int
    ) -> None:
        """Bytes in are bytes heard, cleared and waiting; the ear hears all the time."""
        buffer = PlayoutBuffer(jitter_ms=jitter_ms)
        now, given_bytes, heard = 0, 0, b""
        for passes, thing in moments:
            now += passes
            heard += buffer.advance(now)[0]
            if isinstance(thing, int):
                buffer.media(b"\x01" * thing)
                given_bytes += thing
            elif thing == CLEAR:
                buffer.clear()
        self.assertEqual(len(heard), now * 8)
        self.assertEqual(heard.count(1) + buffer.cleared + buffer.waiting, given_bytes)

    @given(moments=MOMENTS, jitter_ms=st.sampled_from([0, 60]))
    def test_marks_come_back_once_and_in_order(
        self, moments: list[tuple[int, int | str]], jitter_ms: int
    ) -> None:
        """Every mark comes back exactly once, in the order in which marks came."""
        buffer = PlayoutBuffer(jitter_ms=jitter_ms)
        now, back = 0, list[str]()
        for number, (passes, thing) in enumerate(moments):
            now += passes
            back += buffer.advance(now)[1]
            if isinstance(thing, int):
                buffer.media(b"\x01" * thing)
            elif thing == CLEAR:
                back += buffer.clear()
            else:
                buffer.mark(str(number))
        back += buffer.advance(now + 100_000)[1]
        wanted = [str(n) for n, (_, thing) in enumerate(moments) if thing == MARK]
        self.assertEqual(back, wanted)

    @given(
        sizes=st.lists(st.integers(1, 500), min_size=1),
        steps=st.lists(st.integers(1, 50)),
    )
    def test_sound_without_a_hole_is_heard_without_a_hole(
        self, sizes: list[int], steps: list[int]
    ) -> None:
        """What waits is played in one piece, however time is cut."""
        buffer = PlayoutBuffer(jitter_ms=0)
        sound = b""
        for number, size in enumerate(sizes):
            piece = bytes([number % 255]) * size
            sound += piece
            buffer.media(piece)
        now, heard = 0, b""
        for step in [*steps, 100_000]:
            now += step
            heard += buffer.advance(now)[0]
        self.assertEqual(heard[: len(sound)], sound)
        self.assertEqual(buffer.underruns, [])
