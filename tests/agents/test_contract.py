# -*- test-case-name: tests.agents.test_contract -*-
"""Every agent that comes with twistedvoice keeps the contract of agents."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.cascade.local import LocalTalk as LocalCascadeTalk
from tests.agents.cascade.talk import Talk as CascadeTalk
from tests.agents.gemini.talk import Talk as GeminiTalk
from tests.agents.openai.talk import Talk as OpenAiTalk
from twistedvoice.agents.agent import Agent
from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.echo import Echo
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.local import Local
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.prompt import Prompt
from twistedvoice.agents.registry import SHORT_NAMES, find_agent
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

from .contract import AgentContract
from .dialogues import house
from .menus import MENUS, prompt_folder

__all__ = [
    "CascadeTests",
    "EchoTests",
    "GeminiTests",
    "LocalCascadeTests",
    "LocalTests",
    "OpenAiTests",
    "PromptTests",
    "RegistryTests",
    "SamplePromptTests",
]


class EchoTests(AgentContract, SynchronousTestCase):
    """The echo."""

    agent_class = Echo

    def make_agent(self) -> Agent:
        return Echo()


class PromptTests(AgentContract, SynchronousTestCase):
    """Menus."""

    agent_class = Prompt

    def setUp(self) -> None:
        folder = prompt_folder(Path(self.mktemp()))
        self.factory: Any = Prompt.configure(tomllib.loads(MENUS), folder)

    def make_agent(self) -> Agent:
        made: Agent = self.factory()
        return made


class SamplePromptTests(PromptTests):
    """The menu that comes with it."""

    def setUp(self) -> None:
        self.factory = Prompt.configure({}, Path())


class LocalTests(AgentContract, SynchronousTestCase):
    """A spoken dialogue, whose engines say all at once."""

    agent_class = Local

    def make_agent(self) -> Agent:
        return house()[0]()


class RemoteContract(AgentContract):
    """A model elsewhere, which answers while the call goes on."""

    talk_class: ClassVar[type[OpenAiTalk | GeminiTalk | CascadeTalk]]

    def setUp(self) -> None:
        self.talk = self.talk_class()

    def make_agent(self) -> Agent:
        return self.talk.house()

    def started_call(self, sound: AudioFormat = MULAW_8K) -> FakeCall:
        clock = self.talk.clock
        call = FakeCall(self.make_agent(), format=sound, clock=clock)
        call.start()
        return call


class OpenAiTests(RemoteContract, SynchronousTestCase):
    """OpenAI's Realtime API."""

    agent_class, talk_class = OpenAi, OpenAiTalk


class GeminiTests(RemoteContract, SynchronousTestCase):
    """The Gemini Live API."""

    agent_class, talk_class = Gemini, GeminiTalk


class CascadeTests(RemoteContract, SynchronousTestCase):
    """Three services."""

    agent_class, talk_class = Cascade, CascadeTalk


class LocalCascadeTests(RemoteContract, SynchronousTestCase):
    """A model elsewhere, with ears and a mouth on this machine."""

    agent_class, talk_class = Cascade, LocalCascadeTalk


class RegistryTests(SynchronousTestCase):
    """The agents above are all there are."""

    def test_all(self) -> None:
        """Each agent with a short name is held to the contract here."""
        cases = [EchoTests, PromptTests, LocalTests]
        cases += [OpenAiTests, GeminiTests, CascadeTests]
        held = {case.agent_class for case in cases}
        self.assertEqual(held, {find_agent(name) for name in SHORT_NAMES})
