# -*- test-case-name: tests.agents.cascade.test_local -*-
"""What all calls of one configured cascade share: the ways to hear, think and speak.

The sockets of a call are opened here, for a call that is there or for one that is about
to come; the chat is asked over HTTP, answer by answer. What hears or speaks on this
machine is a process that all calls share, and is there as long as any of them is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from ...formats import AudioFormat
from ...sockets import SocketRequest
from ...speech.engines import Scribes, Speaker
from ...speech.pool import EnginePool, start_all, stop_all
from ...speech.turns import TurnRules
from ..model.house import House
from ..workshop import Attendance, Surroundings
from . import stt, tts
from .link import Link, Manners
from .llm import Chat
from .localears import LocalEars
from .localmouth import LocalMouth
from .options import Options
from .senses import NewEars, NewMouth, Senses

if TYPE_CHECKING:
    from .agent import Cascade

__all__ = ["Services"]


class Services(House[Senses]):
    """Makes the agents of one cascade; a :class:`~..workshop.Workshop`."""

    def __init__(self, agent: type[Cascade], options: Options) -> None:
        """:raises ConfigError: naming every prompt that cannot be used."""
        needed = (options.hearing, "llm", options.speaking)
        accounts = [name for name in ("deepgram", "llm", "cartesia") if name in needed]
        super().__init__(agent, options.conduct, accounts)
        self.options = options
        self.attendance = Attendance()
        #: The engines of this machine, where they are used.
        self.scribes: Scribes | None = None
        self.speaker: Speaker | None = None

    def open_workshop(self, surroundings: Surroundings) -> Deferred[None]:
        """
        Start the engines.

        :returns: fires when all are warm; fails with :class:`EngineError`.
        """
        options, reactor = self.options, surroundings.reactor
        if options.hearing == "whisper":
            self.scribes = Scribes(
                reactor,
                str(options.whisper_model.absolute()),
                options.language.partition("-")[0],
                options.whisper_processes,
            )
        if options.speaking == "local":
            self.speaker = Speaker(reactor)
        return start_all(self._engines())

    def close_workshop(self) -> Deferred[None]:
        """:returns: fires when the last call has ended and all engines are gone."""
        over = self.attendance.over()
        return over.addCallback(lambda _: stop_all(self._engines()))

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

    def open(self, form: AudioFormat) -> Senses:
        """:returns: the senses of a call in ``form``."""
        links: list[Link] = []
        return Senses(
            new_ears=self._new_ears(form, links),
            new_mouth=self._new_mouth(form, links),
            links=links,
        )

    # -- within ------------------------------------------------------------------------

    def _engines(self) -> list[EnginePool]:
        return [each for each in (self.scribes, self.speaker) if each is not None]

    def _new_ears(self, form: AudioFormat, links: list[Link]) -> NewEars:
        accounts, options = self.outside.accounts, self.options
        if self.scribes is not None:
            rules = TurnRules(
                confirm_ms=options.confirm_ms, hangover_ms=options.silence_ms
            )
            return partial(LocalEars, self.scribes, form, rules)
        request = stt.listen(
            accounts["deepgram.url"],
            accounts["deepgram.api_key"],
            form,
            model=options.listening_model,
            language=options.language,
            silence_ms=options.silence_ms,
        )
        links.append(self._link(request, stt.MANNERS))
        return partial(stt.DeepgramEars, links[-1])

    def _new_mouth(self, form: AudioFormat, links: list[Link]) -> NewMouth:
        if self.speaker is not None:
            return partial(LocalMouth, self.speaker, form)
        accounts = self.outside.accounts
        request = tts.dial(accounts["cartesia.url"], accounts["cartesia.api_key"])
        links.append(self._link(request, tts.MANNERS))
        return partial(tts.CartesiaMouth, links[-1], self.options.voice, form)

    def _link(self, request: SocketRequest, manners: Manners) -> Link:
        outside, reconnects = self.outside, self.conduct.reconnects
        return Link(outside.clock, outside.dial, request, manners, reconnects)
