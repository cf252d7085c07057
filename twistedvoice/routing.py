# -*- test-case-name: tests.test_routing -*-
"""From the number that was called to the agent that answers.

All agents of a configuration are made ready at once, since reading their prompts takes
time; a call then only looks its number up. Those that talk with services elsewhere get
what they need for it once the process is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeGuard

from twisted.internet.interfaces import IReactorTime

from .agents.outside import Outside, RemoteFactory
from .agents.registry import find_agent
from .agents.workshop import Workshop
from .calls.services import Route
from .config import Config, NumberConfig, normal_number
from .errors import ConfigError
from .interfaces import AgentFactory, HttpFetch
from .sockets import Dialer

__all__ = ["Routes"]


class Routes:
    """The routes of one configuration."""

    def __init__(self, config: Config, folder: Path) -> None:
        """
        Make every agent ready that a number names. Slow: call it in a thread, or
        before the reactor runs.

        :param folder: where relative paths in the settings of agents start.
        :raises ConfigError: with what is wrong with any of them.
        """
        problems: list[str] = []
        self._routes: dict[str, Route] = {}
        made: dict[object, AgentFactory] = {}
        for number, wanted in config.numbers.items():
            key = (wanted.agent, wanted.greeting, wanted.transfer)
            try:
                if key not in made:
                    made[key] = _factory(config, wanted, folder)
            except ConfigError as error:
                problems += [f"agent {wanted.agent}: {p}" for p in error.problems]
                continue
            self._routes[number] = Route(
                agent_name=wanted.agent,
                make_agent=made[key],
                recorded=bool(config.recordings) and wanted.may_record,
                consent_key=wanted.awaited_key,
                spend_cap=wanted.spend_cap,
            )
        self._accounts = config.accounts
        self._remote = [each for each in made.values() if _is_remote(each)]
        for factory in self._remote:
            problems += factory.missing(self._accounts)
        if problems:
            raise ConfigError(problems)
        #: What must be open while calls are routed here.
        self.workshops = [
            each
            for each in made.values()
            # The class of an agent may have methods of the same names.
            if isinstance(each, Workshop) and not isinstance(each, type)
        ]

    def connect(self, clock: IReactorTime, dial: Dialer, fetch: HttpFetch) -> None:
        """Let agents reach what they need; once, before the first call."""
        outside = Outside(clock=clock, dial=dial, fetch=fetch, accounts=self._accounts)
        for factory in self._remote:
            factory.connect(outside)

    def expect(self, number: str, call_id: str) -> None:
        """A call to ``number`` is about to come."""
        factory = self.find(number).make_agent
        if _is_remote(factory):
            factory.expect(call_id)

    def close(self) -> None:
        """No call comes here any more; those that did go on."""
        for factory in self._remote:
            factory.close()

    def find(self, number: str) -> Route:
        """:returns: what a call to ``number`` gets."""
        return self._routes.get(normal_number(number), self._routes["default"])


def _is_remote(factory: AgentFactory) -> TypeGuard[RemoteFactory]:
    return isinstance(factory, RemoteFactory)


def _factory(config: Config, wanted: NumberConfig, folder: Path) -> AgentFactory:
    agent = config.agent_named(wanted.agent)
    # What a number sets wins over what its agent's own section says. Its greeting, like
    # all paths outside that section, counts from the working directory.
    greeting = wanted.greeting and str(Path(wanted.greeting).absolute())
    own: Mapping[str, object] = {
        name: value
        for name, value in (
            ("greeting", greeting),
            ("transfer", wanted.transfer),
        )
        if value
    }
    return find_agent(agent.use).configure({**agent.settings, **own}, folder)
