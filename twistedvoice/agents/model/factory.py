# -*- test-case-name: tests.agents.openai.test_agent tests.agents.model.test_warm -*-
"""What all calls of one configured agent share: options, prompts, the way to its API.

It is the agent's factory. Sessions are opened here, for a call that is there or for one
that is about to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...formats import MULAW_8K, AudioFormat
from ...interfaces import Agent
from ..outside import Outside
from ..sounds import Sounds
from ..tools import Tool
from .api import Api, Setup
from .conduct import Conduct
from .memory import Line
from .session import Session
from .warm import WarmSessions

__all__ = ["Model"]


class Model:
    """Implements :class:`twistedvoice.agents.outside.RemoteFactory`."""

    def __init__(
        self,
        new_agent: Callable[[Model], Agent],
        api: Api,
        conduct: Conduct,
        sounds: Sounds,
        tools: Sequence[Tool],
    ) -> None:
        self.api = api
        self.conduct = conduct
        self.tools = tools
        self._key, self._url = f"{api.name}.api_key", f"{api.name}.url"
        self._new_agent = new_agent
        self._sounds = sounds
        self._outside: Outside | None = None
        self._warm: WarmSessions[Session] | None = None

    def __call__(self) -> Agent:
        return self._new_agent(self)

    def missing(self, accounts: Mapping[str, str]) -> list[str]:
        key = self._key
        variable = f"TWISTEDVOICE_{self.api.name.upper()}__API_KEY"
        wanted = f"{key}: is not set; give {key}_file or {variable}"
        return [] if key in accounts else [wanted]

    def connect(self, outside: Outside) -> None:
        self._outside = outside
        self._warm = WarmSessions(outside.clock, lambda: self.open(MULAW_8K))

    def expect(self, call_id: str) -> None:
        if self._warm is not None and self.conduct.prewarm:
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
        usual = self.api.sound_format(MULAW_8K)
        if warm is not None and self.api.sound_format(form) == usual:
            return warm
        if warm is not None:
            warm.close()
        return self.open(form)

    def open(
        self,
        form: AudioFormat,
        said: Sequence[Line] | None = None,
        *,
        handle: str = "",
    ) -> Session:
        """
        Open a session.

        :param form: what the call is carried in.
        :param said: what it is told first; by default it is to greet the caller, or
            told of the greeting.
        :param handle: of the session that it goes on from, if any.
        """
        outside, api = self.outside, self.api
        accounts = outside.accounts
        before = self._greeting() if said is None else said
        greets = said is None and self.conduct.greeting is None
        setup = Setup(
            request=api.request(accounts[self._url], accounts[self._key]),
            wish=api.setup(form, self.tools, before, handle),
            first=api.greet() if greets else api.remember(before),
            resumes=bool(handle),
        )
        return Session(outside.clock, outside.dial, api, setup)

    def sound(self, path: Path, form: AudioFormat) -> bytes:
        """:returns: one of the prompts."""
        return self._sounds.encoded_as(form)[path]

    def _greeting(self) -> Sequence[Line]:
        text = self.conduct.greeting_text
        said = self.conduct.greeting is not None and text
        return [Line(who="agent", text=text, at_ms=0)] if said else []
