"""An ended call is freed by its last reference, without the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any
from weakref import ref

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.interfaces import CallControl

from .doubles import BinaryLine, Exchange, Line, Notebook, tone

__all__ = ["FreedTests"]


class Busy(Notebook):
    """An agent that uses all that a call has, and keeps what it got."""

    def call_started(self, call: CallControl) -> Any:
        self.greeting = call.say(tone(60, call.format))
        self.mark = call.send_mark("greeted")
        self.timers = [
            call.call_later(0.05, self.fired),
            call.call_later(50, self.fired),
        ]
        self.room = call.room()
        return self.story(call)

    async def story(self, call: CallControl) -> None:
        """Wait for what comes, and then for ever."""
        await self.greeting.finished()
        self.utterance = call.speak()
        self.utterance.write(tone(3000, call.format))
        call.interrupt("begin again")
        call.send_mark("begun again")
        call.hang_up_after(self.utterance)
        call.hang_up_after(call.say(tone(5000, call.format)))
        await Deferred()

    def fired(self) -> None:
        """Be called by a timer."""
        self.events.append(("fired",))


class FreedTests(SynchronousTestCase):
    """However a call ends, nothing of it stays."""

    def setUp(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)

    def assertFreed(
        self,
        end: Callable[[Exchange, Line], object],
        line_class: type[Line] = Line,
        agent: Callable[[], Notebook] = Busy,
    ) -> None:
        """Check that all parts of a call are gone after it has ended so."""
        exchange = Exchange(agent=agent)
        line = exchange.dial(line_class=line_class)
        [call] = exchange.switchboard
        assert call._link is not None
        made = call._link.agent
        assert isinstance(made, Notebook)
        parts: dict[str, ref[Any]] = {
            "call": ref(call),
            "stream": ref(call.stream.meters),
            "voice": ref(call.voice),
            "inbound": ref(call.inbound),
            "agent": ref(made),
            "control": ref(made.call),
        }
        del call, made
        line.sound()
        exchange.advance(0.5)
        end(exchange, line)
        line.call = None
        exchange.advance(0.2)
        self.assertEqual(len(exchange.cdrs), 1)
        self.assertEqual([name for name, part in parts.items() if part()], [])

    def test_ends(self) -> None:
        """A call is freed, whether the carrier, the socket or the service ends it."""
        ends: list[Callable[[Exchange, Line], object]] = [
            lambda exchange, line: line.stop(),
            lambda exchange, line: line.lose(),
            lambda exchange, line: exchange.switchboard.end_all("drained"),
            lambda exchange, line: exchange.advance(8),
        ]
        for end in ends:
            self.assertFreed(end)
            self.assertFreed(end, BinaryLine)

    def test_on_hold(self) -> None:
        """A call is freed though its caller was on hold when it ended."""

        class Waiting(Notebook):
            def call_started(self, call: CallControl) -> None:
                self.music = call.hold(tone(1000, call.format))

            def digit_pressed(self, digit: str) -> None:
                self.call.hang_up()

        def hang_up(exchange: Exchange, line: Line) -> None:
            line.press("1")
            exchange.advance(15)

        for end in (hang_up, lambda exchange, line: line.stop()):
            self.assertFreed(end, agent=Waiting)

    def test_turned_away(self) -> None:
        """A stream that never became a call is freed just so."""
        ends: list[Callable[[Exchange, Line], object]] = [
            lambda exchange, line: exchange.advance(4),
            lambda exchange, line: line.lose(),
            lambda exchange, line: line.sound(),
            lambda exchange, line: line.start(token="guessed"),
        ]
        for end in ends:
            exchange = Exchange()
            line = exchange.open()
            call: ref[Any] = ref(line.call)
            end(exchange, line)
            line.call = None
            self.assertEqual(len(exchange.switchboard.turned_away), 1)
            self.assertIsNone(call())

    def test_replaced(self) -> None:
        """The older of two streams of a call is freed while the newer goes on."""
        exchange = Exchange()
        line = exchange.dial()
        call: ref[Any] = ref(line.call)
        exchange.dial()
        line.call = None
        exchange.advance(0.2)
        self.assertIsNone(call())

    def test_hung_up(self) -> None:
        """A call is freed when its agent ends it and it has drained."""

        class Brief(Busy):
            def digit_pressed(self, digit: str) -> None:
                self.call.hang_up()

        def end(exchange: Exchange, line: Line) -> None:
            line.press("1")
            exchange.advance(8)

        self.assertFreed(end, agent=Brief)

    def test_failed_agent(self) -> None:
        """A call is freed though its agent raised."""

        class Faulty(Busy):
            def digit_pressed(self, digit: str) -> None:
                raise ZeroDivisionError

        def end(exchange: Exchange, line: Line) -> None:
            line.press("1")
            self.flushLoggedErrors(ZeroDivisionError)

        self.assertFreed(end, agent=Faulty)

    def test_failed_tick(self) -> None:
        """A call is freed though its tick raised, traceback and all."""

        class Torn(Line):
            torn = False

            def write(self, wire: bytes) -> None:
                if self.torn:
                    raise OSError("torn")
                super().write(wire)

        def end(exchange: Exchange, line: Line) -> None:
            assert isinstance(line, Torn)
            line.torn = True
            exchange.advance(0.5)
            self.flushLoggedErrors(OSError)

        self.assertFreed(end, Torn)
