"""Tests of recording at the carrier, against the double of its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from treq.testing import StubTreq
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.rest import TwilioRest
from twistedvoice.errors import CarrierApiError
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import (
    CallObserver,
    CallRecord,
    HttpClient,
    HttpRequest,
    HttpResponse,
)
from twistedvoice.recording.carrier_side import CarrierRecordings
from twistedvoice.web.client import TreqClient

from .twilio_api import (
    ACCOUNT,
    ALREADY_RECORDING,
    GARBLED,
    HANG,
    HANG_AFTERWARDS,
    NOT_FOUND,
    NOT_IN_PROGRESS,
    PASSWORD,
    PROPER,
    Trick,
    TwilioApi,
    busy,
    fails,
)

CALLBACK_URL = "https://us.example/twilio/recording"
Report = Deferred[Mapping[str, object]]


def call_record(session: str = "1", call_id: str = "CA1") -> CallRecord:
    """:returns: what is known of a call that streams."""
    return CallRecord(
        session_id=session,
        call_id=call_id,
        account_id=ACCOUNT,
        stream_id="MZ" + session,
        from_number="+15550001111",
        to_number="+15550002222",
        format=MULAW_8K,
        started_at=1e9,
        started_us=0,
    )


class World:
    """The double of the API, a clock, and what is tested between them."""

    def __init__(self, *tricks: Trick, wanted: bool = True) -> None:
        self.clock = Clock()
        self.api = TwilioApi()
        self.api.call_started("CA1")
        self.api.play(*tricks)
        stub = StubTreq(self.api.resource)
        self.flush = stub.flush
        self.recordings = CarrierRecordings(
            self.clock,
            TreqClient(self.clock, request=vars(stub)["request"]),
            TwilioRest(ACCOUNT, (ACCOUNT, PASSWORD)),
            callback_url=CALLBACK_URL,
            wanted=lambda record: wanted,
            random=lambda: 1.0,
        )

    @property
    def counts(self) -> tuple[int, int]:
        """How many creates and how many looks reached the API."""
        methods = [told.method for told in self.api.told]
        return methods.count("POST"), methods.count("GET")

    def begin(self, session: str = "1") -> None:
        """The call streams, and says something."""
        self.recordings.call_started(call_record(session), None)
        self.recordings.first_audio_sent(call_record(session))

    def end(self, session: str = "1") -> Report:
        """The call's stream is over."""
        observer: CallObserver = self.recordings
        return observer.call_ended(call_record(session))

    def call_back(self, *statuses: str) -> None:
        """Deliver the callbacks that are due, as many and in the order of these."""
        due = {form["RecordingStatus"]: form for _, form in self.api.callbacks}
        for status in statuses:
            self.recordings.callback(due[status])

    def wait(self, seconds: float) -> None:
        """Let time go by, in small steps."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)


class CarrierTestCase(SynchronousTestCase):
    """Knows what a call's report looks like."""

    def assert_report(
        self, report: Report, state: str, reason: str, sid: str | None = None
    ) -> None:
        """The report has come, and says this."""
        self.assertEqual(
            self.successResultOf(report),
            {"carrier_recording": {"state": state, "sid": sid, "reason": reason}},
        )

    def assert_ends(
        self, world: World, report: Report, state: str, reason: str
    ) -> None:
        """The report has come, says this, and nothing is left on the clock."""
        sids = world.api.recorded("CA1") if state == "done" else [None]
        self.assertEqual(len(sids), 1)
        self.assert_report(report, state, reason, sids[0])
        self.assertEqual(world.clock.getDelayedCalls(), [])


