# -*- test-case-name: tests.agents.test_prompt tests.agents.test_local -*-
"""Leads a caller from place to place: through menus, or the states of a dialogue.

It performs actions, says a place again when nothing or the wrong thing came, has the
one timer, and knows whether the caller is leaving. What a place is, and how it is said,
is the matter of the agents that derive from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from attrs import define
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import CallStateError, CarrierApiError
from ..interfaces import Utterance
from ..speech.recital import Recital
from .actions import Action, GoTo, HangUp, Repeat, Transfer
from .agent import Agent

__all__ = ["Guide", "Place", "Visit"]


class Place(Protocol):
    """What the guide must know of a menu or a state."""

    @property
    def then(self) -> Action | None:
        """What follows once it was heard; None where the caller has to say."""

    @property
    def timeout_seconds(self) -> float:
        """How long the caller may say nothing."""

    @property
    def repeats(self) -> int:
        """How often it is said again."""

    @property
    def on_timeout(self) -> Action:
        """What follows after that many silences."""


_Place = TypeVar("_Place", bound=Place)


@define
class Visit(Generic[_Place]):
    """A caller's stay in one place."""

    name: str
    place: _Place
    #: How often nothing or the wrong thing came.
    failures: int = 0


class Guide(Agent, Generic[_Place]):
    """Leads one caller; derive an agent from it for each kind of place."""

    _log = Logger()
    #: What is being said; made when the call starts.
    _recital: Recital

    def __init__(self, places: Mapping[str, _Place], start: str) -> None:
        self._places = places
        self._visit = Visit(start, places[start])
        self._timer: Any = None
        #: The caller has been said goodbye to, or is being transferred.
        self._leaving = False

    # -- what differs ------------------------------------------------------------------

    def _say_place(self, *, sorry: bool = False) -> None:
        """
        Say where the caller is, and have :meth:`_heard` called once that was heard.

        :param sorry: whether the caller was not understood.
        """
        raise NotImplementedError

    def _goodbye(self) -> Utterance | None:
        """:returns: the last words, which are being said; None where there are none."""
        raise NotImplementedError

    # -- what happens to the call ------------------------------------------------------

    def interrupted(self, reason: str) -> None:
        """Someone else silenced the call: wait for the caller, goodbye or not."""
        if self._recital.saying is not None:
            self._recital.saying = None
            self._leaving = False
            self._wait()

    def must_end(self, reason: str) -> None:
        """Say goodbye at once."""
        if not self._leaving:
            self._leave()

    # -- what follows ------------------------------------------------------------------

    def _perform(self, action: Action) -> None:
        match action:
            case GoTo(name):
                self._visit = Visit(name, self._places[name])
                self._say_place()
            case Repeat():
                self._say_place()
            case HangUp():
                self._leave()
            case Transfer(number):
                self._leaving = True
                handed_over = self.call.transfer(number)
                handed_over.addErrback(self._transfer_failed)
                handed_over.addErrback(self._recital.failed)

    def _heard(self) -> None:
        """The place was heard to its end."""
        then = self._visit.place.then
        if then is not None:
            self._perform(then)
        else:
            self._wait()

    def _try_again(self, last_resort: Action) -> None:
        """Say the place again, or do what is left when that was done often enough."""
        self._visit.failures += 1
        if self._visit.failures > self._visit.place.repeats:
            self._perform(last_resort)
        else:
            self._say_place(sorry=True)

    def _leave(self) -> None:
        self._fall_silent("next")
        self._leaving = True
        last = self._goodbye()
        if last is not None:
            self.call.hang_up_after(last)
        else:
            self.call.hang_up()

    def _transfer_failed(self, failure: Failure) -> None:
        # Without an account there is no transfer either.
        failure.trap(CarrierApiError, CallStateError)
        self._log.warn("The transfer of {call_id} failed", call_id=self.call.call_id)
        self._leaving = False
        self._try_again(HangUp())

    # -- silence -----------------------------------------------------------------------

    def _wait(self, seconds: float | None = None) -> None:
        """Wait for the caller, so long; by default as long as the place says."""
        self._cancel_timer()
        if seconds is None:
            seconds = self._visit.place.timeout_seconds
        self._timer = self.call.call_later(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._try_again(self._visit.place.on_timeout)

    def _fall_silent(self, reason: str) -> None:
        """Say no more, and wait for nothing more."""
        self._recital.stop(reason)
        self._cancel_timer()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
