# -*- test-case-name: tests.recording.test_pulse -*-
"""Tells a writer process that hangs from one that waits for the disk.

The service asks again and again, and a thread of the process that touches no file
answers. So a disk that stalls, for however long, leaves the answers coming. Counted are
questions and not seconds: a machine that was asleep has asked nothing meanwhile.
"""

from __future__ import annotations

import socket
from contextlib import suppress

__all__ = ["BEAT_SECONDS", "MOST_UNANSWERED", "Pulse", "answer"]

#: How often :meth:`Pulse.beat` should be called.
BEAT_SECONDS = 1.0
#: Who leaves more unanswered hangs. Longer than a disk may stall and nothing be lost,
#: in case the whole machine stalls with it; shorter than what memory is for.
MOST_UNANSWERED = 15


class Pulse:
    """The service's end; never blocks."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._unanswered = 0

    def beat(self) -> bool:
        """
        Ask once more.

        :returns: whether the process hangs, once. One that is gone does not.
        """
        try:
            if not self._end.recv(MOST_UNANSWERED + 1):
                return False
            self._unanswered = 0
        except BlockingIOError:
            pass
        except OSError:
            return False
        with suppress(OSError):
            self._end.send(b"?")
        self._unanswered += 1
        return self._unanswered == MOST_UNANSWERED + 1

    def close(self) -> None:
        """Ask no more."""
        self._end.close()


def answer(end: socket.socket) -> None:
    """Answer until the service closes its end, or is gone; blocks."""
    with end, suppress(OSError):
        while asked := end.recv(MOST_UNANSWERED + 1):
            end.send(asked)
