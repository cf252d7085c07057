"""Tests of ``twistedvoice.web.site``."""

from __future__ import annotations

import gc
import io
from collections import Counter
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import HTTPChannel
from twisted.web.resource import Resource
from twisted.web.test.requesthelper import DummyChannel

from twistedvoice.calls.call import Call
from twistedvoice.web.media import MediaSocket
from twistedvoice.web.site import BoundedRequest, tree

from ..calls.doubles import tone
from ..carriers.twilio_carrier import TwilioCarrier
from .doors import Doors, Line, Wire, read

__all__ = ["BodyTests", "FreedTests", "PathTests", "TreeTests"]

CARRIER = TwilioCarrier()
MOST = 16 * 1024


class PathTests(SynchronousTestCase):
    """What is where, and what is not."""

    def setUp(self) -> None:
        self.doors = Doors()

    def test_plain_request_for_the_stream(self) -> None:
        """Who does not ask for WebSocket is told to, whatever the method."""
        for method in ("GET", "POST", "DELETE"):
            answer = self.doors.ask(method, "/twilio/media")
            self.assertEqual(answer.status, 426)
            self.assertEqual(answer.headers["upgrade"], "websocket")
            self.assertEqual(answer.headers["connection"], "Upgrade")
        self.assertEqual(self.doors.ask("HEAD", "/twilio/media").status, 426)
        self.assertEqual(self.doors.switchboard.unstarted(), 0)

    def test_other_upgrade(self) -> None:
        """An upgrade to anything else is none."""
        answer = self.doors.ask("GET", "/twilio/media", headers=[("Upgrade", "h2c")])
        self.assertEqual(answer.status, 426)

    def test_wrong_path(self) -> None:
        """Nothing is found anywhere else, with an upgrade or without."""
        for path in ("/", "/twilio", "/media", "/twilio/mediax", "/metrics", "/../x"):
            self.assertEqual(self.doors.ask("GET", path).status, 404, path)
            self.assertEqual(self.doors.upgrade(path).status, 404, path)
        self.assertEqual(self.doors.switchboard.unstarted(), 0)

    def test_broken_upgrades(self) -> None:
        """An upgrade that lacks something is refused, and its socket closed."""
        for missing in ({"Sec-WebSocket-Key": "short"}, {"Sec-WebSocket-Version": "7"}):
            answer = self.doors.upgrade(headers=list(missing.items()))
            self.assertEqual(answer.status, 400, missing)
            self.assertTrue(self.doors.wire.disconnected)

    def test_idle_connection_is_closed(self) -> None:
        """A client that connects and asks nothing is not kept."""
        self.doors.send(b"")
        self.doors.reactor.advance(61)
        self.doors.settle()
        self.assertTrue(self.doors.wire.disconnected)

    def test_several_requests_on_one_connection(self) -> None:
        """A connection serves one request after the other."""
        request = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
        browser = self.doors.send(request * 2)
        self.assertEqual(browser.data.count(b"HTTP/1.1 404 Not Found"), 2)

    def test_no_access_log(self) -> None:
        """Requests leave no trace of who asked for what."""
        events: list[Any] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.doors.ask("GET", "/nowhere")
        self.doors.post()
        self.assertEqual([event.get("log_format") for event in events], [])


class BodyTests(SynchronousTestCase):
    """The body of a request has a bound, however it comes."""

    def setUp(self) -> None:
        self.doors = Doors()

    def test_body_up_to_the_bound(self) -> None:
        """The longest body that is allowed is read, and then judged."""
        answer = self.doors.ask("POST", "/twilio/voice", b"x" * MOST)
        self.assertEqual(answer.status, 403)

    def test_length_that_is_too_long(self) -> None:
        """The announced length suffices to refuse; the body is not awaited."""
        head = b"POST /twilio/voice HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        browser = self.doors.send(head % (MOST + 1))
        self.assertEqual(read(browser.data).status, 413)
        self.assertTrue(self.doors.wire.disconnected)

    def test_body_that_comes_with_its_length(self) -> None:
        """A body that is refused but comes all the same is dropped, with one answer."""
        answer = self.doors.ask("POST", "/twilio/voice", b"x" * (MOST + 1))
        self.assertEqual(answer.status, 413)
        self.assertEqual(self.doors.gate.refused, {})

    def test_chunks(self) -> None:
        """A body in chunks is refused: its cost is not bounded by its size."""
        head = b"POST /twilio/voice HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
        chunk = b"1000\r\n" + b"y" * 0x1000 + b"\r\n"
        browser = self.doors.send(head + b"\r\n\r\n" + chunk * 20 + b"0\r\n\r\n")
        self.assertEqual(read(browser.data).status, 411)
        self.assertEqual(browser.data.count(b"HTTP/1.1"), 1)
        self.assertTrue(self.doors.wire.disconnected)
        self.assertEqual(self.doors.gate.refused, {})

    def test_too_many_connections(self) -> None:
        """Connections beyond the bound are closed; media sockets do not count."""
        site = self.doors.site
        address = IPv4Address("TCP", "127.0.0.1", 1)
        channels = [site.buildProtocol(address) for _ in range(600)]
        self.assertEqual(channels.index(None), 500)
        del channels[:100]
        self.assertIsNotNone(site.buildProtocol(address))

    def test_last_request(self) -> None:
        """Once the port was left to others a connection has no further request."""
        head = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
        browser = self.doors.send(head)
        self.assertFalse(self.doors.wire.disconnecting)
        self.assertEqual(self.doors.site.connections(), 1)
        self.doors.site.keep_alive = False
        browser = self.doors.send(head)
        self.assertEqual(read(browser.data).headers["connection"], "close")
        self.assertTrue(self.doors.wire.disconnected)

    def test_body_stays_in_memory(self) -> None:
        """Nobody outside makes this process write a file."""
        for length in (None, 0, MOST, MOST + 1):
            request = BoundedRequest(DummyChannel(), False)
            request.gotLength(length)
            self.assertIsInstance(request.content, io.BytesIO)


