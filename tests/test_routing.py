"""Tests for :mod:`twistedvoice.routing`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.house import settings
from tests.web.dial_contract import Operator
from twistedvoice.agents.agent import Agent
from twistedvoice.agents.echo import Echo
from twistedvoice.agents.outside import Outside
from twistedvoice.doubles.chat import ChatDouble
from twistedvoice.doubles.http import MemoryHttp
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.errors import CarrierApiError, ConfigError
from twistedvoice.interfaces import AgentFactory, HttpRequest
from twistedvoice.routing import Routes

NUMBER, OTHER = "+15550001234", "+15550005678"
NOTED = "tests.test_routing:Noted"


class Noted(Agent):
    """Notes what it was made with."""

    made: ClassVar[list[tuple[dict[str, object], Path]]] = []

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Note it, and refuse what is bad."""
        cls.made.append((dict(settings), folder))
        if "bad" in settings:
            raise ConfigError(["bad: is bad", "bad: is very bad"])
        return cls


class Remote:
    """A factory that needs an account, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def __call__(self) -> Agent:
        return Agent()

    def missing(self, accounts: Mapping[str, str]) -> list[str]:
        """Need the key of the account."""
        return [] if "openai.api_key" in accounts else ["openai.api_key: is not set"]

    def connect(self, outside: Outside) -> None:
        self.told.append(outside)

    def expect(self, call_id: str) -> None:
        self.told.append(call_id)

    def close(self) -> None:
        self.told.append("close")


class Distant(Agent):
    """An agent that such a factory makes."""

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Ignore everything."""
        return Remote()


class Shop(Agent):
    """Has the methods of a workshop, but is an agent."""

    def open(self, surroundings: object) -> None:
        """Not to be called."""

    def close(self) -> None:
        """Not to be called."""


