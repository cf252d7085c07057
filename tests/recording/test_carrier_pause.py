"""Tests of pauses at the carrier, against the double of its API."""

from __future__ import annotations

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from .test_carrier_side import Report, World, call_record
from .twilio_api import (
    HANG,
    HANG_AFTERWARDS,
    NOT_IN_PROGRESS,
    PROPER,
    Trick,
    busy,
    fails,
)


class PausedWorld(World):
    """A call that is recorded and paused."""

    def ask(self, *paused: bool) -> None:
        """The agent wants it paused, or not."""
        for each in paused:
            self.recordings.asked(call_record(), "pause" if each else "resume")

    @property
    def status(self) -> object:
        """How the carrier's one recording is."""
        (recording,) = self.api.recordings["CA1"]
        return recording["status"]

    @property
    def asked(self) -> list[str]:
        """What the API was told to make of the recording, in order."""
        forms = [told.form for told in self.api.told]
        return [form["Status"][0] for form in forms if "Status" in form]


class CarrierPauseTests(SynchronousTestCase):
    """A recording at the carrier is paused."""

    def begin(self, *tricks: Trick) -> PausedWorld:
        """:returns: a call that is recorded; the tricks are for what follows."""
        world = PausedWorld(PROPER, *tricks)
        world.begin()
        return world

    def word(self, report: Report) -> object:
        """:returns: what the CDR says of the pauses."""
        facts = self.successResultOf(report)["carrier_recording"]
        assert isinstance(facts, dict)
        return facts.get("pause")

    def assert_end(self, world: PausedWorld, word: str | None) -> None:
        """The CDR says so, and nothing is left on the clock."""
        self.assertEqual(self.word(world.end()), word)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_pause_and_resume(self) -> None:
        """Each is asked for at once, and once."""
        world = self.begin()
        world.ask(True, True)
        self.assertEqual((world.status, world.asked), ("paused", ["paused"]))
        (told,) = [each for each in world.api.told if "Status" in each.form]
        self.assertEqual(told.form["PauseBehavior"], ["silence"])
        world.ask(False, False)
        self.assertEqual(world.asked, ["paused", "in-progress"])
        self.assertEqual(world.status, "in-progress")
        self.assert_end(world, "confirmed")

    def test_never(self) -> None:
        """Where nothing was paused the CDR says nothing of it."""
        world = self.begin()
        world.ask(False)
        self.assertEqual(world.asked, [])
        self.assert_end(world, None)

    def test_outcomes(self) -> None:
        """It is asked again until it is confirmed; how that went is said."""
        table: list[tuple[list[Trick], str, str]] = [
            ([busy()], "paused", "confirmed"),
            ([fails(503), fails(500)], "paused", "confirmed"),
            ([HANG], "paused", "late"),
            ([HANG_AFTERWARDS], "paused", "late"),
            ([busy()] * 6, "paused", "late"),
            ([HANG] * 20, "in-progress", "unconfirmed"),
            ([Trick(status=404, code=20404)], "in-progress", "unconfirmed"),
        ]
        for tricks, status, word in table:
            with self.subTest(tricks=tricks), capturedLogs():
                world = self.begin(*tricks)
                world.ask(True)
                world.wait(60)
                self.assertEqual(world.status, status)
                self.assert_end(world, word)

    def test_refused(self) -> None:
        """A refusal is final for this wish, and is logged; not for the next one."""
        world = self.begin(NOT_IN_PROGRESS)
        with capturedLogs() as events:
            world.ask(True)
            world.wait(60)
        self.assertEqual([event["what"] for event in events], ["pause"])
        world.ask(False, True)
        self.assertEqual(world.status, "paused")
        self.assert_end(world, "unconfirmed")

    def test_changed_mind(self) -> None:
        """The last wish counts, also when nobody knows what became of the first."""
        world = self.begin(HANG_AFTERWARDS)
        world.ask(True, False)
        world.wait(20)
        self.assertEqual(world.asked, ["paused", "in-progress"])
        self.assertEqual(world.status, "in-progress")
        world.api.play(busy())
        world.ask(True, False)
        self.assertEqual(world.asked[2:], ["paused", "in-progress"])
        world.wait(20)
        self.assertEqual(len(world.asked), 4)

    def test_late_end(self) -> None:
        """What is not confirmed when the call ends is not waited for."""
        for trick in (HANG, busy()):
            world = self.begin(trick)
            world.ask(True)
            self.assert_end(world, "unconfirmed")

    def test_before_the_beginning(self) -> None:
        """Nothing is started while it is paused; the resume starts it."""
        world = PausedWorld()
        world.recordings.call_started(call_record(), None)
        world.ask(True)
        world.recordings.first_audio_sent(call_record())
        self.assertEqual(world.api.told, [])
        world.ask(False)
        self.assertEqual(world.status, "in-progress")
        self.assert_end(world, None)

    def test_never_begun(self) -> None:
        """A call that ends in a pause before its recording began has none."""
        world = PausedWorld()
        world.recordings.call_started(call_record(), None)
        world.ask(True)
        world.recordings.first_audio_sent(call_record())
        facts = self.successResultOf(world.end())["carrier_recording"]
        self.assertEqual(facts, {"state": "skipped", "sid": None, "reason": "paused"})

    def test_while_starting(self) -> None:
        """A pause that comes before the carrier's answer follows it at once."""
        world = PausedWorld(HANG_AFTERWARDS)
        world.begin()
        world.ask(True)
        world.call_back("in-progress")
        self.assertEqual(world.status, "paused")
        self.assert_end(world, "confirmed")

    def test_another_stream(self) -> None:
        """A stream that goes on with the call begins without a pause."""
        world = self.begin()
        world.ask(True)
        world.recordings.call_started(call_record("2"), None)
        self.assertEqual(world.status, "in-progress")
        world.ask(True)
        self.assertEqual(world.status, "in-progress")

    def test_fault(self) -> None:
        """A fault of ours is logged and told, and harms nothing else."""
        world = self.begin()
        self.patch(world.recordings, "rest", None)
        world.ask(True)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assert_end(world, "unconfirmed")
