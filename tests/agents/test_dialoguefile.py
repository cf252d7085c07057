# -*- test-case-name: tests.agents.test_dialoguefile -*-
"""Tests of dialogues in TOML, and of everything that can be wrong with them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.actions import GoTo, HangUp, Repeat, Transfer
from twistedvoice.agents.dialogue import Choices, Dialogue, Digits
from twistedvoice.agents.dialoguefile import SAMPLE_DIALOGUE, read_dialogue
from twistedvoice.errors import ConfigError

_GOOD = """
start = "main"
goodbye = "Bye."
transfer = "+15550100"
[intents]
help = ["help [me]"]
[choices.day]
Monday = "monday"
[anywhere]
help = "transfer"
[states.main]
say = "Hi."
on = { yes = "day", no = "hangup" }
[states.day]
say = "Which day?"
ask = "day"
then = "code"
[states.code]
say = "{day}. Code?"
ask = "code"
digits = 2
most_digits = 4
then = "repeat"
timeout_seconds = 9
repeats = 0
barge_in = false
"""


class DialogueFileTests(SynchronousTestCase):
    """One file."""

    def read(self, text: str, transfer: str = "") -> Dialogue:
        """:returns: the dialogue in ``text``."""
        path = Path(self.mktemp())
        path.write_text(text)
        self.name = path.name
        return read_dialogue(path, transfer)

    def problems(self, text: str) -> list[str]:
        """:returns: what is wrong with ``text``, without the name of its file."""
        error = self.assertRaises(ConfigError, self.read, text)
        return [each.removeprefix(f"{self.name}: ") for each in error.problems]

    def test_read(self) -> None:
        """Everything in the file is in the dialogue."""
        dialogue = self.read(_GOOD)
        main, day, code = (dialogue.states[each] for each in ("main", "day", "code"))
        self.assertEqual(main.on, {"yes": GoTo("day"), "no": HangUp()})
        choices = Choices(
            slot="day", phrases={"Monday": ("monday",)}, then=GoTo("code")
        )
        self.assertEqual(day.ask, choices)
        self.assertEqual(code.ask, Digits(slot="code", least=2, most=4, then=Repeat()))
        self.assertEqual((code.timeout_seconds, code.repeats), (9, 0))
        self.assertFalse(code.barge_in)
        self.assertEqual(dialogue.anywhere, {"help": Transfer("+15550100")})

    def test_transfer(self) -> None:
        """A number given beside the file wins over its own."""
        dialogue = self.read(_GOOD, "+15550111")
        self.assertEqual(dialogue.anywhere, {"help": Transfer("+15550111")})

    def test_sample(self) -> None:
        """The dialogue that ships can be used as it is."""
        self.assertIn("confirm", read_dialogue(SAMPLE_DIALOGUE).states)

    def test_all_problems(self) -> None:
        """Everything that is wrong is found in one go."""
        text = _GOOD.replace('help = ["help [me]"]', 'help = ["help (me"]')
        text = text.replace('"monday"', '"at 9"').replace("{day}", "{dya}")
        text = text.replace('yes = "day"', 'yse = "dya"').replace("digits = 2", "")
        problems = "\n".join(self.problems(text + "colour = 1\n"))
        for problem in (
            "intents.help: 'help (me' lacks a ')'",
            "choices.day.Monday: 'at 9' has a '9'",
            "states.main.on.yse: there is no such intent; did you mean 'yes'?",
            "states.main.on.yse: leads nowhere; did you mean 'day'?",
            "states.code.ask: needs digits, or a table choices.code;",
            "states.code.say: nothing asks for {dya}; did you mean 'day'?",
            "states.code.colour: is not known;",
        ):
            self.assertIn(problem, problems)

    def test_stuck(self) -> None:
        """A state after which nothing can follow is a mistake, and so is a lost one."""
        text = 'start = "a"\n[states.a]\nsay = "A."\n'
        self.assertIn("or the call is stuck", self.problems(text)[0])
        lost = text + 'then = "hangup"\n[states.b]\nsay = "B."\nthen = "a"\n'
        self.assertEqual(self.problems(lost), ["states.b: nothing leads to this state"])

    def test_unknown_words(self) -> None:
        """Words that cannot be recognised are named."""
        path = Path(self.mktemp())
        path.write_text(_GOOD)

        def unknown(words: Collection[str]) -> set[str]:
            return {"monday"} & set(words)

        error = self.assertRaises(ConfigError, read_dialogue, path, "", unknown)
        self.assertIn("does not know 'monday'", error.problems[0])

    def test_no_file(self) -> None:
        """A file that is not there is named."""
        error = self.assertRaises(ConfigError, read_dialogue, Path("none.toml"))
        self.assertIn("dialogue: cannot read none.toml", error.problems[0])
