"""Tests of ``twistedvoice.calls.inbound``: what a bad peer can do [SEC-4]."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.inbound import MOST_MESSAGES_A_SECOND
from twistedvoice.events import Message

from .doubles import Exchange, Line, Notebook, tone

__all__ = ["BeforeStartTests", "FloodTests", "JunkTests"]

JUNK = [
    Message(b"", False),
    Message(b"\xff\xfe\x00", False),
    Message(b"{", False),
    Message(b"[]", False),
    Message(b"null", False),
    Message(b'{"event":7}', False),
    Message(b'{"event":"media"}', False),
    Message(b'{"event":"dtmf","dtmf":{"digit":"42"}}', False),
    Message(b"[" * 100_000, False),
    Message(b'{"event":"media","media":{"payload":"%%%"}}', False),
    Message(b'{"event":"stop","streamSid":"MZother"}', False),
    Message(b"\x00" * 320, True),
]


class BeforeStartTests(SynchronousTestCase):
    """A socket that has not said ``start`` gets no second chance."""

    def test_each(self) -> None:
        """A bad message closes the socket; no call, no record, nothing left."""
        for junk in JUNK:
            exchange = Exchange()
            line = exchange.open()
            line.receive(junk)
            self.assertEqual(line.closed, ["malformed"], junk)
            self.assertEqual(exchange.switchboard.turned_away, {"malformed": 1})
            self.assertEqual(exchange.leftovers(), [])

    def test_sound_before_start(self) -> None:
        """Sound before ``start`` is a bad message."""
        line = Exchange().open()
        line.sound()
        self.assertEqual(line.closed, ["malformed"])

    def test_unknown_kinds(self) -> None:
        """What may be new in the protocol is no fault."""
        exchange = Exchange()
        line = exchange.open()
        line.receive(Message(b'{"event":"hello"}', False))
        line.start()
        self.assertEqual(line.closed, [])


class JunkTests(SynchronousTestCase):
    """Once a call is open, junk is counted and goes no further."""

    def setUp(self) -> None:
        self.agents: list[Notebook] = []
        self.exchange = Exchange(agent=self.make_agent)
        self.neighbour = self.exchange.dial("CA0")
        self.line = self.exchange.dial("CA1")
        self.agent = self.agents[1]
        for agent in self.agents:
            agent.call.say(tone(1000))

    def make_agent(self) -> Notebook:
        agent = Notebook()
        self.agents.append(agent)
        return agent

    def test_junk_is_counted(self) -> None:
        """Every bad message is counted; the sound around it is heard both ways."""
        for junk in JUNK:
            self.line.receive(junk)
            self.line.sound()
            self.exchange.advance(0.02)
        self.exchange.advance(1)
        self.line.stop()
        self.assertEqual(len(self.agent.heard), len(JUNK))
        self.assertEqual(self.line.listen(), tone(1000))
        [cdr] = self.exchange.cdrs
        self.assertEqual(cdr["messages_bad"], len(JUNK))
        self.assertEqual(cdr["frames_in"], len(JUNK))
        self.assertEqual(cdr["messages_in"], 2 * len(JUNK) + 4)
        kinds = cdr["messages"]
        assert isinstance(kinds, dict)
        self.assertEqual(kinds["malformed"], len(JUNK))
        self.assertEqual(sum(kinds.values()), cdr["messages_in"])
        self.assertEqual(cdr["outcome"], "completed")

    def test_neighbour_hears_no_difference(self) -> None:
        """Junk on one line moves no frame on another."""
        for _ in range(50):
            for junk in JUNK:
                self.line.receive(junk)
            self.exchange.advance(0.01)
        self.exchange.advance(1)
        alone = Exchange(agent=Notebook)
        line = alone.dial("CA0")
        [call] = alone.switchboard
        call.voice.say(tone(1000))
        alone.advance(1.5)
        self.assertEqual(self.neighbour.arrivals("media"), line.arrivals("media"))
        self.assertEqual(self.neighbour.listen(), tone(1000))

    def test_second_start(self) -> None:
        """A second ``start`` on a socket is a bad message, and nothing more."""
        self.line.start()
        self.assertEqual(self.line.closed, [])
        [_, call] = self.exchange.switchboard
        self.assertEqual(call.inbound.malformed, 1)
        self.assertEqual(self.exchange.admission.taken, 2)

    def test_digits(self) -> None:
        """Every key reaches the agent, also the one that crashed a call once [B18]."""
        for digit in "0123456789*#ABCD":
            self.line.press(digit)
        self.assertEqual(
            [event[1] for event in self.agent.events[1:]], list("0123456789*#ABCD")
        )


class FloodTests(SynchronousTestCase):
    """More messages than a carrier would ever send."""

    def setUp(self) -> None:
        self.exchange = Exchange()
        self.neighbour = self.exchange.dial("CA0")
        self.line = self.exchange.dial("CA1")

    def send(self, line: Line, count: int) -> None:
        """Send messages that all mean nothing."""
        for _ in range(count):
            line.receive(Message(b'{"event":"hello"}', False))

    def test_flood(self) -> None:
        """A flood ends its own call, and only that."""
        self.send(self.line, MOST_MESSAGES_A_SECOND + 10)
        self.assertEqual(self.line.closed, ["flooded"])
        self.assertEqual(self.neighbour.closed, [])
        [cdr] = self.exchange.cdrs
        self.assertEqual(cdr["outcome"], "flooded")
        kinds = cdr["messages"]
        assert isinstance(kinds, dict)
        self.assertEqual(kinds["unread"], 1)
        self.assertEqual(sum(kinds.values()), cdr["messages_in"])

    def test_flood_before_start(self) -> None:
        """A flood before ``start`` closes the socket."""
        line = self.exchange.open("CA2")
        self.send(line, MOST_MESSAGES_A_SECOND + 1)
        self.assertEqual(line.closed, ["flooded"])
        self.assertEqual(self.exchange.switchboard.turned_away, {"flooded": 1})

    def test_flood_of_junk(self) -> None:
        """Junk counts like anything else."""
        for _ in range(MOST_MESSAGES_A_SECOND + 1):
            self.line.receive(JUNK[2])
        self.assertEqual(self.line.closed, ["flooded"])

    def test_what_was_kept_during_a_stall(self) -> None:
        """All that a carrier kept during a stall of ten seconds is welcome at once."""
        for _ in range(3):
            self.send(self.line, 500)
            self.exchange.advance(10)
        self.assertEqual(self.line.closed, [])

    def test_long_call(self) -> None:
        """Fifty messages a second are none too many, for ever."""
        for _ in range(100):
            self.send(self.line, 50)
            self.exchange.clock.advance(1)
        self.assertEqual(self.line.closed, [])