class StartTests(CarrierTestCase):
    """How a recording comes to be, whatever the API does."""

    def test_what_is_asked(self) -> None:
        """The first sound brings one request, on the call's account, told in full."""
        world = World()
        world.recordings.call_started(call_record(), None)
        self.assertEqual(world.api.told, [])
        world.recordings.first_audio_sent(call_record())
        (told,) = world.api.told
        self.assertEqual(
            told.path, f"/2010-04-01/Accounts/{ACCOUNT}/Calls/CA1/Recordings.json"
        )
        self.assertEqual(told.form["RecordingStatusCallback"], [CALLBACK_URL])
        self.assertEqual(told.form["RecordingChannels"], ["dual"])

    def test_many_triggers(self) -> None:
        """However often and whenever the call speaks, it is recorded once."""
        world = World(HANG_AFTERWARDS)
        world.begin()
        for _ in range(30):
            world.recordings.first_audio_sent(call_record())
            world.wait(1)
        self.assertEqual(world.counts, (1, 1))
        self.assert_ends(world, world.end(), "done", "adopted")

    def test_outcomes(self) -> None:
        """Each way of the API to behave has one outcome, and so many requests."""
        gone = Trick(status=401, code=20003)
        in_doubt = [fails(500), *[PROPER, fails(500)] * 4]
        table: list[tuple[Sequence[Trick], str, str, tuple[int, int]]] = [
            ([], "done", "created", (1, 0)),
            ([busy()], "done", "created", (2, 0)),
            ([busy(), busy(), busy(), busy()], "done", "created", (5, 0)),
            ([busy()] * 5, "failed", "busy", (5, 0)),
            ([fails(503)], "done", "created", (2, 1)),
            ([fails(503, does_it=True)], "done", "adopted", (1, 1)),
            ([HANG], "done", "created", (2, 1)),
            ([HANG_AFTERWARDS], "done", "adopted", (1, 1)),
            ([GARBLED], "done", "adopted", (1, 1)),
            ([HANG_AFTERWARDS, HANG, fails(502)], "done", "adopted", (1, 3)),
            ([HANG_AFTERWARDS, busy()], "done", "adopted", (1, 2)),
            ([HANG, PROPER, HANG_AFTERWARDS], "done", "adopted", (2, 2)),
            (in_doubt, "failed", "unanswered", (5, 5)),
            ([HANG] * 20, "failed", "unanswered", (1, 5)),
            ([NOT_IN_PROGRESS], "skipped", "call_over", (1, 1)),
            ([NOT_FOUND, NOT_FOUND], "skipped", "call_over", (1, 1)),
            ([ALREADY_RECORDING], "failed", "refused", (1, 1)),
            ([gone, gone], "failed", "refused", (1, 1)),
            ([HANG, gone, gone], "failed", "refused", (1, 2)),
        ]
        for tricks, state, reason, counts in table:
            world = World(*tricks)
            world.begin()
            world.wait(150)
            self.assertEqual((tricks, world.counts), (tricks, counts))
            self.assert_ends(world, world.end(), state, reason)

    def test_recorded_already(self) -> None:
        """A refusal because somebody else records the call adopts that recording."""
        for trick in (ALREADY_RECORDING, NOT_IN_PROGRESS):
            world = World(trick)
            world.api.record("CA1")
            world.begin()
            self.assertEqual(world.counts, (1, 1))
            self.assert_ends(world, world.end(), "done", "adopted")

    def test_finished_recording_is_not_adopted_on_refusal(self) -> None:
        """A recording that was over before cannot be why ours was refused."""
        world = World(ALREADY_RECORDING)
        world.api.record("CA1")["status"] = "completed"
        world.begin()
        self.assert_ends(world, world.end(), "failed", "refused")

    def test_unreachable(self) -> None:
        """An API that cannot be reached is tried so often, and then left."""
        world = World()
        asked: list[str] = []

        class Nobody:
            def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
                asked.append(request.method)
                return fail(
                    CarrierApiError("refused", status=None, code=None, retryable=True)
                )

        world.recordings = carrier_recordings(world.clock, Nobody())
        world.begin()
        world.wait(60)
        self.assertEqual(asked, ["POST"] * 5)
        self.assert_ends(world, world.end(), "failed", "unreachable")

    def test_bug_in_the_client(self) -> None:
        """An error that nobody expected is logged, and costs the recording only."""

        class Broken:
            def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
                return fail(ZeroDivisionError())

        world = World()
        world.recordings = carrier_recordings(world.clock, Broken())
        world.begin()
        self.assert_ends(world, world.end(), "failed", "error")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_pauses_grow(self) -> None:
        """The pauses between attempts double, and random spreads them downwards."""
        for random, expected in ((1.0, [0.5, 1, 2, 4]), (0.0, [0.25, 0.5, 1, 2])):
            world = World(*[busy()] * 5)
            client = TreqClient(
                world.clock, request=vars(StubTreq(world.api.resource))["request"]
            )
            world.recordings = carrier_recordings(world.clock, client, random)
            world.begin()
            pauses = []
            while len(world.api.told) < 5:
                (pause,) = world.clock.getDelayedCalls()
                pauses.append(pause.getTime() - world.clock.seconds())
                world.clock.advance(pauses[-1])
            self.assertEqual(pauses, expected)
            world.recordings.stop()
            self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_retry_after(self) -> None:
        """A server that asks for more patience gets it, within bounds."""
        for asked, waited in ((7, 7), (0, 0.5), (86400, 30)):
            world = World(busy(retry_after=asked))
            world.begin()
            world.clock.advance(waited - 0.01)
            self.assertEqual(world.counts, (1, 0))
            world.clock.advance(0.01)
            self.assertEqual(world.counts, (2, 0))

    def test_not_wanted(self) -> None:
        """A call that is not to be recorded is not, whatever it says."""
        world = World(wanted=False)
        world.begin()
        self.assertEqual(world.api.told, [])
        self.assert_ends(world, world.end(), "skipped", "off")

    def test_markup_is_left_alone(self) -> None:
        """Nothing is ever asked but to record and to list: the call is not updated."""
        world = World(HANG, fails(503), busy(), NOT_IN_PROGRESS)
        world.begin()
        world.wait(60)
        world.end()
        world.recordings.stop()
        paths = {told.path.rpartition("/")[2] for told in world.api.told}
        self.assertEqual(paths, {"Recordings.json"})

    def test_log(self) -> None:
        """What is logged names the call, and neither numbers nor secrets."""
        with capturedLogs() as events:
            world = World(fails(503))
            world.begin()
            world.wait(5)
            world.call_back("in-progress")
            world.end()
        self.assertGreater(len(events), 3)
        for event in events:
            self.assertEqual(event["call_id"], "CA1")
        for secret in ("+1555", PASSWORD):
            self.assertNotIn(secret, repr(events))


