# -*- test-case-name: tests.agents.openai.test_agent -*-
"""Keeps one call connected with the model, whatever becomes of sessions.

A session that is lost is replaced, so many times in a row; one that grows old, while
nobody speaks. The next one goes on from the last where the API can, or else is told
what was said before. Whoever owns this is told what the model says, and when there is
no hope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from twisted.logger import Logger

from ...errors import CallStateError
from ...events import Message
from ...interfaces import CallControl
from .events import Event, GoingAway, Resumable
from .factory import Model
from .memory import Line
from .session import Session

__all__ = ["Connection", "Owner"]

_log = Logger()

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

    def said_before(self, *, resumes: bool) -> Sequence[Line] | None:
        """
        :param resumes: whether the session goes on from the last that could be resumed.
        :returns: what a new session is told first; None for the greeting.
        """

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
        #: Of the session to go on from; empty for none.
        self._handle = ""
        #: As soon as nobody speaks the session is closed, and another one goes on.
        self._moves = False
        #: The one that takes over as soon as nobody speaks.
        self._next: Session | None = None
        self._session: Session | None = model.claim(call.call_id, call.format)

    def start(self) -> None:
        """Tell the owner what happened already, and what happens from now on."""
        if self._session is not None:
            self._session.attach(self)

    def send(self, messages: Sequence[Message]) -> None:
        """Tell the model something; while there is no session it goes nowhere."""
        self.bound()(messages)

    def hear(self, sound: bytes) -> None:
        """Pass the caller's sound on."""
        if self._session is not None:
            self._session.hear(sound)

    def bound(self) -> Callable[[Sequence[Message]], bool]:
        """:returns: sends to the session of now only; says whether it still is."""
        session = self._session

        def send(messages: Sequence[Message]) -> bool:
            if session is None or session is not self._session:
                return False
            for message in messages:
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
        """Let the next session take over, if one is due and this is the moment."""
        new, owner = self._next, self._owner
        if owner is None or not owner.is_quiet():
            return
        if self._moves:
            if self._session is not None:
                # An API resumes no session that is still open elsewhere.
                self._session.close()
            self._open(owner)
        elif new is not None and new.state == "Ready":
            old, self._session, self._next = self._session, new, None
            if old is not None:
                old.close()
            said = owner.said_before(resumes=False)
            self.send(self._model.api.remember(said or ()))

    # -- from sessions -----------------------------------------------------------------

    def session_ready(self, session: Session) -> None:
        self._contained(partial(self._ready, session))

    def session_told(self, session: Session, event: Event) -> None:
        if session is not self._session or self._owner is None:
            return
        if isinstance(event, Resumable):
            self._handle = event.handle
        if isinstance(event, GoingAway):
            self._contained(partial(self._renew, session))
        else:
            self._contained(partial(self._owner.model_told, event))

    def session_over(self, session: Session, reason: str, *, hopeless: bool) -> None:
        if session is self._next:
            self._next = None
            again = partial(self._renew, self._session)
            self._contained(partial(self._call.call_later, _RENEW_AGAIN_SECONDS, again))
        else:
            self._session = None
            if not session.was_ready:
                self._handle = ""  # if that was it
            self._contained(partial(self._lost, reason, hopeless=hopeless))

    # -- within ------------------------------------------------------------------------

    def _ready(self, session: Session) -> None:
        _log.info("the model of {call_id} is there", call_id=self._call.call_id)
        self._call.call_later(
            self._model.api.renew_seconds, partial(self._renew, session)
        )
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
        self._moves = False
        if self._owner is None:
            return
        self._owner.model_gone()
        if hopeless or self._losses > self._model.conduct.reconnects:
            self._owner.model_given_up()
        else:
            wait = _RETRY_SECONDS * (self._losses - 1)
            self._call.call_later(wait, self._reconnect)

    def _reconnect(self) -> None:
        # The next one may have been there, and taken over.
        if self._owner is not None and self._session is None:
            self._open(self._owner)

    def _open(self, owner: Owner) -> None:
        self._moves = False
        told = owner.said_before(resumes=bool(self._handle))
        form = self._call.format
        self._session = self._model.open(form, told, handle=self._handle)
        self._session.attach(self)

    def _renew(self, session: Session | None) -> None:
        if session is None or session is not self._session:
            return
        if not self._model.api.remembers_later:
            self._moves = True
        elif self._next is None:
            self._next = self._model.open(self._call.format, ())
            self._next.attach(self)
        self.take_over_if_quiet()

    def _contained(self, step: Callable[[], object]) -> None:
        try:
            step()
        except CallStateError:
            self.close()  # the call takes nothing new