class TreeTests(SynchronousTestCase):
    """Resources by their paths."""

    def test_paths_share_folders(self) -> None:
        """Each page is below the folders of its path, which are made once."""
        pages = [Resource() for _ in range(3)]
        root = tree(dict(zip(("/a/b", "/a/c", "/d"), pages, strict=True)))
        folder = root.children[b"a"]
        self.assertEqual(folder.children, {b"b": pages[0], b"c": pages[1]})
        self.assertIs(root.children[b"d"], pages[2])


class FreedTests(SynchronousTestCase):
    """
    What ended is freed by reference counts alone.

    With the garbage collector off, as it may be in a process that cannot afford its
    pauses, whatever a cycle holds is never freed.
    """

    def setUp(self) -> None:
        self.doors = Doors()
        # All that is made once, and kept, is made before.
        self.talk(self.doors.dial()).lose()
        self.hold_no_call()
        gc.disable()
        self.addCleanup(gc.enable)
        # What is there already is not looked through, nor counted.
        gc.freeze()
        self.addCleanup(gc.unfreeze)

    def living(self) -> Counter[str]:
        """:returns: how many new objects of each kind that matters there are."""
        kinds = (MediaSocket, Call, BoundedRequest, HTTPChannel, Wire)
        return Counter(
            type(thing).__name__
            for thing in gc.get_objects()
            if isinstance(thing, kinds)
        )

    def talk(self, line: Line) -> Line:
        """:returns: the line, after some sound in both directions."""
        self.doors.agent.call.say(tone(100))
        line.say(CARRIER.sound(tone(20), 0), CARRIER.digit("1"))
        self.doors.advance(0.2)
        return line

    def hold_no_call(self) -> None:
        """Let the ends come to an end, and the test's agent go."""
        self.doors.advance(4, 0.5)
        del self.doors.agent

    def assert_freed(self) -> None:
        """There is nothing that was not there before."""
        self.assertEqual(self.living(), Counter())

    def test_the_count_sees_a_live_call(self) -> None:
        """While a call is open its objects are counted, so the zeros mean something."""
        line = self.talk(self.doors.dial())
        self.assertEqual(self.living(), {"MediaSocket": 1, "Call": 1, "Wire": 1})
        line.lose()

    def test_stopped(self) -> None:
        """A call that the carrier stopped is freed."""
        self.talk(self.doors.dial()).say(CARRIER.stop())
        self.hold_no_call()
        self.assert_freed()

    def test_lost(self) -> None:
        """A call whose socket was lost is freed."""
        self.talk(self.doors.dial()).lose()
        self.hold_no_call()
        self.assert_freed()

    def test_hung_up(self) -> None:
        """A call that the agent hung up is freed."""
        self.talk(self.doors.dial())
        self.doors.agent.call.hang_up()
        self.doors.advance(5)
        self.hold_no_call()
        self.assert_freed()

    def test_closed_by_the_peer(self) -> None:
        """A call whose peer said farewell is freed."""
        line = self.talk(self.doors.dial())
        line.peer.sendClose(1000, "bye")
        self.doors.settle()
        del line
        self.hold_no_call()
        self.assert_freed()

    def test_bad_peer(self) -> None:
        """A call whose peer broke the protocol is freed."""
        self.talk(self.doors.dial()).raw(b"\x81\x02{}")
        self.hold_no_call()
        self.assert_freed()

    def test_stalled(self) -> None:
        """A call that was cut off is freed, and what waited with it."""
        line = self.doors.dial()
        line.wire.stall()
        self.doors.agent.call.say(tone(5000))
        self.doors.advance(15)
        del line
        self.hold_no_call()
        self.assert_freed()

    def test_never_started(self) -> None:
        """A socket without a call is freed."""
        self.doors.stream()
        self.doors.advance(5)
        self.assert_freed()

    def test_refused(self) -> None:
        """An upgrade that is refused is freed."""
        self.doors.upgrade()
        del self.doors.wire, self.doors.near
        self.assert_freed()

    def test_webhook(self) -> None:
        """The request of a webhook is freed, and its connection when that ends."""
        self.doors.post()
        self.doors.near.loseConnection()
        self.doors.settle()
        del self.doors.wire, self.doors.near
        self.assert_freed()