class EndTests(CarrierTestCase):
    """The call ends, whatever is under way."""

    def test_nothing_said(self) -> None:
        """A call that never said anything is not recorded."""
        world = World()
        world.recordings.call_started(call_record(), None)
        self.assert_ends(world, world.end(), "skipped", "no_audio")
        world.recordings.first_audio_sent(call_record())
        self.assertEqual(world.api.told, [])

    def test_unknown_call(self) -> None:
        """A call that was never started, or has ended before, has nothing to say."""
        world = World()
        self.assertEqual(self.successResultOf(world.end()), {})
        world.begin()
        self.assert_ends(world, world.end(), "done", "created")
        self.assertEqual(self.successResultOf(world.end()), {})

    def test_while_pausing(self) -> None:
        """A pending retry is given up at once."""
        world = World(busy(retry_after=20))
        world.begin()
        self.assert_ends(world, world.end(), "failed", "busy")
        self.assertEqual(world.counts, (1, 0))

    def test_while_pausing_in_doubt(self) -> None:
        """What a lost request may have started is looked for once, at once."""
        world = World(fails(503, does_it=True))
        world.begin()
        self.assert_ends(world, world.end(), "done", "adopted")
        world = World(fails(503))
        world.begin()
        self.assert_ends(world, world.end(), "failed", "unanswered")
        self.assertEqual(world.counts, (1, 1))

    def test_while_looking(self) -> None:
        """Nothing is created for a call that ended while its recordings were listed."""
        world = World(fails(503), HANG_AFTERWARDS)
        world.begin()
        world.wait(1)
        report = world.end()
        self.assertNoResult(report)
        world.api.let_go()
        world.flush()
        self.assertEqual(world.counts, (1, 1))
        self.assert_ends(world, report, "failed", "unanswered")

    def test_lost_request_of_a_call_that_is_over_at_the_carrier(self) -> None:
        """A recording that the carrier has finished meanwhile is ours all the same."""
        world = World(fails(503, does_it=True))
        world.begin()
        world.api.call_ended("CA1")
        self.assert_ends(world, world.end(), "done", "adopted")

    def test_answer_comes_in_time(self) -> None:
        """The answer to a request under way is waited for."""
        world = World(HANG_AFTERWARDS)
        world.begin()
        report = world.end()
        self.assertNoResult(report)
        world.wait(9)
        world.api.let_go()
        world.flush()
        self.assert_ends(world, report, "done", "created")

    def test_answer_does_not_come(self) -> None:
        """The wait for an answer is bounded, whatever hangs after it."""
        for tricks in ([HANG], [HANG, HANG]):
            world = World(*tricks)
            world.begin()
            world.wait(5)
            report = world.end()
            world.wait(9.5)
            world.wait(0.6)
            self.assert_ends(world, report, "failed", "unanswered")
            world.flush()
            self.assertEqual(world.api.held, 0)

    def test_stop(self) -> None:
        """A service that stops drops what is under way, in any state."""
        table = [
            ([], "done", "created"),
            ([HANG], "failed", "stopped"),
            ([busy()], "failed", "stopped"),
            ([NOT_IN_PROGRESS], "skipped", "call_over"),
        ]
        for tricks, state, reason in table:
            world = World(*tricks)
            world.begin()
            world.recordings.stop()
            self.assertEqual(world.clock.getDelayedCalls(), [])
            self.assert_ends(world, world.end(), state, reason)

    def test_stop_before_a_word(self) -> None:
        """A call that has said nothing yet is skipped when the service stops."""
        world = World()
        world.recordings.call_started(call_record(), None)
        world.recordings.stop()
        world.recordings.first_audio_sent(call_record())
        self.assert_ends(world, world.end(), "skipped", "no_audio")

    def test_stop_while_an_end_waits(self) -> None:
        """The end that waits for an answer is told when the service stops."""
        world = World(HANG)
        world.begin()
        report = world.end()
        world.recordings.stop()
        self.assert_ends(world, report, "failed", "stopped")


