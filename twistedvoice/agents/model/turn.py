# -*- test-case-name: tests.agents.model.test_turn -*-
"""Whose turn it is: when the model may be asked to speak, and whose sound counts.

An API makes one response at a time, cancels it by itself when the caller speaks, and
answers a caller's turn by itself. What we ask for beside that, after a function or a
new session, must wait until nobody speaks. Sends nothing: it is given what to call.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Turn"]


class Turn:
    """The turns of one call."""

    def __init__(self, ask: Callable[[], None], cancel: Callable[[], None]) -> None:
        """
        :param ask: asks for a response.
        :param cancel: takes back the one that is being made.
        """
        self._ask = ask
        self._cancel = cancel
        #: The response whose sound counts; late sound of any other is dropped.
        self.live = ""
        #: A response is being made, or was asked for.
        self.busy = False
        self.caller_speaks = False
        self._owed = False
        self._functions = 0

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks, and nobody is about to."""
        return not (self.busy or self.caller_speaks or self._owed or self._functions)

    def asked(self) -> None:
        """A response was asked for elsewhere."""
        self.busy = True

    def owe(self) -> None:
        """A response is due, as soon as it may be asked for."""
        self._owed = True
        self._settle()

    def caller_started(self) -> None:
        """The caller speaks; the API cancels what it makes."""
        self.caller_speaks = True
        self.live = ""

    def caller_stopped(self) -> None:
        """The caller has spoken; the API answers by itself."""
        self.caller_speaks = False
        self.busy = True

    def response_began(self, response_id: str) -> None:
        """The API makes a response; it knows all that it was told before."""
        self.busy, self._owed = True, False
        if self.caller_speaks:
            self._cancel()  # asked for before the caller spoke, and begun after
        else:
            self.live = response_id

    def response_ended(self) -> None:
        """Nothing more comes of it; what still does is dropped."""
        self.busy, self.live = False, ""
        self._settle()

    def asked_too_early(self) -> None:
        """The API was still busy when it was asked."""
        self.busy = self._owed = True

    def function_began(self) -> None:
        """The model waits for the result of a function."""
        self._functions += 1

    def function_ended(self, *, answer: bool) -> None:
        """:param answer: whether the model shall say something about the result."""
        self._functions -= 1
        self._owed = self._owed or answer
        self._settle()

    def silenced(self) -> None:
        """Somebody else cut the model off."""
        if self.live and self.busy:
            self._cancel()
        self.live = ""

    def begin_anew(self, *, asked: bool) -> None:
        """
        There is a new session: what was left open is due in it.

        :param asked: whether it was asked for a response already.
        """
        self._owed = not (asked or self.is_quiet)
        self.live, self.busy, self.caller_speaks, self._functions = "", asked, False, 0
        self._settle()

    def close(self) -> None:
        """The call is over: let go of whoever was asked."""
        self._ask = self._cancel = lambda: None

    def _settle(self) -> None:
        if self._owed and not (self.busy or self.caller_speaks or self._functions):
            self._owed, self.busy = False, True
            self._ask()
