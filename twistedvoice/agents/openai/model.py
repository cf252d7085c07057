# -*- test-case-name: tests.agents.openai.test_agent -*-
"""What all calls of one configured agent share: options, prompts, the way to the API.

It is the agent's factory. Sessions are opened here, for a call that is there or for one
that is about to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from ...events import Message
from ...formats import MULAW_8K, AudioFormat
from ...interfaces import Agent
from ...sockets import SocketRequest
from ..outside import Outside
from ..sounds import Sounds
from ..tools import Tool
from .messages import create_response, remember, update_session
from .options import Options
from .session import Session
from .sound import api_format
from .warm import WarmSessions

__all__ = ["KEY", "URL", "Model"]

#: The account, among those of :class:`~..outside.Outside`.
KEY, URL = "openai.api_key", "openai.url"


class Model:
    """Implements :class:`twistedvoice.agents.outside.RemoteFactory`."""

    def __init__(
        self,
        new_agent: Callable[[Model], Agent],
        options: Options,
        sounds: Sounds,
        tools: Sequence[Tool],
    ) -> None:
        self.options = options
        self.tools = tools
        self._new_agent = new_agent
        self._sounds = sounds
        self._outside: Outside | None = None
        self._warm: WarmSessions | None = None

    def __call__(self) -> Agent:
        return self._new_agent(self)

    def missing(self, accounts: Mapping[str, str]) -> list[str]:
        wanted = f"{KEY}: is not set; give {KEY}_file or TWISTEDVOICE_OPENAI__API_KEY"
        return [] if KEY in accounts else [wanted]

    def connect(self, outside: Outside) -> None:
        self._outside = outside
        self._warm = WarmSessions(outside.clock, lambda: self.open(MULAW_8K))

    def expect(self, call_id: str) -> None:
        if self._warm is not None and self.options.prewarm:
            self._warm.expect(call_id)

    def close(self) -> None:
        if self._warm is not None:
            self._warm.close()

    # -- for the agent of a call -------------------------------------------------------

    @property
    def outside(self) -> Outside:
        """What the process lends; there once it is up."""
        assert self._outside is not None, "connect() comes first"
        return self._outside

    def claim(self, call_id: str, form: AudioFormat) -> Session:
        """:returns: the session that waits for a call, or a new one."""
        warm = None if self._warm is None else self._warm.claim(call_id)
        if warm is not None and form == MULAW_8K:
            return warm
        if warm is not None:
            warm.close()
        return self.open(form)

    def open(self, form: AudioFormat, said: Sequence[Message] | None = None) -> Session:
        """
        Open a session.

        :param form: what the call is carried in.
        :param said: what it is told first; by default to greet the caller.
        """
        outside, options = self.outside, self.options
        query = urlencode({"model": options.model})
        request = SocketRequest(
            url=f"{outside.accounts[URL]}?{query}",
            headers={"Authorization": f"Bearer {outside.accounts[KEY]}"},
        )
        setup = update_session(options.session(api_format(form), self.tools))
        first = self._greeting() if said is None else said
        return Session(outside.clock, outside.dial, request, setup, first)

    def sound(self, path: Path, form: AudioFormat) -> bytes:
        """:returns: one of the prompts."""
        return self._sounds.encoded_as(form)[path]

    def _greeting(self) -> list[Message]:
        options = self.options
        if options.greeting is None:
            # Instructions of a response stand in place of the session's.
            return [create_response(f"{options.instructions}\n\n{options.opening}")]
        text = options.greeting_text
        return [remember(caller=False, text=text)] if text else []