class RoutesTests(SynchronousTestCase):
    """What a call to a number gets."""

    def setUp(self) -> None:
        """A folder for the settings; nothing was made yet."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        Noted.made.clear()

    def routes(self, toml: str = "", **options: Any) -> Routes:
        """:returns: the routes of a file with ``toml``."""
        config = settings(toml, folder=self.folder, **options)
        return Routes(config, self.folder)

    def test_no_workshop(self) -> None:
        """The class of an agent is no workshop, whatever it can do."""
        self.assertEqual(self.routes(agent="tests.test_routing:Shop").workshops, [])

    def test_default(self) -> None:
        """A number without a table, or none at all, gets the usual agent."""
        routes = self.routes("[numbers.default]\nagent = 'echo'\n")
        for number in (NUMBER, ""):
            route = routes.find(number)
            self.assertEqual(route.agent_name, "echo")
            self.assertIsInstance(route.make_agent(), Echo)

    def test_agent_of_a_number(self) -> None:
        """A number has its own agent; all others keep the usual one."""
        routes = self.routes(f"[numbers.'{NUMBER}']\nagent = '{NOTED}'\n")
        self.assertIsInstance(routes.find(NUMBER).make_agent(), Noted)
        self.assertIsInstance(routes.find(OTHER).make_agent(), Echo)

    def test_named_agent(self) -> None:
        """A table of an agent is found by its name, and its settings are handed on."""
        toml = f"agent = 'desk'\n[agents.desk]\nuse = '{NOTED}'\nopen = '9-17'\n"
        self.routes(toml, agent=None)
        self.assertEqual(Noted.made, [({"open": "9-17"}, self.folder)])

    def test_details_of_a_number(self) -> None:
        """Greeting and transfer of a number win over those of its agent."""
        greeting = self.folder / "hello.wav"
        greeting.touch()
        toml = (
            f"[agents.desk]\nuse = '{NOTED}'\ngreeting = 'x.wav'\ntransfer = '+1555'\n"
            f"[numbers.'{NUMBER}']\nagent = 'desk'\n"
            f"greeting = '{os.path.relpath(greeting)}'\ntransfer = '{OTHER}'\n"
        )
        self.routes(toml)
        ((made, _),) = Noted.made
        self.assertEqual(made["transfer"], OTHER)
        self.assertEqual(made["greeting"], str(greeting.absolute()))

    def test_made_once(self) -> None:
        """Numbers that want the same share one factory: prompts are read once."""
        toml = f"[numbers.default]\nagent = '{NOTED}'\n[numbers.'{NUMBER}']\n"
        routes = self.routes(toml)
        self.assertEqual(len(Noted.made), 1)
        self.assertIs(routes.find(NUMBER).make_agent, routes.find("").make_agent)

    def test_recorded(self) -> None:
        """A call is recorded where there is a folder, a wish and consent."""
        toml = (
            f"[numbers.'{NUMBER}']\nrecording = false\n"
            f"[numbers.'{OTHER}']\nconsent = 'never'\n"
        )
        routes = self.routes(toml, recordings="somewhere")
        recorded = [routes.find(each).recorded for each in ("", NUMBER, OTHER)]
        self.assertEqual(recorded, [True, False, False])
        self.assertFalse(self.routes(recordings="").find("").recorded)

    def test_consent_key(self) -> None:
        """A call is recorded without a key unless its number asks for one."""
        toml = f"[numbers.'{NUMBER}']\nconsent = 'key'\n"
        routes = self.routes(toml, recordings="somewhere")
        keys = [routes.find(each).consent_key for each in ("", NUMBER)]
        self.assertEqual(keys, ["", "1"])
        self.assertTrue(routes.find(NUMBER).recorded)

    def test_remote(self) -> None:
        """An agent with a service elsewhere is told what it needs, others nothing."""
        key = self.folder / "key"
        key.write_text("sk-1")
        toml = f"[numbers.'{NUMBER}']\nagent = 'tests.test_routing:Distant'\n"
        routes = self.routes(toml, openai_api_key_file=str(key))
        remote: Any = routes.find(NUMBER).make_agent
        clock, dial = Clock(), MemoryNetwork(Clock(), Operator())
        fetch = MemoryHttp(clock, ChatDouble(clock)).fetch
        routes.connect(clock, dial, fetch)
        routes.expect(NUMBER, "CA1")
        routes.expect(OTHER, "CA2")
        routes.close()
        outside, *rest = remote.told
        told = (outside.clock, outside.dial, outside.fetch)
        self.assertEqual(told, (clock, dial, fetch))
        self.assertEqual(outside.accounts["openai.api_key"], "sk-1")
        self.assertEqual(rest, ["CA1", "close"])

    def test_without_http(self) -> None:
        """An agent under test that has no HTTP is told so when it asks for some."""
        clock = Clock()
        outside = Outside(
            clock=clock, dial=MemoryNetwork(clock, Operator()), accounts={}
        )
        request = HttpRequest(method="GET", url="https://x/")
        fetched = outside.fetch(request, lambda piece: succeed(None), 1)
        self.failureResultOf(fetched, CarrierApiError)

    def test_no_account(self) -> None:
        """An account that is needed and not there is found at the start."""
        toml = f"[numbers.'{NUMBER}']\nagent = 'tests.test_routing:Distant'\n"
        error = self.assertRaises(ConfigError, self.routes, toml)
        self.assertEqual(error.problems, ("openai.api_key: is not set",))
        error = self.assertRaises(ConfigError, self.routes, agent="openai")
        self.assertIn("TWISTEDVOICE_OPENAI__API_KEY", str(error))

    def test_spend_cap(self) -> None:
        """A call may cost what its number says."""
        routes = self.routes(f"[numbers.'{NUMBER}']\nspend_cap = 2.5\n")
        caps = [routes.find(each).spend_cap for each in ("", NUMBER)]
        self.assertEqual(caps, [None, 2.5])

    def test_problems(self) -> None:
        """What is wrong with any agent is told at once, with the agent's name."""
        toml = (
            f"[agents.desk]\nuse = '{NOTED}'\nbad = 1\n"
            f"[numbers.'{NUMBER}']\nagent = 'desk'\n"
            f"[numbers.'{OTHER}']\nagent = 'nobody'\n"
        )
        error = self.assertRaises(ConfigError, self.routes, toml)
        desk, very, nobody = error.problems
        self.assertEqual(desk, "agent desk: bad: is bad")
        self.assertEqual(very, "agent desk: bad: is very bad")
        self.assertIn("agent nobody: ", nobody)
