# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""What all calls of one configured cascade share, and the ways to its three services.

It is the agent's factory. The two sockets of a call are opened here, for a call that is
there or for one that is about to come; the chat is asked over HTTP, answer by answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from ...formats import MULAW_8K, AudioFormat
from ...interfaces import Agent
from ...sockets import SocketRequest
from ..model.warm import WarmSessions
from ..outside import Outside
from ..sounds import Sounds
from ..tools import Tool
from . import stt, tts
from .link import Link, Manners
from .llm import Chat
from .options import Options

__all__ = ["Links", "Services"]

_NAMES = ("deepgram", "llm", "cartesia")


@frozen(kw_only=True)
class Links:
    """The sockets of one call."""

    hearing: Link
    speaking: Link

    def close(self) -> None:
        """They are not needed any more."""
        self.hearing.close()
        self.speaking.close()


class Services:
    """Implements :class:`twistedvoice.agents.outside.RemoteFactory`."""

    def __init__(
        self,
        new_agent: Callable[[Services], Agent],
        options: Options,
        sounds: Sounds,
        tools: Sequence[Tool],
    ) -> None:
        self.options = options
        self.tools = tools
        self._new_agent = new_agent
        self._sounds = sounds
        self._outside: Outside | None = None
        self._warm: WarmSessions[Links] | None = None

    def __call__(self) -> Agent:
        return self._new_agent(self)

    def missing(self, accounts: Mapping[str, str]) -> list[str]:
        return [
            f"{name}.api_key: is not set; give {name}.api_key_file or"
            f" TWISTEDVOICE_{name.upper()}__API_KEY"
            for name in _NAMES
            if f"{name}.api_key" not in accounts
        ]

    def connect(self, outside: Outside) -> None:
        self._outside = outside
        self._warm = WarmSessions(outside.clock, lambda: self._open(MULAW_8K))

    def expect(self, call_id: str) -> None:
        if self._warm is not None and self.options.conduct.prewarm:
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

    def claim(self, call_id: str, form: AudioFormat) -> Links:
        """:returns: the sockets that wait for a call, or new ones."""
        warm = None if self._warm is None else self._warm.claim(call_id)
        if warm is not None and form == MULAW_8K:
            return warm
        if warm is not None:
            warm.close()
        return self._open(form)

    def chat(self) -> Chat:
        """:returns: the way to the model."""
        outside = self.outside
        return Chat(
            fetch=outside.fetch,
            url=outside.accounts["llm.url"],
            key=outside.accounts["llm.api_key"],
            model=self.options.model,
            tools=self.tools,
        )

    def sound(self, path: Path, form: AudioFormat) -> bytes:
        """:returns: one of the prompts."""
        return self._sounds.encoded_as(form)[path]

    def _open(self, form: AudioFormat) -> Links:
        accounts, options = self.outside.accounts, self.options
        hearing = stt.listen(
            accounts["deepgram.url"],
            accounts["deepgram.api_key"],
            form,
            model=options.listening_model,
            language=options.language,
            silence_ms=options.silence_ms,
        )
        speaking = tts.dial(accounts["cartesia.url"], accounts["cartesia.api_key"])
        return Links(
            hearing=self._link(hearing, stt.MANNERS),
            speaking=self._link(speaking, tts.MANNERS),
        )

    def _link(self, request: SocketRequest, manners: Manners) -> Link:
        outside, reconnects = self.outside, self.options.conduct.reconnects
        return Link(outside.clock, outside.dial, request, manners, reconnects)