class StreamTests(CarrierTestCase):
    """A call may have several streams, one after the other or overlapping."""

    def test_stream_after_stream(self) -> None:
        """A call that comes back goes on in the recording it has."""
        for tricks in ([], [HANG_AFTERWARDS, HANG]):
            world = World(*tricks)
            world.begin("1")
            report = world.end("1")
            world.wait(60)
            self.successResultOf(report)
            world.begin("2")
            self.assert_ends(world, world.end("2"), "done", "adopted")

    def test_newest_stream_counts(self) -> None:
        """The end of a stream that was replaced does not end the recording."""
        world = World()
        world.begin("1")
        world.begin("2")
        sid = world.api.recorded("CA1")[0]
        self.assert_report(world.end("1"), "recording", "created", sid)
        self.assert_ends(world, world.end("2"), "done", "created")

    def test_stream_while_the_last_one_waits(self) -> None:
        """A stream that comes while the old one waits for an answer gets it too."""
        world = World(HANG_AFTERWARDS)
        world.begin("1")
        first = world.end("1")
        world.begin("2")
        second = world.end("2")
        world.api.let_go()
        world.flush()
        self.assert_ends(world, first, "done", "created")
        self.assert_ends(world, second, "done", "created")
        self.assertEqual(self.successResultOf(world.end("2")), {})

    def test_calls_do_not_touch(self) -> None:
        """What happens to one call does nothing to another."""
        world = World(HANG_AFTERWARDS)
        world.begin()
        other = call_record("2", "CA2")
        world.api.call_started("CA2")
        world.recordings.call_started(other, None)
        world.recordings.first_audio_sent(other)
        (sid,) = world.api.recorded("CA2")
        report = world.recordings.call_ended(other)
        self.assert_report(report, "done", "created", sid)
        world.call_back("in-progress")
        self.assertEqual(world.api.held, 1)


