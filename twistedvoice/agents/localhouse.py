# -*- test-case-name: tests.agents.test_localhouse -*-
"""What all calls of one local agent share: its dialogue, its engines, its sound.

It is the factory of the agents. The service opens it before calls come, and closes it
after the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.internet.defer import Deferred, succeed

from ..errors import EngineError
from ..speech.bargein import BargeInRules
from ..speech.engines import Engines, require_engines
from ..speech.hearing import unknown_words
from ..speech.turns import TurnRules
from .actions import phone_number
from .dialogue import Dialogue
from .dialoguefile import SAMPLE_DIALOGUE, read_dialogue
from .local import Local
from .section import reading
from .voicing import Voicing
from .workshop import Attendance, Surroundings

__all__ = ["LocalHouse", "open_house"]

_DEFAULT_EARS = 2


class LocalHouse:
    """Makes the agents of one dialogue; a :class:`~.workshop.Workshop`."""

    engines: Engines
    voicing: Voicing

    def __init__(
        self,
        dialogue: Dialogue,
        *,
        agent: type[Local] = Local,
        ears: int = _DEFAULT_EARS,
        turns: TurnRules | None = None,
        barge_in: BargeInRules | None = None,
    ) -> None:
        """:param ears: how many processes hear."""
        self.dialogue = dialogue
        self.grammars = dialogue.grammars()
        self.turns = turns or TurnRules()
        self.barge_in = barge_in or BargeInRules()
        self._agent = agent
        self._ears = ears
        self._is_open = False
        self.attendance = Attendance()

    def __call__(self) -> Local:
        """:returns: the agent of one call."""
        return self._agent(self)

    def open_workshop(self, surroundings: Surroundings) -> Deferred[None]:
        """
        Start the engines and make all sentences ready.

        :returns: fires when calls may come; fails with :class:`EngineError`.
        """
        grammars = {name: each.jsgf() for name, each in self.grammars.items()}
        self.engines = Engines(surroundings.reactor, grammars, self._ears)
        self.voicing = Voicing(self.engines)
        self._is_open = True
        return Deferred.fromCoroutine(self._open(surroundings))

    async def _open(self, surroundings: Surroundings) -> None:
        try:
            await self.engines.start()
            await self.voicing.prepare(
                self.dialogue.texts(),
                surroundings.cache,
                surroundings.defer_to_thread,
            )
        except EngineError:
            await self.engines.stop()
            raise

    def close_workshop(self) -> Deferred[None]:
        """:returns: fires when the last call has ended and all engines are gone."""
        if not self._is_open:
            return succeed(None)
        return self.attendance.over().addCallback(lambda _: self.engines.stop())


def open_house(
    agent: type[Local], settings: Mapping[str, object], folder: Path
) -> LocalHouse:
    """
    Read what makes the agents of one section of the configuration.

    :param folder: where relative paths in ``settings`` start.
    :raises ConfigError: naming everything that is wrong.
    """
    require_engines()
    with reading(settings) as section:
        transfer = phone_number(section, "transfer")
        path = folder / section.text("dialogue", str(SAMPLE_DIALOGUE))
        ears = section.whole("ears", _DEFAULT_EARS, least=1, most=32)
        turns = TurnRules(
            confirm_ms=section.whole("confirm_ms", 120, least=80, most=1000),
            hangover_ms=section.whole("hangover_ms", 180, least=100, most=2000),
        )
        barge_in = BargeInRules(
            fade_ms=section.whole("fade_ms", 20, least=0, most=60),
            false_ms=section.whole("false_ms", 800, least=0, most=5000),
            ignore_ms=section.whole("ignore_ms", 0, least=0, most=5000),
        )
        dialogue = read_dialogue(path, transfer, unknown_words)
    return LocalHouse(dialogue, agent=agent, ears=ears, turns=turns, barge_in=barge_in)
