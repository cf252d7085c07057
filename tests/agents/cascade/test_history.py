# -*- test-case-name: tests.agents.cascade.test_history -*-
"""The conversation as the model is told of it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.history import FunctionCall, History

__all__ = ["HistoryTests"]


class HistoryTests(SynchronousTestCase):
    """What stands in it, and how."""

    def setUp(self) -> None:
        self.history = History()

    def said(self) -> list[tuple[str, str]]:
        """:returns: each message's side and words."""
        return [(m["role"], m["content"]) for m in self.history.messages()]

    def test_sides(self) -> None:
        """What one side said in a row is one message; what was not heard is none."""
        add = self.history.add
        add("user", "Hello.")
        add("user", "Are you there?")
        add("assistant", "Yes.").text = "Y"
        add("assistant", "I am.").text = ""
        add("assistant", "Here.")
        wanted = [("user", "Hello. Are you there?"), ("assistant", "Y Here.")]
        self.assertEqual(self.said(), wanted)

    def test_functions(self) -> None:
        """A call has its result, or that it is not there yet, right behind it."""
        self.history.add("user", "Order.")
        self.history.add("assistant", "One moment.")
        one = FunctionCall(id="c1", name="order", arguments="{}")
        two = FunctionCall(id="c2", name="look", arguments='{"a":1}')
        exchange = self.history.call([one, two])
        exchange.results["c2"] = "seen"
        self.history.add("assistant", "Done.")
        _, asked, first, second, last = self.history.messages()
        self.assertEqual(asked["content"], "One moment.")
        self.assertEqual(
            asked["tool_calls"][1],
            {
                "id": "c2",
                "type": "function",
                "function": {"name": "look", "arguments": '{"a":1}'},
            },
        )
        self.assertEqual(first["content"], '{"state": "still running"}')
        self.assertEqual((second["tool_call_id"], second["content"]), ("c2", "seen"))
        self.assertEqual(last, {"role": "assistant", "content": "Done."})

    def test_bounds(self) -> None:
        """The oldest is forgotten: by number and by size, functions with results."""
        for n in range(300):
            self.history.add("user" if n % 2 else "assistant", str(n))
        self.assertEqual((len(self.said()), self.said()[0][1]), (200, "100"))
        call = FunctionCall(id="c", name="f", arguments="x" * 30_000)
        exchange = self.history.call([call])
        exchange.results["c"] = "y" * 20_000
        self.history.add("user", "after")
        self.assertEqual(self.said(), [("user", "after")])
