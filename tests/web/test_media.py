"""Tests of ``twistedvoice.web.media``, through the real site and a real client."""

from __future__ import annotations

import base64
import json
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import IPushProducer
from twisted.logger import globalLogPublisher
from twisted.protocols.policies import ProtocolWrapper
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from twistedvoice.agents.echo import Echo
from twistedvoice.events import Message
from twistedvoice.formats import FRAME_MS
from twistedvoice.interfaces import Dialect
from twistedvoice.web.media import MediaFactory, MediaSocket

from ..calls.doubles import HangUps, limits_of, tone
from ..carriers.twilio_carrier import TwilioCarrier
from .doors import CALL, Doors, Line

__all__ = [
    "AutobahnTests",
    "BackpressureTests",
    "BadInputTests",
    "CloseTests",
    "StreamTests",
    "TimeTests",
    "UpgradeTests",
]

CARRIER = TwilioCarrier()


class DoorsTestCase(SynchronousTestCase):
    """A service whose every call and timer must be gone at the end."""

    def setUp(self) -> None:
        self.doors = self.open()

    def open(self, **options: Any) -> Doors:
        """:returns: a service that is checked for what it leaves behind."""
        doors = Doors(**options)
        self.addCleanup(self.assert_nothing_left, doors)
        return doors

    def assert_nothing_left(self, doors: Doors) -> None:
        """Once its connections are gone, a service holds no call, timer or place."""
        doors.hang_up_all()
        self.assertEqual(doors.exchange.leftovers(), [])

    def assert_ended(self, line: Line, outcome: str, code: int | None) -> None:
        """The call ended in one word, and the peer was told one code."""
        doors = self.doors
        self.assertEqual(doors.switchboard.outcomes, {outcome: 1})
        self.assertEqual(doors.agent.outcome, outcome)
        self.assertEqual(len(doors.switchboard), 0)
        self.assertEqual(line.peer.closed and line.peer.closed[0], code)