class CallbackTests(CarrierTestCase):
    """The carrier calls back when it likes."""

    def test_before_the_answer(self) -> None:
        """A callback that overtakes the answer is as good as the answer."""
        world = World(HANG_AFTERWARDS)
        world.begin()
        world.call_back("in-progress")
        world.flush()
        self.assertEqual(world.api.held, 0)
        self.assertEqual(world.clock.getDelayedCalls(), [])
        self.assert_ends(world, world.end(), "done", "called_back")

    def test_while_pausing(self) -> None:
        """A callback about a request that was given up ends the retries."""
        world = World(fails(503, does_it=True))
        world.begin()
        world.call_back("in-progress")
        self.assert_ends(world, world.end(), "done", "called_back")
        self.assertEqual(world.counts, (1, 0))

    def test_every_order(self) -> None:
        """Any order, with repetitions, comes to the same end."""
        for lost in (False, True):
            for order in permutations(["in-progress", "completed", "completed"]):
                world = World(*[HANG_AFTERWARDS] * lost)
                world.begin()
                world.api.call_ended("CA1")
                world.call_back(*order)
                self.assert_ends(world, world.end(), "done", "completed")
                counts = world.recordings.counts
                self.assertEqual((counts.recorded, counts.done), (1, 1))

    def test_nothing_was_recorded(self) -> None:
        """A recording that came to nothing has failed, early or late."""
        for status in ("absent", "failed"):
            for tricks in ([], [HANG_AFTERWARDS]):
                world = World(*tricks)
                world.begin()
                ((_, form),) = world.api.callbacks
                world.recordings.callback({**form, "RecordingStatus": status})
                report = self.successResultOf(world.end())["carrier_recording"]
                assert isinstance(report, dict)
                self.assertEqual(
                    (report["state"], report["reason"]), ("failed", status)
                )
                self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_after_the_call(self) -> None:
        """Callbacks of a call that is over are noted once, and harm nothing."""
        world = World()
        world.begin()
        world.end()
        world.api.call_ended("CA1")
        with capturedLogs() as events:
            world.call_back("completed", "completed", "in-progress")
        self.assertEqual([event["status"] for event in events], ["completed"])
        counts = world.recordings.counts
        self.assertEqual((counts.callbacks, counts.callbacks_stale), (3, 2))

    def test_nonsense(self) -> None:
        """A callback that cannot be understood is counted."""
        world = World()
        world.begin()
        for form in (
            {},
            {"CallSid": "CA1"},
            {"CallSid": "CA1", "RecordingSid": "RE1"},
            {"CallSid": "CA1", "RecordingStatus": "completed"},
            {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "odd"},
        ):
            world.recordings.callback(form)
        self.assertEqual(world.recordings.counts.callbacks_unknown, 5)
        self.assert_ends(world, world.end(), "done", "created")

    def test_another_recording(self) -> None:
        """What befalls another recording of the call is not what befell ours."""
        world = World()
        world.begin()
        for status in ("completed", "absent"):
            world.recordings.callback(
                {"CallSid": "CA1", "RecordingSid": status, "RecordingStatus": status}
            )
        self.assert_ends(world, world.end(), "done", "created")

    def test_before_the_first_word(self) -> None:
        """A recording that goes on already is adopted; one that is over is not."""
        world = World()
        world.recordings.call_started(call_record(), None)
        for status in ("completed", "absent"):
            world.recordings.callback(
                {"CallSid": "CA1", "RecordingSid": status, "RecordingStatus": status}
            )
        world.api.record("CA1")
        world.call_back("in-progress")
        world.recordings.first_audio_sent(call_record())
        self.assertEqual(world.api.told, [])
        self.assert_ends(world, world.end(), "done", "called_back")

    def test_memory_of_time(self) -> None:
        """What was called back is forgotten after a while."""
        world = World()
        world.begin()
        world.call_back("in-progress")
        world.clock.advance(899)
        world.call_back("in-progress")
        self.assertEqual(world.recordings.counts.callbacks_stale, 1)
        world.clock.advance(2)
        world.call_back("in-progress")
        self.assertEqual(world.recordings.counts.callbacks_stale, 1)

    def test_memory_of_number(self) -> None:
        """So many recordings are remembered, and the oldest are forgotten first."""
        world = World()

        def call_back(number: int) -> None:
            world.recordings.callback(
                {"RecordingSid": f"RE{number}", "RecordingStatus": "completed"}
            )

        for number in range(10_001):
            call_back(number)
        call_back(1)
        self.assertEqual(world.recordings.counts.callbacks_stale, 1)
        call_back(0)
        self.assertEqual(world.recordings.counts.callbacks_stale, 1)

    def test_counts(self) -> None:
        """Each call is counted in one final state."""
        world = World(fails(503, does_it=True))
        world.begin()
        world.wait(1)
        world.end()
        counts = world.recordings.counts
        self.assertEqual((counts.creates, counts.looks, counts.pauses), (1, 1, 1))
        self.assertEqual((counts.recorded, counts.adopted), (1, 1))
        self.assertEqual((counts.done, counts.failed, counts.skipped), (1, 0, 0))


