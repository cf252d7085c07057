# -*- test-case-name: tests.agents.cascade.test_link -*-
"""One socket for as long as a call lasts."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.link import Link, Manners
from twistedvoice.doubles.network import MemoryNetwork, ServiceSocket
from twistedvoice.errors import SocketRefused
from twistedvoice.events import Message
from twistedvoice.sockets import SocketReceiver, SocketRequest

__all__ = ["LinkTests"]


def text(words: str) -> Message:
    """:returns: a message with these words."""
    return Message(words.encode(), binary=False)


MANNERS = Manners(name="X", keep_alive=text("still here"), farewell=text("bye"))


class Peer:
    """The service's end of one socket."""

    def __init__(self, socket: ServiceSocket) -> None:
        self.socket = socket
        self.heard: list[str] = []
        self.ended: int | None = None

    def received(self, message: Message) -> None:
        self.heard.append(message.data.decode())

    def lost(self, code: int, reason: str) -> None:
        self.ended = code


class LinkTests(SynchronousTestCase):
    """What a link sends, and what its owner is told."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.peers: list[Peer] = []
        self.refusals: list[int] = []
        self.told: list[str] = []
        network = MemoryNetwork(self.clock, self.service)
        request = SocketRequest(url="ws://x/")
        self.link = Link(self.clock, network, request, MANNERS, 2)
        self.clock.advance(0)

    def tearDown(self) -> None:
        self.link.close()
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def service(self, request: SocketRequest, socket: ServiceSocket) -> SocketReceiver:
        """Let it in, or not."""
        if self.refusals:
            raise SocketRefused("no", status=self.refusals.pop(0))
        self.peers.append(Peer(socket))
        return self.peers[-1]

    def attach(self) -> None:
        """Own the link from now on."""

        def contain(step: Callable[[], object]) -> None:
            step()

        self.link.attach(self, contain)

    # -- as the owner ------------------------------------------------------------------

    def link_told(self, message: Message) -> None:
        self.told.append(message.data.decode())

    def link_gone(self) -> None:
        self.told.append("gone")

    def link_given_up(self) -> None:
        self.told.append("given up")

    # -- tests -------------------------------------------------------------------------

    def test_both_ways(self) -> None:
        """What is said on either side is heard on the other; the end is polite."""
        self.attach()
        self.link.send(text("one"))
        self.peers[0].socket.send(text("two"))
        self.clock.advance(0)
        self.link.close()
        self.clock.advance(0)
        self.assertEqual((self.peers[0].heard, self.told), (["one", "bye"], ["two"]))
        self.assertEqual(self.peers[0].ended, 1000)

    def test_keep_alive(self) -> None:
        """Who is silent says so; who speaks does not."""
        for _ in range(4):
            self.clock.advance(3)
            self.link.send(text("x"))
        self.clock.pump([5, 5, 5])
        self.assertEqual(self.peers[0].heard[:4], ["x"] * 4)
        self.assertEqual(self.peers[0].heard[4:], ["still here"] * 2)

    def test_waits(self) -> None:
        """What is sent meanwhile goes over the next socket, the newest of it."""
        self.attach()
        self.peers[0].socket.hang_up(1011)
        self.assertEqual(self.told, ["gone"])
        for n in range(300):
            self.link.send(text(str(n)))
        self.clock.advance(0)
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual(self.peers[1].heard, [str(n) for n in range(50, 300)])

    def test_again_and_again(self) -> None:
        """After so many losses in a row there is no other socket; use counts anew."""
        self.attach()
        for _ in range(2):
            self.peers[-1].socket.hang_up(1006)
            self.clock.pump([0, 0.6, 0])
        self.link.works()
        for _ in range(3):
            self.peers[-1].socket.hang_up(1006)
            self.clock.pump([0, 1.1, 0])
        self.assertEqual(self.told, ["gone"] * 4 + ["given up"])
        self.assertEqual(len(self.peers), 5)

    def test_good_ones(self) -> None:
        """A socket that lasted was a good one."""
        self.attach()
        for _ in range(5):
            self.clock.advance(31)
            self.peers[-1].socket.hang_up(1000)
            self.clock.pump([0, 0])
        self.assertEqual(self.told, ["gone"] * 5)

    def test_hopeless(self) -> None:
        """A refusal for good is the end, as is what the owner knows to be hopeless."""
        self.attach()
        self.refusals.append(403)
        self.link.lose("of no use")
        self.clock.pump([0, 0])
        self.assertEqual(self.told, ["gone", "given up"])

    def test_owner_knows(self) -> None:
        """What the owner knows to be hopeless is not tried again."""
        self.attach()
        self.link.lose("wrong voice", hopeless=True)
        self.clock.advance(5)
        self.assertEqual((self.told, len(self.peers)), (["given up"], 1))

    def test_trouble_before(self) -> None:
        """What went wrong before there was an owner is told to it."""
        self.peers[0].socket.hang_up(1006)
        self.clock.advance(5)
        self.assertEqual(len(self.peers), 1)
        self.attach()
        self.clock.pump([0, 0])
        self.assertEqual((self.told, len(self.peers)), (["gone"], 2))

    def test_after_the_end(self) -> None:
        """A link that is closed sends nothing, and takes no owner."""
        self.link.close()
        self.link.send(text("late"))
        self.link.lose("late")
        self.attach()
        self.clock.advance(10)
        self.assertEqual((self.peers[0].heard, self.told), (["bye"], []))