class UpgradeTests(DoorsTestCase):
    """Who may open a stream, and who is told no before anything is made."""

    def test_signed_upgrade_opens(self) -> None:
        """The carrier's own signature opens a socket that waits for a call."""
        line = self.doors.stream()
        self.assertTrue(line.peer.opened)
        self.assertEqual(self.doors.switchboard.unstarted(), 1)

    def test_unsigned_upgrade_makes_nothing(self) -> None:
        """Without a signature the answer is 403 and not 101, and there is no call."""
        for headers in ([], [("X-Twilio-Signature", "AAAA")]):
            answer = self.doors.upgrade(headers=headers)
            self.assertEqual((answer.status, answer.body), (403, b""))
            self.assertEqual(self.doors.switchboard.unstarted(), 0)
            self.assertTrue(self.doors.wire.disconnected)
        self.assertEqual(self.doors.gate.refused, {"signature": 2})

    def test_too_many_that_wait(self) -> None:
        """Beyond so many sockets without a call the next is told to come later."""
        for number in range(3):
            self.doors.dial(f"CA{number:032}")
        lines = [self.doors.stream() for _ in range(200)]
        self.assertTrue(lines[-1].peer.opened)
        self.assertEqual(self.doors.upgrade().status, 503)
        self.assertEqual(self.doors.gate.refused, {"crowded": 1})
        lines[0].lose()
        self.assertTrue(self.doors.stream().peer.opened)

    def test_fault_of_ours_is_not_told_to_the_peer(self) -> None:
        """What goes wrong with a check is logged, and the peer hears 500."""
        self.doors.gate.public_url = "no URL"
        answer = self.doors.upgrade()
        self.assertEqual((answer.status, answer.body), (500, b""))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_socket_without_a_call_is_dropped(self) -> None:
        """When no call can be made the socket does not stay open."""

        def broken() -> Dialect:
            raise ValueError("no dialect")

        self.doors.media._new_dialect = broken
        line = self.doors.stream()
        self.assertTrue(line.wire.disconnected)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class StreamTests(DoorsTestCase):
    """What a call says and hears goes over the wire as it is."""

    def setUp(self) -> None:
        super().setUp()
        self.line = self.doors.dial()

    def test_implements_the_producer(self) -> None:
        """Twisted's transports may call it."""
        verifyClass(IPushProducer, MediaSocket)

    def test_start_claims_the_reservation(self) -> None:
        """With the token of its webhook the stream is a live call."""
        self.assertEqual(self.line.call.state, "Streaming")
        self.assertEqual(self.doors.exchange.admission.claimed, 1)

    def test_wrong_token_ends_the_stream(self) -> None:
        """A stream that shows no good token is closed, and is no call."""
        other = self.doors.stream()
        other.start("CA" + "9" * 32, token="guessed")
        self.assertEqual(other.peer.closed, (1000, "refused"))
        self.assertEqual(self.doors.switchboard.turned_away, {"refused": 1})
        self.assertEqual(len(self.doors.switchboard), 1)

    def test_sound_goes_out_paced_and_marked(self) -> None:
        """Frames come in order with the mark behind them, no faster than the lead."""
        sound = tone(400)
        self.doors.agent.call.say(sound)
        self.doors.advance(0.02)
        self.assertLessEqual(len(self.line.peer.received), 6)
        self.doors.advance(0.5)
        *media, mark = self.line.peer.received
        payloads = [base64.b64decode(said["media"]["payload"]) for said in media]
        self.assertEqual({len(payload) for payload in payloads}, {160})
        self.assertEqual(b"".join(payloads), sound)
        self.assertEqual(mark["event"], "mark")

    def test_echoed_mark_reaches_the_agent(self) -> None:
        """The carrier's word that a mark was reached ends the utterance as played."""
        utterance = self.doors.agent.call.say(tone(20))
        self.doors.advance(0.1)
        name = self.line.peer.received[-1]["mark"]["name"]
        self.line.say(CARRIER.mark(name))
        self.assertEqual(self.successResultOf(utterance.finished()), "played")

    def test_sound_and_digits_come_in(self) -> None:
        """What the carrier sends reaches the call."""
        self.line.say(CARRIER.sound(tone(20), 0), CARRIER.digit("7"))
        self.assertEqual(self.line.call.inbound.frames, 1)
        self.assertEqual(self.doors.agent.digits, "7")

    def test_echo_says_back_what_it_hears(self) -> None:
        """Sound that comes in goes out again unchanged."""
        doors = self.open(agent=Echo)
        line = doors.dial()
        sound = tone(200)
        for start in range(0, len(sound), 160):
            line.say(CARRIER.sound(sound[start : start + 160], start // 8))
            doors.advance(FRAME_MS / 1000)
        doors.advance(0.1)
        heard = b"".join(
            base64.b64decode(said["media"]["payload"]) for said in line.peer.received
        )
        self.assertEqual(heard, sound)

    def test_interrupt_sends_one_clear_and_no_sound_after_it(self) -> None:
        """The clear overtakes what waits, which is never sent."""
        self.doors.agent.call.say(tone(2000))
        self.doors.advance(0.1)
        self.doors.agent.call.interrupt("test")
        self.doors.advance(1.0)
        kinds = self.line.peer.kinds()
        self.assertEqual(kinds.count("clear"), 1)
        self.assertEqual(kinds[-1], "clear")

    def test_ping_is_answered(self) -> None:
        """The peer's own ping gets its pong, with the same bytes."""
        self.line.peer.sendPing(b"are you there")
        self.doors.settle()
        self.assertEqual(self.line.peer.pongs, [b"are you there"])

    def test_text_in_fragments_is_one_message(self) -> None:
        """A message may come in several frames, with a ping in between."""
        data, _ = CARRIER.digit("5")
        self.line.peer.beginMessage()
        self.line.peer.sendMessageFrame(data[:10])
        self.doors.settle()
        self.line.peer.sendPing(b"between")
        self.line.peer.sendMessageFrame(data[10:])
        self.line.peer.endMessage()
        self.doors.settle()
        self.assertEqual(self.doors.agent.digits, "5")
        self.assertEqual(self.line.call.inbound.messages, 3)


class CloseTests(DoorsTestCase):
    """Every order in which a stream may end leaves nothing and counts one end."""

    def test_stop_is_answered_with_a_close(self) -> None:
        """After ``stop`` the service says farewell, and the socket goes."""
        line = self.doors.dial()
        line.say(CARRIER.stop())
        self.assert_ended(line, "completed", 1000)
        self.assertTrue(line.wire.disconnected)

    def test_lost_socket(self) -> None:
        """A connection that breaks ends its call."""
        line = self.doors.dial()
        line.lose()
        self.assert_ended(line, "lost", None)

    def test_peer_closes(self) -> None:
        """A polite close without ``stop`` is answered, and ends the call at once."""
        line = self.doors.dial()
        self.doors.agent.call.say(tone(1000))
        line.peer.sendClose(1000, "bye")
        self.doors.settle()
        self.assert_ended(line, "lost", 1000)
        self.assertTrue(line.wire.disconnected)
        self.assertEqual(self.doors.exchange.leftovers(), [])

    def test_peer_closes_and_reads_no_more(self) -> None:
        """Bytes that nobody reads do not keep a closed socket for ever."""
        line = self.doors.dial()
        line.wire.stall()
        self.doors.agent.call.say(tone(200))
        self.doors.advance(0.1)
        line.peer.sendClose(1000, "bye")
        self.doors.settle()
        self.assertFalse(line.wire.disconnected)
        self.doors.advance(1)
        self.assertTrue(line.wire.aborted)
        self.assertTrue(line.wire.disconnected)

    def test_hang_up_says_what_is_queued_first(self) -> None:
        """An agent that hangs up is heard to the end, and then the socket closes."""
        line = self.doors.dial()
        self.doors.agent.call.say(tone(200))
        self.doors.agent.call.hang_up()
        self.doors.advance(5)
        self.assertEqual(line.peer.kinds().count("media"), 10)
        self.assert_ended(line, "hung_up", 1000)

    def test_hang_up_through_the_carrier(self) -> None:
        """The socket stays until the carrier's API has ended the call."""
        hang_ups = HangUps()
        self.doors.exchange.services.control = hang_ups
        self.doors.exchange.services.hang_up_by_control = True
        line = self.doors.dial()
        self.doors.agent.call.hang_up()
        line.say(CARRIER.sound(tone(20), 0))
        self.assertIsNone(line.peer.closed)
        hang_ups.answer.callback(None)
        self.doors.settle()
        self.assert_ended(line, "hung_up", 1000)

    def test_peer_is_gone_before_the_carrier_answers(self) -> None:
        """A late answer of the API finds the socket closed and leaves it alone."""
        hang_ups = HangUps()
        self.doors.exchange.services.control = hang_ups
        self.doors.exchange.services.hang_up_by_control = True
        line = self.doors.dial()
        self.doors.agent.call.hang_up()
        line.lose()
        hang_ups.answer.callback(None)
        self.assert_ended(line, "hung_up", None)

    def test_peer_that_answers_no_close_is_dropped(self) -> None:
        """The wait for the peer's farewell has an end."""
        line = self.doors.dial()
        line.peer.answers_closes = False
        line.say(CARRIER.stop())
        self.assertFalse(line.wire.disconnected)
        self.doors.advance(1)
        self.assertTrue(line.wire.aborted)

    def test_peer_vanishes_instead_of_answering_a_close(self) -> None:
        """No timer is left when the connection breaks during the farewell."""
        line = self.doors.dial()
        line.peer.answers_closes = False
        line.say(CARRIER.stop())
        line.lose()
        self.assert_ended(line, "completed", 1000)
        self.assertEqual(self.doors.exchange.leftovers(), [])

    def test_messages_after_the_end_change_nothing(self) -> None:
        """What is still on the way when a call ends is read and dropped."""
        line = self.doors.dial()
        line.peer.answers_closes = False
        line.say(CARRIER.stop(), CARRIER.sound(tone(20), 0), CARRIER.stop())
        self.assert_ended(line, "completed", 1000)

    def test_second_stream_of_a_call_wins(self) -> None:
        """The older of two streams of one call is closed, and its call replaced."""
        older = self.doors.dial()
        self.doors.dial()
        self.assertEqual(older.peer.closed, (1000, "replaced"))
        self.assertEqual(len(self.doors.switchboard), 1)

    def test_close_twice(self) -> None:
        """Whoever closes a second time does no harm."""
        line = self.doors.stream()
        socket = line.socket
        socket.close("once")
        socket.close("twice")
        self.doors.settle()
        socket.close("after the end")
        self.assertEqual(line.peer.closed, (1000, "once"))


class BadInputTests(DoorsTestCase):
    """A bad peer ends at most its own call, in a stated way."""

    def setUp(self) -> None:
        super().setUp()
        self.bystander = self.doors.dial("CA" + "8" * 32)
        self.line = self.doors.dial()

    def assert_only_it_ended(self, outcome: str, code: int) -> None:
        """The bad peer's call has ended, and the other goes on undisturbed."""
        self.assert_code(code)
        self.assertEqual(self.doors.switchboard.outcomes, {outcome: 1})
        [other] = self.doors.switchboard
        self.assertEqual(other.call_id, "CA" + "8" * 32)
        self.bystander.say(CARRIER.sound(tone(20), 0))
        self.assertEqual(other.inbound.frames, 1)

    def assert_code(self, code: int) -> None:
        """The peer was told this code, and the socket is gone in time."""
        self.assertEqual(self.line.peer.closed[0], code)
        self.doors.advance(1.1)
        self.assertTrue(self.line.wire.disconnected)

    def test_message_that_is_too_long(self) -> None:
        """A message beyond the bound is refused by its header alone, with 1009."""
        self.line.raw(b"\x81\xff" + (65 * 1024).to_bytes(8, "big") + b"abcd")
        self.assert_only_it_ended("malformed", 1009)

    def test_message_that_is_too_long_in_pieces(self) -> None:
        """Fragments count together."""
        self.line.peer.beginMessage()
        for _ in range(5):
            self.line.peer.sendMessageFrame(b"x" * 16 * 1024)
        self.doors.settle()
        self.assert_only_it_ended("malformed", 1009)

    def test_nothing_is_sent_after_the_farewell(self) -> None:
        """A call in full speech falls silent at once when its peer breaks the rules."""
        self.doors.agent.call.say(tone(2000))
        self.line.peer.answers_closes = False
        self.line.raw(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"abcd")
        self.assertFalse(self.line.socket.writable)
        sent = len(self.line.peer.received)
        self.doors.advance(0.5)
        self.assertEqual(len(self.line.peer.received), sent)
        self.assertEqual(self.doors.switchboard.outcomes, {"malformed": 1})

    def test_unmasked_frame(self) -> None:
        """A client must mask."""
        self.line.raw(b"\x81\x02{}")
        self.assert_only_it_ended("malformed", 1002)

    def test_reserved_bits_and_opcodes(self) -> None:
        """What the protocol reserves is an error."""
        self.line.raw(b"\xf3\x80abcd")
        self.assert_only_it_ended("malformed", 1002)

    def test_text_that_is_not_utf8(self) -> None:
        """Text must be UTF-8."""
        self.line.peer.sendMessage(b"\xff\xfe", False)
        self.doors.settle()
        self.assert_only_it_ended("malformed", 1007)

    def test_broken_json_and_binary_are_counted(self) -> None:
        """A started call survives what its dialect cannot read."""
        [call] = [each for each in self.doors.switchboard if each.call_id == CALL]
        self.line.say((b"{", False), (b"\0\1\2", True), (b"[" * 5000, False))
        self.assertEqual(call.inbound.malformed, 3)
        self.assertEqual(call.state, "Streaming")

    def test_broken_message_before_start_ends_the_socket(self) -> None:
        """Who begins with garbage is no carrier."""
        line = self.doors.stream()
        line.say((b"\0\1\2", True))
        self.assertEqual(line.peer.closed, (1000, "malformed"))
        self.assertEqual(self.doors.switchboard.turned_away, {"malformed": 1})

    def test_fault_of_ours_while_reading_ends_the_call(self) -> None:
        """An exception behind the socket is logged, and fails its own call."""
        [call] = [each for each in self.doors.switchboard if each.call_id == CALL]

        def broken(message: Message) -> None:
            raise ZeroDivisionError

        call.inbound.message_received = broken  # type: ignore[method-assign]
        self.line.say(CARRIER.sound(tone(20), 0))
        self.assert_only_it_ended("failed", 1000)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_flood(self) -> None:
        """More messages than any carrier sends end the call."""
        self.line.say(*[CARRIER.sound(tone(20), 0)] * 1001)
        self.assert_only_it_ended("flooded", 1000)

    def test_secrets_and_digits_stay_out_of_the_log(self) -> None:
        """Neither what Autobahn nor what we log has a digit, a token or a number."""
        events: list[Any] = []
        observer: Any = events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        reservation = self.doors.exchange.reserve("CA" + "6" * 32)
        line = self.doors.stream()
        line.start("CA" + "6" * 32, token=reservation.token)
        line.say(CARRIER.digit("#"), (b'{"event":"dtmf","dtmf":{"digit":"#"', False))
        line.raw(b"\x81\x02{}")
        self.assertNotEqual(events, [])
        for event in events:
            said = str(event.get("log_format", "")).format(**event)
            for secret in (reservation.token, reservation.from_number, "#"):
                self.assertNotIn(secret, said)


class BackpressureTests(DoorsTestCase):
    """A peer that reads slowly: the sound waits here, where it can be taken back."""

    def setUp(self) -> None:
        super().setUp()
        self.line = self.doors.dial()
        self.line.wire.stall()
        self.doors.agent.call.say(tone(5000))

    def test_little_waits_below_the_queue(self) -> None:
        """When the transport is full, frames stay in the call's own queue."""
        self.doors.advance(3)
        self.assertFalse(self.line.socket.writable)
        self.assertLess(self.line.wire.buffered(), 9 * 1024)
        stream = self.line.call.stream
        self.assertGreater(stream.waiting, 200)
        self.assertEqual(stream.meters.sent + stream.waiting, 250)
        self.assertGreater(stream.meters.held_ticks, 0)

    def test_resume_goes_on_without_loss_or_burst(self) -> None:
        """The rest is sent in order and at its pace."""
        self.doors.advance(3)
        before = self.line.call.stream.meters.sent
        self.line.wire.read_on()
        self.doors.advance(0.2)
        self.assertLess(self.line.call.stream.meters.sent - before, 17)
        self.doors.advance(6)
        payloads = [
            base64.b64decode(said["media"]["payload"])
            for said in self.line.peer.received
            if said["event"] == "media"
        ]
        self.assertEqual(b"".join(payloads), tone(5000))

    def test_interrupt_while_paused(self) -> None:
        """What waits is dropped at once, and the clear is sent though paused."""
        self.doors.advance(3)
        stream = self.line.call.stream
        sent = stream.meters.sent
        self.assertGreater(self.doors.agent.call.interrupt("test"), 4000)
        self.assertEqual(stream.waiting, 0)
        self.line.wire.read_on()
        self.doors.advance(1)
        kinds = self.line.peer.kinds()
        self.assertEqual(kinds.count("media"), sent)
        self.assertEqual(kinds[-1], "clear")

    def test_peer_that_never_reads_is_cut_off(self) -> None:
        """After ten seconds with frames that wait, the call has stalled."""
        self.doors.advance(15)
        self.assertEqual(self.doors.switchboard.outcomes, {"stalled": 1})
        self.assertTrue(self.line.wire.aborted)
        self.assertTrue(self.line.wire.disconnected)

    def test_closed_socket_is_not_writable_again(self) -> None:
        """A transport that resumes during the farewell opens nothing."""
        self.line.peer.answers_closes = False
        self.line.say(CARRIER.stop())
        socket = self.line.socket
        socket.resumeProducing()
        self.assertFalse(socket.writable)
        socket.stopProducing()
        self.assertFalse(socket.writable)

    def test_buffer_below_tls_is_bounded(self) -> None:
        """Under a wrapping transport the buffer of the connection itself counts."""
        line = self.doors.stream()

        class Inner:
            bufferSize = 1 << 16

        wrapper: Any = ProtocolWrapper(None, None)  # type: ignore[arg-type]
        wrapper.transport = inner = Inner()
        wrapper.registerProducer = wrapper.unregisterProducer = lambda *_: None
        socket = MediaSocket()
        socket.transport = wrapper
        socket._take_transport()
        self.assertEqual(inner.bufferSize, line.wire.bufferSize)


class TimeTests(DoorsTestCase):
    """Which clocks end a stream, and which do not."""

    def test_no_start_for_three_seconds(self) -> None:
        """A socket that never says ``start`` is closed, and is no failed call."""
        line = self.doors.stream()
        self.doors.advance(2.9)
        self.assertIsNone(line.peer.closed)
        self.doors.advance(0.2)
        self.assertEqual(line.peer.closed, (1000, "unstarted"))
        self.assertEqual(self.doors.switchboard.turned_away, {"unstarted": 1})
        self.assertEqual(self.doors.switchboard.outcomes, {})

    def test_call_outlives_every_time_out_of_http(self) -> None:
        """Hours later an open call still carries sound in both directions."""
        self.doors.exchange.services.limits = limits_of(longest=1e6)
        line = self.doors.dial()
        for second in range(0, 3 * 3600, 15):
            line.say(CARRIER.sound(tone(20), second * 1000))
            self.doors.reactor.advance(15)
            self.doors.settle()
        self.assertEqual(self.doors.agent.outcome, "")
        self.doors.agent.call.say(tone(20))
        self.doors.advance(0.1)
        self.assertEqual(line.peer.kinds(), ["media", "mark"])

    def test_silent_socket_is_kept_by_its_pings(self) -> None:
        """A peer that has nothing to say but answers pings stays connected."""
        self.doors.exchange.services.limits = limits_of()
        line = self.doors.dial()
        for _ in range(240):
            self.doors.reactor.advance(15)
            self.doors.settle()
        self.assertGreater(line.peer.pings, 100)
        self.assertEqual(self.doors.agent.outcome, "")

    def test_half_open_connection(self) -> None:
        """A peer that answers no ping is gone, and the call is lost."""
        line = self.doors.dial()
        line.peer.answers_pings = False
        self.doors.advance(36)
        self.assertTrue(line.wire.aborted)
        self.assertEqual(self.doors.switchboard.outcomes, {"lost": 1})

    def test_record_is_kept_once(self) -> None:
        """A call that ended has one record, with the carrier's ids."""
        line = self.doors.dial()
        line.say(CARRIER.stop())
        line.lose()
        [cdr] = self.doors.exchange.cdrs
        self.assertEqual((cdr["call_id"], cdr["outcome"]), (CALL, "completed"))
        self.assertIsInstance(json.dumps(cdr), str)
        record = self.doors.exchange.onlooker.events
        self.assertEqual([what for what, *_ in record].count("ended"), 1)


class CrowdTests(SynchronousTestCase):
    """What others do delays no frame that is due."""

    def setUp(self) -> None:
        self.doors = Doors()
        #: How often it was looked who is due.
        self.looks = 0
        self.doors.media.look = self.doors.site.look = self.look

    def look(self) -> None:
        """Count."""
        self.looks += 1

    def test_lost(self) -> None:
        """After a socket was lost it is looked who is due."""
        line = self.doors.dial()
        self.looks = 0
        line.lose()
        self.assertEqual(self.looks, 1)

    def test_asked(self) -> None:
        """So it is after a webhook was seen to."""
        self.doors.post()
        self.assertEqual(self.looks, 1)


class AutobahnTests(SynchronousTestCase):
    """What we rely on in Autobahn that its manual does not promise."""

    def test_every_farewell_goes_through_one_method(self) -> None:
        """The method that we extend is Autobahn's own, and is there."""
        self.assertTrue(callable(WebSocketServerProtocol.sendCloseFrame))

    def test_timers_of_a_factory_are_in_one_place(self) -> None:
        """The attribute that we put our clock into is the one Autobahn sets."""
        doors = Doors()
        theirs: Any = WebSocketServerFactory(reactor=doors.reactor)
        self.assertTrue(callable(theirs._batched_timer.call_later))
        self.assertIsInstance(doors.media, MediaFactory)
        doors.stream()
        [timer] = [
            call
            for call in doors.reactor.getDelayedCalls()
            if call.getTime() == doors.reactor.seconds() + 20
        ]
        self.assertTrue(timer.active())
