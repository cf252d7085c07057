"""Tests of ``twistedvoice.calls.marks``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.marks import Marks

from .doubles import Exchange, Notebook, tone

__all__ = ["EchoTests", "MarksTests"]


class MarksTests(SynchronousTestCase):
    """The marks of one call."""

    def setUp(self) -> None:
        self.marks = Marks()
        self.outcomes: list[str] = []

    def test_names(self) -> None:
        """Each mark has a name of its own."""
        names = {self.marks.add(self.outcomes.append) for _ in range(10)}
        self.assertEqual(len(names), 10)

    def test_once(self) -> None:
        """A mark ends once; what is said of it again is stray."""
        name = self.marks.add(self.outcomes.append)
        self.marks.resolve(name, "cleared")
        self.marks.resolve(name, "played")
        self.assertEqual(self.outcomes, ["cleared"])
        self.assertEqual(self.marks.outcomes, {"cleared": 1, "stray": 1})

    def test_unknown(self) -> None:
        """An echo of a mark that was never set is stray."""
        self.marks.resolve("m9", "played")
        self.assertEqual(self.marks.outcomes, {"stray": 1})

    def test_all(self) -> None:
        """All end in the order they were made, each once, whatever else is done."""
        ended: list[int] = []
        names: list[str] = []

        def resolved(number: int) -> None:
            ended.append(number)
            self.marks.resolve(names[2], "played")
            self.marks.add(self.outcomes.append)

        for number in range(3):
            names.append(self.marks.add(lambda _, n=number: resolved(n)))  # type: ignore[misc]
        self.marks.resolve_all("lost")
        self.assertEqual(ended, [0, 2, 1])
        self.assertEqual(self.marks.outcomes, {"lost": 2, "played": 1, "stray": 2})
        self.assertEqual(self.outcomes, [])


class EchoTests(SynchronousTestCase):
    """What a carrier's echo means."""

    def setUp(self) -> None:
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)

    def test_echo_of_a_clear(self) -> None:
        """A mark that comes back because of a clear was not played [BI-2]."""
        line = self.exchange.dial(delay=0.05)
        self.agent.call.say(tone(500))
        self.agent.call.send_mark("end")
        self.exchange.advance(0.45)
        self.assertEqual(len(line.arrivals("mark")), 0)
        self.exchange.advance(0.04)
        self.agent.call.interrupt("speech")
        self.exchange.advance(1)
        self.assertEqual(self.agent.events[1], ("mark", "end", "cleared"))
        [call] = self.exchange.switchboard
        self.assertEqual(call.voice.marks.outcomes["played"], 0)
        self.assertEqual(call.voice.marks.outcomes["stray"], len(line.arrivals("mark")))

    def test_stray_echoes(self) -> None:
        """Echoes of nothing are counted in the record, and disturb nothing."""
        line = self.exchange.dial()
        for name in ("m1", "", "x" * 50):
            line.echo(name)
        self.agent.call.say(tone(100))
        self.exchange.advance(0.5)
        line.stop()
        self.assertEqual(self.exchange.cdrs[0]["marks"], {"stray": 3, "played": 1})
        self.assertEqual(self.agent.endings(), ["completed"])
