# -*- test-case-name: tests.agents.test_registry -*-
"""Agents are found by name, and what is wrong with a name is said."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.echo import Echo
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.local import Local
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.prompt import Prompt
from twistedvoice.agents.registry import SHORT_NAMES, find_agent
from twistedvoice.errors import ConfigError


class Mine(Agent):
    """Someone's agent."""


class Unhurried(Agent):
    """Someone's agent that wants to wait at each frame."""

    async def audio_heard(  # type: ignore[override]
        self, payload: bytes, timestamp_ms: int
    ) -> None:
        """Wait for each frame."""


class FindAgentTests(SynchronousTestCase):
    """Names that lead to an agent, and names that do not."""

    def assertProblem(self, name: str, *said: str) -> None:
        """Check that ``name`` is refused in one sentence that says all of ``said``."""
        error = self.assertRaises(ConfigError, find_agent, name)
        [problem] = error.problems
        for words in said:
            self.assertIn(words, problem)

    def test_short_names(self) -> None:
        """The agents of the house have short names."""
        self.assertEqual(
            {name: find_agent(name) for name in SHORT_NAMES},
            {
                "cascade": Cascade,
                "echo": Echo,
                "gemini": Gemini,
                "local": Local,
                "openai": OpenAi,
                "prompt": Prompt,
            },
        )

    def test_dotted_path(self) -> None:
        """Any other class is named by where it is, with a colon or a dot."""
        self.assertIs(find_agent(f"{__name__}:Mine"), Mine)
        self.assertIs(find_agent(f"{__name__}.Mine"), Mine)

    def test_misspelt(self) -> None:
        """A name that is nearly right is told the right one."""
        self.assertProblem("ehco", "'ehco'", "did you mean 'echo'?", "prompt")

    def test_empty(self) -> None:
        """No name is no agent."""
        self.assertProblem("", "no agent is called ''")
        self.assertProblem("module:", "no agent is called")

    def test_no_module(self) -> None:
        """A module that is not there is named."""
        self.assertProblem("no.such.Thing", "cannot be imported", "'no'", "PYTHONPATH")

    def test_module_that_raises(self) -> None:
        """What a module raises while it is imported is said."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "broken_voice.py").write_text("1 / 0\n", "utf-8")
        self.patch(sys, "path", [str(folder), *sys.path])
        self.assertProblem("broken_voice:Voice", "ZeroDivisionError: division by zero")

    def test_no_class(self) -> None:
        """A class that is not in its module, or is no class, is no agent."""
        self.assertProblem(f"{__name__}:Yours", "has no class 'Yours'")
        self.assertProblem(f"{__name__}:__name__", "has no class '__name__'")

    def test_no_agent(self) -> None:
        """A class must be derived from Agent."""
        self.assertProblem("pathlib:Path", "derived from twistedvoice.agents")

    def test_async_audio_heard(self) -> None:
        """What is called for every frame must be a plain method."""
        self.assertProblem(
            f"{__name__}:Unhurried",
            "audio_heard is called fifty times a second",
            "plain method",
        )
