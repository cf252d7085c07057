"""The socket of a simulated call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import SimulationError
from twistedvoice.simulator.caller import SimulatedCall
from twistedvoice.simulator.carrier import carry
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.markup import StreamOrder
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, Say, Scene, Script, Step
from twistedvoice.simulator.signature import sign
from twistedvoice.simulator.wire import StreamWriter

from .service import LOUD, STREAM_URL, ServiceStream, World


class CarrierTestCase(SynchronousTestCase):
    """Has a service, and calls it."""

    def setUp(self) -> None:
        """A service that listens."""
        self.world = World()
        self.journal = Journal()

    def carry(
        self, *steps: Step, url: str = STREAM_URL, token: str | None = None
    ) -> Deferred[bool]:
        """:returns: what ``carry`` says of a call that is on its way."""
        plan = CallPlan(stream_url=url, auth_token=token)
        call = SimulatedCall(
            StreamWriter(stream_id="MZ1", call_id="CA1", account_id="AC1"),
            Script(steps),
            self.journal,
            jitter_ms=0,
            max_ms=60_000,
        )
        order = StreamOrder(url=url, params={"token": "t"})
        carried = Deferred.fromCoroutine(carry(self.world.reactor, plan, order, call))
        self.world.settle()
        return carried

    def stream(self) -> ServiceStream:
        """:returns: the service's end."""
        return self.world.streams[0]

    def assert_nothing_is_left(self) -> None:
        """Assert that no timer and no connection outlives the call."""
        self.world.settle()
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])
        self.assertEqual(self.world.open_connections(), 0)


class StreamTests(CarrierTestCase):
    """A stream that opens."""

    def test_whole_call(self) -> None:
        """Connected, start, sound at its pace, stop, close; then nothing is left."""
        carried = self.carry(Say(LOUD * 25), HangUp())
        self.world.run(0.3)
        self.assertEqual(len(self.stream().received), 2 + 15)
        self.world.run(0.3)
        self.assertFalse(self.successResultOf(carried))
        self.assertEqual(self.stream().kinds(), ["connected", "start", "stop"])
        self.assertEqual(
            self.stream().received[1]["start"]["customParameters"], {"token": "t"}
        )
        self.assertEqual(self.stream().closed_with, 1000)
        self.assertEqual(self.journal.outcome, "completed")
        self.assertEqual(self.journal.said, LOUD * 25)
        self.assert_nothing_is_left()

    def test_late_ticks_lose_no_frame(self) -> None:
        """On a reactor that is always a little late, the pace is still the clock's."""
        self.carry()
        for _ in range(2900):
            self.world.reactor.advance(0.0201)
        self.assertEqual(len(self.journal.said) // 160, 58_290 // 20)

    def test_mark_comes_back_over_the_wire(self) -> None:
        """A mark behind 40 ms of sound is echoed after them."""
        carried = self.carry()
        self.stream().play(LOUD * 2)
        self.stream().mark("end")
        self.world.run(0.035)
        self.assertNotIn("mark", self.stream().kinds())
        self.world.run(0.03)
        self.assertIn("mark", self.stream().kinds())
        self.stream().sendClose()
        self.world.run(0.1)
        self.assertTrue(self.successResultOf(carried))

    def test_signed_upgrade(self) -> None:
        """The upgrade is signed over the URL of the markup."""
        self.carry(token="12345")
        self.assertEqual(
            self.stream().headers["x-twilio-signature"], sign("12345", STREAM_URL)
        )

    def test_unsigned_upgrade(self) -> None:
        """Without a token there is no signature."""
        self.carry()
        self.assertNotIn("x-twilio-signature", self.stream().headers)


class EndTests(CarrierTestCase):
    """Streams that end in other ways."""

    def test_service_closes(self) -> None:
        """When the service closes, the call outlives the stream."""
        carried = self.carry()
        self.world.run(0.1)
        self.stream().sendClose(1000)
        self.world.run(0.1)
        self.assertTrue(self.successResultOf(carried))
        self.assertEqual(self.journal.outcome, "completed")
        self.assert_nothing_is_left()

    def test_connection_breaks(self) -> None:
        """A stream that is lost is called so."""
        carried = self.carry()
        self.world.run(0.1)
        self.world.sever()
        self.assertTrue(self.successResultOf(carried))
        self.assertEqual(self.journal.outcome, "lost")
        self.assert_nothing_is_left()

    def test_service_that_never_closes(self) -> None:
        """The wait for the service's close is bounded."""
        self.world.ignores_closes = True
        carried = self.carry(HangUp())
        self.world.run(2.9)
        self.assertNoResult(carried)
        self.world.run(0.3)
        self.assertFalse(self.successResultOf(carried))
        self.assert_nothing_is_left()

    def test_service_that_breaks_the_protocol(self) -> None:
        """A frame no WebSocket allows loses the connection."""
        carried = self.carry()
        self.world.run(0.1)
        transport: Any = self.stream().transport
        transport.write(b"\xff\x00")
        self.world.run(0.1)
        self.assertTrue(self.successResultOf(carried))
        self.assertEqual(self.journal.outcome, "lost")

    def test_cancelled(self) -> None:
        """Cancelling drops the connection and leaves nothing."""
        carried = self.carry()
        self.world.run(0.1)
        carried.cancel()
        self.failureResultOf(carried, CancelledError)
        self.assert_nothing_is_left()

    def test_mistake_in_a_step_fails_the_call(self) -> None:
        """What a step raises comes out, and the connection is gone."""
        carried = self.carry(Clumsy())
        self.world.run(0.1)
        self.failureResultOf(carried, ZeroDivisionError)
        self.assert_nothing_is_left()


class HandshakeTests(CarrierTestCase):
    """Streams that do not open."""

    def assert_fails(self, carried: Deferred[bool], words: str) -> None:
        """Assert what the error says, and that nothing is left."""
        failure = self.failureResultOf(carried, SimulationError)
        self.assertIn(words, failure.getErrorMessage())
        self.assert_nothing_is_left()

    def test_refused(self) -> None:
        """The service's status becomes a sentence."""
        self.world.refuse = 403
        self.assert_fails(self.carry(), "did not accept the signature")

    def test_nobody_listens(self) -> None:
        """A refused connection becomes a sentence."""
        carried = self.carry(url="ws://service.example:9/")
        self.world.refuse_connection()
        self.world.run(1)
        self.assert_fails(carried, "is the service running?")

    def test_no_answer_to_the_upgrade(self) -> None:
        """The wait for the upgrade is bounded."""
        self.world.holds_upgrades = True
        carried = self.carry()
        self.world.run(4.9)
        self.assertNoResult(carried)
        self.world.run(0.3)
        self.assert_fails(carried, "did not become a stream")

    def test_broken_before_the_answer(self) -> None:
        """A connection that breaks during the upgrade is told."""
        self.world.holds_upgrades = True
        carried = self.carry()
        self.world.sever()
        self.assert_fails(carried, "did not become a stream")

    def test_url_that_is_no_stream(self) -> None:
        """A URL of another kind is refused before anything is connected."""
        self.assert_fails(self.carry(url="http://service.example:8001/"), "wss://")


class Clumsy:
    """A step with a mistake in it."""

    is_act: ClassVar[bool] = True

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Fail."""
        yield bytes(1 // 0)
