"""A thousand interruptions of the model, near and far."""

from __future__ import annotations

from tests.agents.openai import test_interrupts

__all__ = ["ManyInterruptsTests"]


class ManyInterruptsTests(test_interrupts.InterruptTests):
    """The same as in the quick tests, for longer."""

    def test_near(self) -> None:
        """Without delay, to the millisecond."""
        self.assert_agree(0.0, 1000, 1.0)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 200, 1.0)
