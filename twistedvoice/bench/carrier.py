# -*- test-case-name: tests.bench.test_carrier -*-
"""One simulated call on a socket: connects, speaks, listens, and hangs up.

A thousand of them share one core, so what happens fifty times a second is short: a
frame is two ready-made pieces and one ``send``, and a frame of the service that looks
like the last one is taken as it is. Everything else is read in full. It is told the
time, and when to do what; :mod:`.generator` tells it.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import define, field

from ..simulator import wire
from .ear import Ear
from .frames import CLOSE, PING, PONG, TEXT, FrameReader, masked, upgrade
from .speech import NUMBER_CHARS, Speech, Voice
from .tally import Job, Tally
from .usual import UsualFrame

__all__ = ["Carrier", "Log"]

#: What the service may leave unread before frames are lost.
_MOST_UNSENT = 256 * 1024
#: How far back a frame is known again: five seconds.
_REMEMBERED = 256
#: Of so many frames that come back one is looked at: what that finds, it finds often.
_COMPARED = 4
#: Some ten frames; what is left is there at the next look.
_MOST_AT_ONCE = 4096
_SWITCHED = b"HTTP/1.1 101 "


@define
class Log:
    """What all calls of one generator write down."""

    tally: Tally = field(factory=Tally)
    #: Whether times count now.
    measuring: bool = False
    echo_ns: list[int] = field(factory=list)
    #: From ``start`` to the first sound; of all calls, whether times count or not.
    answer_ns: list[int] = field(factory=list)


class Carrier:
    """
    A call from its first packet to its last.

    It is ``open`` while it may speak, and ``gone`` once its socket is closed.
    """

    def __init__(
        self,
        job: Job,
        index: int,
        speech: Speech,
        log: Log,
        *,
        remind: Callable[[int, Carrier], None],
        ended: Callable[[Carrier], None],
        new_socket: Callable[[], Any] = socket.socket,
    ) -> None:
        """
        :param index: the number of the call.
        :param remind: wants :meth:`give_marks_back` called at a time.
        :param ended: is told when the socket has been closed.
        """
        self.open = self.gone = False
        #: When it should hang up.
        self.leaves_ns = job.to_ns
        self.ear = Ear(job.jitter_ms * 1_000_000)
        self.voice = Voice(index)
        self._job = job
        self._numbers = speech.numbers
        self._beginning = speech.beginning
        self._ending = self.voice.ending
        self._log = log
        self._remind = remind
        self._ended = ended
        self._marks: deque[tuple[int, str]] = deque()
        self._said = 0
        #: When it said ``start``; None before, and once it was answered.
        self._started_ns: int | None = None
        self._sent_ns = [0] * _REMEMBERED
        self._unsent = b""
        self._answer = b""
        self._leaving = False
        self._reader = FrameReader()
        self._usual: UsualFrame | None = None
        self._socket = new_socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send = self._socket.send
        self._receive = self._socket.recv
        #: The number of its socket; another may have it when this one is gone.
        self.descriptor = self._socket.fileno()

    # -- what it is told to do ---------------------------------------------------------

    def connect(self) -> None:
        """Begin; it can be written to when it is connected."""
        self._socket.connect_ex((self._job.host, self._job.port))

    def connected(self) -> None:
        """Ask for a WebSocket, if there is a connection."""
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.leave("connect")
        else:
            host = f"{self._job.host}:{self._job.port}"
            self._write(upgrade(host, self._job.path))

    def speak(self, now_ns: int) -> None:
        """Say the next 20 ms."""
        number = self._said
        self._said = number + 1
        self._sent_ns[number % _REMEMBERED] = now_ns
        frame = self._beginning(number) + self._ending
        if self._unsent:
            self._write(frame)
            return
        # As _write does, without another call.
        try:
            sent = self._send(frame)
        except OSError:
            self._write(frame)
            return
        if sent < len(frame):
            self._unsent = frame[sent:]

    def hang_up(self) -> None:
        """Say goodbye; it is gone when the service has closed."""
        self.open = False
        self._leaving = True
        self._write(self.voice.farewell())

    def give_marks_back(self, now_ns: int) -> None:
        """Give back the marks whose time has come."""
        while self._marks and self._marks[0][0] <= now_ns:
            _, name = self._marks.popleft()
            if self.open:
                self._log.tally.counts["marks"] += 1
                self._write(self.voice.mark(name))

    def leave(self, error: str = "") -> None:
        """Close the socket; a word says what was wrong."""
        if not self.gone:
            if error:
                self._log.tally.errors[error] += 1
            self.open, self.gone = False, True
            self._socket.close()
            self._ended(self)

    # -- what comes --------------------------------------------------------------------

    def read(self, now_ns: int) -> None:
        """Take what there is to read."""
        try:
            data = self._receive(_MOST_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.leave("" if self._leaving else "lost")
        elif self.open and not self._reader.rest:
            self._read_usual(data, now_ns)
        elif self.open or self._leaving:
            self._unusual(data, now_ns)
        else:
            self._upgraded(data, now_ns)

    def _read_usual(self, data: bytes, now_ns: int) -> None:
        """Take the frames that look like the last one, and hand on what follows."""
        usual, start = self._usual, 0
        while usual is not None and usual.is_at(data, start):
            self.ear.sound(now_ns, usual.sound)
            if self._log.measuring and not self._said % _COMPARED:
                self._compare(usual.payload(data, start), now_ns)
            start += usual.size
        if start < len(data):
            self._unusual(data[start:], now_ns)

    def _compare(self, payload: bytes, now_ns: int) -> None:
        """Find out when this was said, if it is an echo."""
        number = self._numbers.get(payload[:NUMBER_CHARS])
        if number is None:
            return
        if not payload.endswith(self.voice.owner):
            self._log.tally.errors["of another call"] += 1
        elif 0 < self._said - number <= _REMEMBERED:
            self._log.echo_ns.append(now_ns - self._sent_ns[number % _REMEMBERED])

    def _upgraded(self, data: bytes, now_ns: int) -> None:
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(_SWITCHED):
            self.leave("refused")
            return
        self.open = True
        if self._job.call_ms is not None:
            self.leaves_ns = now_ns + self._job.call_ms * 1_000_000
        self._log.tally.counts["opened"] += 1
        self._write(self.voice.hello())
        self._started_ns = now_ns
        if rest:
            self._unusual(rest, now_ns)

    def _unusual(self, data: bytes, now_ns: int) -> None:
        try:
            for opcode, payload in self._reader.feed(data):
                self._message(opcode, payload, now_ns)
        except ValueError:
            self.leave("protocol")

    def _message(self, opcode: int, payload: bytes, now_ns: int) -> None:
        if opcode == TEXT:
            self._text(payload, now_ns)
        elif opcode == PING:
            self._log.tally.counts["pings"] += 1
            self._write(masked(payload, PONG))
        elif opcode == CLOSE:
            self._write(masked(payload[:2], CLOSE))
            self.leave("" if self._leaving else "closed early")

    def _text(self, text: bytes, now_ns: int) -> None:
        match wire.read(text, self.voice.stream_id):
            case wire.Media(sound):
                if self._started_ns is not None:
                    self._log.answer_ns.append(now_ns - self._started_ns)
                    self._started_ns = None
                self.ear.sound(now_ns, len(sound))
                self._usual = UsualFrame.learned(text, len(sound))
            case wire.Mark(name):
                due_ns = self.ear.played_at(now_ns)
                self._marks.append((due_ns, name))
                self._remind(due_ns, self)
            case wire.Clear():
                self.ear.clear()
                self._marks = deque((now_ns, name) for _, name in self._marks)
                self.give_marks_back(now_ns)
            case wire.Problem():
                self._log.tally.errors["not of this protocol"] += 1

    # -- what goes ---------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if self._unsent:
            if len(self._unsent) > _MOST_UNSENT:
                self._log.tally.counts["unsaid"] += 1
                return
            data = self._unsent + data
            self._unsent = b""
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.leave("" if self._leaving else "lost")
            return
        if sent < len(data):
            self._unsent = data[sent:]
