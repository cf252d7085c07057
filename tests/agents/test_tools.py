"""Methods that a model may call."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.tools import Toolbox, tool, tools_of

__all__ = ["ToolTests", "ToolboxTests"]


class Clerk:
    """Has some."""

    def __init__(self) -> None:
        self.waiting: Deferred[str] = Deferred()

    @tool(
        "Order something.",
        {
            "what": {"type": "string", "enum": ["tea", "milk"]},
            "cups": {"type": "integer"},
        },
    )
    def order(self, what: str, cups: int = 1) -> object:
        """Take an order."""
        return {"what": what, "cups": cups}

    @tool("Wait.", timeout_seconds=3)
    def wait(self) -> Deferred[str]:
        """Take its time."""
        return self.waiting

    @tool("Wait, whatever happens.", timeout_seconds=3)
    async def insist(self) -> str:
        """Not give up."""
        with contextlib.suppress(Exception):
            await self.waiting
        self.waiting = Deferred()
        return await self.waiting

    @tool("Fail.", {"how": {"type": "string"}})
    async def fail(self, how: str) -> object:
        """Fail with the caller's words."""
        if how != "secret":
            return {1, 2} if how == "json" else {"grams": float(how)}
        raise ValueError(how)

    def own(self) -> None:
        """Not for the model."""


class ToolTests(SynchronousTestCase):
    """What a model is told of them."""

    def test_schema(self) -> None:
        """Arguments have the schema that was given; without a default, it must be."""
        by_name = {each.name: each for each in tools_of(Clerk)}
        self.assertEqual(set(by_name), {"order", "wait", "insist", "fail"})
        parameters = by_name["order"].parameters
        self.assertEqual(parameters["required"], ["what"])
        self.assertEqual(list(parameters["properties"]), ["what", "cups"])
        json.dumps(parameters)

    def test_without(self) -> None:
        """Some may be left out."""
        names = [
            each.name for each in tools_of(Clerk, without={"wait", "insist", "fail"})
        ]
        self.assertEqual(names, ["order"])

    def test_mistake(self) -> None:
        """Schemas and arguments that differ are an error of the author's, at once."""
        with self.assertRaises(TypeError):

            @tool("Odd.", {"what": {"type": "string"}})
            def odd(self: object, which: str) -> None:
                """Never used."""


class ToolboxTests(SynchronousTestCase):
    """What becomes of a call."""

    def setUp(self) -> None:
        self.clock, self.clerk = Clock(), Clerk()
        self.toolbox = Toolbox(self.clerk, tools_of(Clerk))

    def run_tool(self, name: str, arguments: object = "") -> str:
        """:returns: what the model reads."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return self.successResultOf(self.toolbox.run(self.clock.callLater, name, text))

    def test_result(self) -> None:
        """A result is JSON; a default is used where nothing was given."""
        told = self.run_tool("order", {"what": "tea"})
        self.assertEqual(json.loads(told), {"what": "tea", "cups": 1})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_mistakes_of_the_model(self) -> None:
        """What a model does wrong it is told, so that it can try again."""
        for name, arguments, wrong in (
            ("sing", {}, "no such function"),
            ("own", {}, "no such function"),
            ("order", "{", "not JSON"),
            ("order", "[" * 100_000, "not JSON"),
            ("order", "[]", "not an object"),
            ("order", "", "what is missing"),
            ("order", {"what": 3}, "what must be of type string"),
            ("order", {"what": "gin"}, "what must be one of"),
            ("order", {"what": "tea", "cups": True}, "cups must be of type integer"),
            ("order", {"what": "tea", "size": 1}, "size is not known"),
        ):
            self.assertIn(wrong, json.loads(self.run_tool(name, arguments))["error"])

    def test_too_slow(self) -> None:
        """A function has its time, and is cancelled then."""
        telling = self.toolbox.run(self.clock.callLater, "wait", "{}")
        self.clock.advance(2.9)
        self.assertNoResult(telling)
        self.clock.advance(0.2)
        told = json.loads(self.successResultOf(telling))
        self.assertEqual(told, {"error": "it took too long"})

    def test_stubborn(self) -> None:
        """One that does not let itself be cancelled is not waited for, either."""
        telling = self.toolbox.run(self.clock.callLater, "insist", "")
        self.clock.advance(3.1)
        told = json.loads(self.successResultOf(telling))
        self.assertEqual(told, {"error": "it took too long"})
        self.clerk.waiting.callback("late")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_later(self) -> None:
        """A function may take its time; text is told as it is."""
        telling = self.toolbox.run(self.clock.callLater, "wait", "")
        self.clerk.waiting.callback("tea time")
        self.assertEqual(self.successResultOf(telling), "tea time")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failure(self) -> None:
        """What a function raises is logged by type and place, without its words."""
        logged: list[LogEvent] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        for how in ("secret", "json", "nan"):
            told = json.loads(self.run_tool("fail", {"how": how}))
            self.assertEqual(told, {"error": "it failed"})
        text = "".join(f"{formatEvent(event)} {event}" for event in logged)
        self.assertIn("the function fail raised ValueError at ", text)
        self.assertNotIn("secret", text)

    def test_close(self) -> None:
        """At the end of a call nothing is waited for, and nothing called."""
        telling = self.toolbox.run(self.clock.callLater, "wait", "")
        self.toolbox.close()
        self.successResultOf(telling)
        self.assertIn("no such function", self.run_tool("order", {"what": "tea"}))
        self.assertEqual(self.clock.getDelayedCalls(), [])
