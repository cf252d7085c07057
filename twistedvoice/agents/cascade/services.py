# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""What all calls of one configured cascade share: the ways to its three services.

The two sockets of a call are opened here, for a call that is there or for one that is
about to come; the chat is asked over HTTP, answer by answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ...formats import AudioFormat
from ...sockets import SocketRequest
from ..model.house import House
from . import stt, tts
from .link import Link, Manners
from .llm import Chat
from .options import Options

if TYPE_CHECKING:
    from .agent import Cascade

__all__ = ["Links", "Services"]


@frozen(kw_only=True)
class Links:
    """The sockets of one call."""

    hearing: Link
    speaking: Link

    def close(self) -> None:
        """They are not needed any more."""
        self.hearing.close()
        self.speaking.close()


class Services(House[Links]):
    """Makes the agents of one cascade."""

    def __init__(self, agent: type[Cascade], options: Options) -> None:
        """:raises ConfigError: naming every prompt that cannot be used."""
        super().__init__(agent, options.conduct, ["deepgram", "llm", "cartesia"])
        self.options = options

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

    def open(self, form: AudioFormat) -> Links:
        """:returns: the sockets for a call in ``form``."""
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
        outside, reconnects = self.outside, self.conduct.reconnects
        return Link(outside.clock, outside.dial, request, manners, reconnects)
