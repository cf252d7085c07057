"""A thousand interruptions of each agent, near and far: what was heard is known."""

from __future__ import annotations

from tests.agents import test_interrupts as local
from tests.agents.cascade import test_interrupts as cascade
from tests.agents.gemini import test_interrupts as gemini
from tests.agents.openai import test_interrupts as openai

__all__ = ["CascadeTests", "GeminiTests", "LocalTests", "OpenAiTests"]


class OpenAiTests(openai.InterruptTests):
    """The same as in the quick tests, for longer."""

    def test_near(self) -> None:
        """Without delay, to the millisecond."""
        self.assert_agree(0.0, 1000, 1.0)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 200, 1.0)


class GeminiTests(gemini.InterruptTests):
    """What the next session would be told."""

    def test_near(self) -> None:
        """Without delay."""
        self.assert_agree(0.0, 1000)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 200)


class CascadeTests(cascade.InterruptTests):
    """What the model is told."""

    def test_near(self) -> None:
        """Without delay, to the word."""
        self.assert_agree(0.0, 1000)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 200)


class LocalTests(local.InterruptTests):
    """Where the agent goes on after a noise."""

    def test_near(self) -> None:
        """Without delay, to the frame."""
        self.assert_agree(0.0, 1000)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 200)