TRICKS = st.sampled_from(
    [
        PROPER,
        HANG,
        HANG_AFTERWARDS,
        GARBLED,
        fails(503),
        fails(500, does_it=True),
        busy(),
        busy(retry_after=3),
        NOT_IN_PROGRESS,
        NOT_FOUND,
        ALREADY_RECORDING,
    ]
)
STEPS = st.one_of(
    st.sampled_from(["trigger", "let_go", "end", "begin", "hang_up", "stop"]),
    st.tuples(st.just("call_back"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, 2.0, 10.0])),
)


class AnyOrderTests(SynchronousTestCase):
    """Whatever happens, in whatever order."""

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(st.lists(TRICKS, max_size=8), st.lists(STEPS, max_size=14))
    def test_one_recording_and_one_end(
        self, tricks: list[Trick], steps: list[str | tuple[str, float]]
    ) -> None:
        """A call is recorded once at the most, ends once, and leaves nothing behind."""
        world = World(*tricks)
        world.begin("0")
        reports: list[Report] = []
        for step in steps:
            self.take(world, step, reports)
        reports.append(world.end(str(len(reports))))
        for _ in range(4):
            world.clock.advance(10)
        self.assertEqual(world.clock.getDelayedCalls(), [])
        self.assertLessEqual(len(world.api.recorded("CA1")), 1)
        for report in reports:
            self.check(self.successResultOf(report))
        counts = world.recordings.counts
        self.assertLessEqual(counts.recorded, counts.done + counts.failed)

    def take(
        self, world: World, step: str | tuple[str, float], reports: list[Report]
    ) -> None:
        """Let one thing happen; a stream that ends is followed by another."""
        session = str(len(reports))
        match step:
            case "trigger":
                world.recordings.first_audio_sent(call_record(session))
            case "let_go":
                world.api.let_go()
                world.flush()
            case "end":
                reports.append(world.end(session))
                world.recordings.call_started(call_record(str(len(reports))), None)
            case "begin":
                world.begin(session)
            case "hang_up":
                world.api.call_ended("CA1")
            case "stop":
                world.recordings.stop()
            case ("call_back", number):
                forms = [form for _, form in world.api.callbacks]
                for form in forms[int(number) :]:
                    world.recordings.callback(form)
            case ("wait", seconds):
                world.clock.advance(seconds)

    def check(self, report: Mapping[str, object]) -> None:
        """The report tells a final state, and the recording when there is one."""
        told = report["carrier_recording"]
        assert isinstance(told, dict)
        self.assertIn(told["state"], ["done", "failed", "skipped"])
        self.assertTrue(told["reason"])
        if told["state"] == "done":
            self.assertTrue(told["sid"])


def carrier_recordings(
    clock: Clock, client: HttpClient, random: float = 1.0
) -> CarrierRecordings:
    """:returns: what is tested, with another client."""
    return CarrierRecordings(
        clock,
        client,
        TwilioRest(ACCOUNT, (ACCOUNT, PASSWORD)),
        callback_url=CALLBACK_URL,
        wanted=lambda record: True,
        random=lambda: random,
    )
