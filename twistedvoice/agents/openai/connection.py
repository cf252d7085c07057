# -*- test-case-name: tests.agents.openai.test_agent -*-
"""Keeps one call connected with the model, whatever becomes of sessions.

A session that is lost is replaced by one that is told what was said before, so many
times in a row; one that grows old by one that takes over while nobody speaks. Whoever
owns this is told what the model says, and when there is no hope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from twisted.logger import Logger

from ...errors import CallStateError
from ...events import Message
from ...interfaces import CallControl
from .events import Event
from .model import Model
from .session import Session

__all__ = ["Connection", "Owner"]

_log = Logger()

#: A session lasts an hour; the next one is there before.
_RENEW_SECONDS = 55 * 60.0
_RETRY_SECONDS = 0.5
_RENEW_AGAIN_SECONDS = 60.0
#: After so long a session was a good one, whatever becomes of it.
_PROVEN_SECONDS = 30.0


class Owner(Protocol):
    """Whose connection it is."""

    def model_told(self, event: Event) -> None:
        """The model said something."""

    def model_back(self) -> None:
        """There is a session again, which was told what was said before."""

    def model_gone(self) -> None:
        """The session is lost; another one may come."""

    def model_given_up(self) -> None:
        """No other session comes."""

    def said_before(self) -> Sequence[Message] | None:
        """:returns: what a new session is told first; None for the greeting."""

    def is_quiet(self) -> bool:
        """:returns: whether nobody speaks, nor is about to."""


class Connection:
    """The sessions of one call, one after the other."""

    def __init__(self, model: Model, call: CallControl, owner: Owner) -> None:
        """Begin with the session that waits for the call, or open one."""
        self._model = model
        self._call = call
        self._owner: Owner | None = owner
        #: Sessions lost since one was of use.
        self._losses = 0
        #: The one that takes over as soon as nobody speaks.
        self._next: Session | None = None
        self._session: Session | None = model.claim(call.call_id, call.format)

    def start(self) -> None:
        """Tell the owner what happened already, and what happens from now on."""
        if self._session is not None:
            self._session.attach(self)

    def send(self, message: Message) -> None:
        """Tell the model something; while there is no session it goes nowhere."""
        if self._session is not None:
            self._session.send(message)

    def hear(self, sound: bytes) -> None:
        """Pass the caller's sound on."""
        if self._session is not None:
            self._session.hear(sound)

    def bound(self) -> Callable[[Message], bool]:
        """:returns: sends to the session of now only; says whether it still is."""
        session = self._session

        def send(message: Message) -> bool:
            if session is None or session is not self._session:
                return False
            session.send(message)
            return True

        return send

    def works(self) -> None:
        """The model has answered: the session is of use."""
        self._losses = 0

    def lose(self, reason: str) -> None:
        """The session is of no use: try another one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
            self._lost(reason, hopeless=False)

    def close(self) -> None:
        """No session is needed any more; nobody is told."""
        for session in (self._session, self._next):
            if session is not None:
                session.close()
        self._session = self._next = None
        self._owner = None

    def take_over_if_quiet(self) -> None:
        """Let the next session take over, if there is one and this is the moment."""
        new, owner = self._next, self._owner
        if owner is None or new is None or new.state != "Ready":
            return
        if owner.is_quiet():
            old, self._session, self._next = self._session, new, None
            if old is not None:
                old.close()
            for message in owner.said_before() or ():
                new.send(message)

    # -- from sessions -----------------------------------------------------------------

    def session_ready(self, session: Session) -> None:
        self._contained(partial(self._ready, session))

    def session_told(self, session: Session, event: Event) -> None:
        if session is self._session and self._owner is not None:
            self._contained(partial(self._owner.model_told, event))

    def session_over(self, session: Session, reason: str, *, hopeless: bool) -> None:
        if session is self._next:
            self._next = None
            again = partial(self._renew, self._session)
            self._contained(partial(self._call.call_later, _RENEW_AGAIN_SECONDS, again))
        else:
            self._session = None
            self._contained(partial(self._lost, reason, hopeless=hopeless))

    # -- within ------------------------------------------------------------------------

    def _ready(self, session: Session) -> None:
        _log.info("the model of {call_id} is there", call_id=self._call.call_id)
        self._call.call_later(_RENEW_SECONDS, partial(self._renew, session))
        self._call.call_later(_PROVEN_SECONDS, partial(self._proven, session))
        if session is self._next:
            self.take_over_if_quiet()
        elif self._losses and self._owner is not None:
            self._owner.model_back()

    def _proven(self, session: Session) -> None:
        if session is self._session:
            self._losses = 0

    def _lost(self, reason: str, *, hopeless: bool) -> None:
        _log.warn(
            "the model of {call_id} is gone: {reason}",
            call_id=self._call.call_id,
            reason=reason,
        )
        self._losses += 1
        if self._owner is None:
            return
        self._owner.model_gone()
        if hopeless or self._losses > self._model.options.reconnects:
            self._owner.model_given_up()
        else:
            wait = _RETRY_SECONDS * (self._losses - 1)
            self._call.call_later(wait, self._reconnect)

    def _reconnect(self) -> None:
        if self._owner is not None:
            told = self._owner.said_before()
            self._session = self._model.open(self._call.format, told)
            self._session.attach(self)

    def _renew(self, session: Session | None) -> None:
        if session is not None and session is self._session and self._next is None:
            self._next = self._model.open(self._call.format, ())
            self._next.attach(self)

    def _contained(self, step: Callable[[], object]) -> None:
        try:
            step()
        except CallStateError:
            self.close()  # the call takes nothing new
