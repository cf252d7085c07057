# -*- test-case-name: tests.agents.test_section -*-
"""A table of settings is read key by key, and all problems are written down."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.section import Section, reading, suggestion
from twistedvoice.errors import ConfigError


class SectionTests(SynchronousTestCase):
    """Values that are right, wrong, missing and unknown."""

    def setUp(self) -> None:
        self.problems: list[str] = []

    def section(self, **table: object) -> Section:
        """:returns: a section of this table."""
        return Section(table, "menus.", self.problems)

    def test_right(self) -> None:
        """What stands there is given out as it is, without a problem."""
        section = self.section(
            text="a",
            texts=["b", "c"],
            number=1.5,
            whole=3,
            flag=False,
            section={"d": 1},
        )
        self.assertEqual(section.text("text"), "a")
        self.assertEqual(section.texts("texts"), ["b", "c"])
        self.assertEqual(section.texts("text"), ["a"])
        self.assertEqual(section.number("number", 1, least=0, most=2), 1.5)
        self.assertEqual(section.whole("whole", 1, least=0, most=3), 3)
        self.assertIs(section.flag("flag", default=True), False)
        self.assertEqual(section.section("section").names(), ["d"])
        section.finish()
        self.assertEqual(self.problems, [])

    def test_defaults(self) -> None:
        """What is not there has a default where that makes sense."""
        section = self.section()
        self.assertEqual(section.text("text", "a"), "a")
        self.assertEqual(section.texts("texts"), [])
        self.assertEqual(section.number("number", 1, least=0, most=2), 1)
        self.assertEqual(section.whole("whole", 1, least=0, most=3), 1)
        self.assertIs(section.flag("flag", default=True), True)
        self.assertEqual(section.section("section").names(), [])
        self.assertNotIn("text", section)
        self.assertEqual(self.problems, [])

    def test_missing(self) -> None:
        """What must be there is asked for, once."""
        section = self.section()
        section.text("text")
        section.whole("whole", None, least=1, most=9)
        self.assertEqual(
            self.problems,
            [
                "menus.text: is missing; give a string",
                "menus.whole: is missing; give a whole number from 1 to 9",
            ],
        )

    def test_wrong(self) -> None:
        """A value of the wrong kind, or too large, is told what is allowed."""
        wrong: dict[str, Callable[[Section], object]] = {
            "a string": lambda s: s.text("x"),
            "a string or a list of strings": lambda s: s.texts("x"),
            "a number from 0 to 9": lambda s: s.number("x", 1, least=0, most=9),
            "a whole number from 0 to 9": lambda s: s.whole("x", 1, least=0, most=9),
            "true or false": lambda s: s.flag("x", default=True),
            "a table": lambda s: s.section("x"),
        }
        for wanted, read in wrong.items():
            for value in (10, [3], 1j):
                self.problems.clear()
                read(self.section(x=value))
                self.assertEqual(self.problems, [f"menus.x: must be {wanted}"])

    def test_true_is_no_number(self) -> None:
        """A switch is not a number, though Python thinks so."""
        self.section(x=True).whole("x", 1, least=0, most=9)
        self.assertEqual(len(self.problems), 1)

    def test_unknown(self) -> None:
        """A key that nobody reads is unknown; a similar one is offered."""
        section = self.section(promt="a", zebra="b")
        section.texts("prompt")
        section.finish()
        self.assertEqual(
            self.problems,
            [
                "menus.promt: is not known; did you mean 'prompt'? allowed are prompt",
                "menus.zebra: is not known; allowed are prompt",
            ],
        )

    def test_deeper(self) -> None:
        """A problem further down is named by its whole path."""
        self.section(main={"keys": 1}).section("main").section("keys")
        self.assertEqual(self.problems, ["menus.main.keys: must be a table"])

    def test_suggestion(self) -> None:
        """Only what is alike is suggested."""
        self.assertEqual(suggestion("hors", ["hours"]), " did you mean 'hours'?")
        self.assertEqual(suggestion("x", ["hours"]), "")


class ReadingTests(SynchronousTestCase):
    """All settings of an agent, in one go."""

    def test_right(self) -> None:
        """What was read is what stands there."""
        with reading({"voice": "low"}) as section:
            voice = section.text("voice")
        self.assertEqual(voice, "low")

    def test_wrong(self) -> None:
        """One error names what is wrong, what is unknown, and what was raised."""

        def read() -> None:
            with reading({"speed": "fast", "sped": 1}) as section:
                section.number("speed", 1, least=0, most=2)
                raise ConfigError(["file: is empty"])

        problems = self.assertRaises(ConfigError, read).problems
        keys = [problem.partition(":")[0] for problem in problems]
        self.assertEqual(keys, ["speed", "sped", "file"])
