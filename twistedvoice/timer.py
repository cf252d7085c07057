# -*- test-case-name: tests.test_timer -*-
"""A clock whose timer is finer than the reactor's.

epoll waits in whole milliseconds, so what is put on the reactor comes up to one too
late, and never by the same amount. The kernel's ``timerfd`` is a file that becomes
readable at the microsecond it was set to, and a reactor can wait for that like for any
other. Python itself knows it from 3.13 on only, so the C library is called.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = ["FineTimer", "fine_clock"]

_BILLION = 1_000_000_000


class _Setting(ctypes.Structure):
    """``struct itimerspec``; with no interval it rings once."""

    _fields_ = [
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    ]


@implementer(IReactorTime, IReadDescriptor)
class FineTimer:
    """
    An ``IReactorTime`` for one LoopingCall: it holds one call at a time.

    While it holds none, the reactor does not know it. Its descriptor stays open as long
    as the process.
    """

    def __init__(self, reactor: Any) -> None:
        """:raises OSError: when this system has no such timer."""
        self._reactor = reactor
        self.seconds: Callable[[], float] = reactor.seconds
        self._call: DelayedCall | None = None
        # Not CDLL: to let go of the interpreter for a call of a microsecond may cost
        # the turn a hundred of them, when a thread takes it.
        library = ctypes.PyDLL(None, use_errno=True)
        if not hasattr(library, "timerfd_create"):
            raise OSError("the C library has no timerfd")
        flags = os.O_NONBLOCK | os.O_CLOEXEC
        self._file: int = library.timerfd_create(time.CLOCK_MONOTONIC, flags)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "no timerfd")
        self._setting = _Setting()
        self._set_time = library.timerfd_settime
        if self._set(0) != 0:
            os.close(self._file)
            raise OSError(ctypes.get_errno(), "the timer cannot be set")

    # -- as a clock ----------------------------------------------------------------

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        """
        Call a function once, in ``delay`` seconds.

        :raises RuntimeError: when a call waits already.
        """
        if self._call is not None:
            raise RuntimeError("a fine timer holds one call at a time")
        self._call = DelayedCall(
            self.seconds() + delay,
            callable,
            args,
            kw,
            self._cancelled,
            self._moved,
            self.seconds,
        )
        self._set(delay)
        self._reactor.addReader(self)
        return self._call

    def getDelayedCalls(self) -> list[IDelayedCall]:
        """:returns: the call that waits, if any."""
        return [] if self._call is None else [self._call]

    def _set(self, delay: float) -> int:
        # The kernel takes "in no time" for "never".
        nanoseconds = max(1, int(delay * _BILLION))
        setting = self._setting
        setting.seconds, setting.nanoseconds = divmod(nanoseconds, _BILLION)
        done: int = self._set_time(self._file, 0, ctypes.byref(setting), None)
        return done

    def _cancelled(self, call: DelayedCall) -> None:
        self._call = None
        self._reactor.removeReader(self)

    def _moved(self, call: DelayedCall) -> None:
        self._set(call.getTime() - self.seconds())

    # -- as a file that the reactor waits for --------------------------------------

    def fileno(self) -> int:
        """:returns: the timer's descriptor."""
        return self._file

    def doRead(self) -> None:
        """The timer rang."""
        try:
            os.read(self._file, 8)
        except BlockingIOError:
            return  # set anew since
        call, self._call = self._call, None
        if call is not None:
            call.called = True
            call.func(*call.args, **call.kw)
        if self._call is None:
            self._reactor.removeReader(self)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has ended."""

    def logPrefix(self) -> str:
        """:returns: what its errors are logged under."""
        return "timer"


def fine_clock(reactor: Any) -> IReactorTime:
    """:returns: the finest clock that this system has."""
    try:
        return FineTimer(reactor)
    except OSError:
        clock: IReactorTime = reactor
        return clock
