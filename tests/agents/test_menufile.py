# -*- test-case-name: tests.agents.test_menufile -*-
"""Menus are read from TOML, and everything that is wrong with them is said at once."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.menus import prompt_folder, tree_of
from twistedvoice.agents.actions import GoTo, HangUp, Repeat, Transfer
from twistedvoice.agents.menu import Gather
from twistedvoice.agents.menufile import SAMPLE_MENU, read_menus
from twistedvoice.errors import ConfigError

COMPLETE = """
start = "main"
greeting = "welcome.wav"
sorry = "sorry.wav"
goodbye = ["thanks.wav", "bye.wav"]
transfer = "+15550100"

[menus.main]
prompt = "main.wav"
timeout_seconds = 7.5
repeats = 1
on_timeout = "transfer"
on_invalid = "hours"
barge_in = false

[menus.main.keys]
1 = "hours"
2 = "code"
8 = "transfer:+15550199"
9 = "hangup"
"*" = "repeat"

[menus.hours]
prompt = ["hours.wav", "thanks.wav"]
then = "main"

[menus.code]
prompt = "code.wav"

[menus.code.gather]
digits = 4
terminator = "*"
timeout_seconds = 3
then = "hours"
"""

SMALLEST = """
start = "main"
[menus.main]
prompt = "main.wav"
then = "hangup"
"""


class ReadingTests(SynchronousTestCase):
    """What the settings say is what the menus are."""

    def setUp(self) -> None:
        self.folder = prompt_folder(Path(self.mktemp()))

    def paths(self, *names: str) -> tuple[Path, ...]:
        """:returns: the paths of these prompts."""
        return tuple(self.folder / f"{name}.wav" for name in names)

    def test_complete(self) -> None:
        """Every key means what its name says."""
        tree = tree_of(COMPLETE, self.folder)
        self.assertEqual(tree.start, "main")
        self.assertEqual(tree.greeting, self.paths("welcome"))
        self.assertEqual(tree.sorry, self.paths("sorry"))
        self.assertEqual(tree.goodbye, self.paths("thanks", "bye"))
        self.assertEqual(list(tree.menus), ["main", "hours", "code"])
        main = tree.menus["main"]
        self.assertEqual(
            main.keys,
            {
                "1": GoTo("hours"),
                "2": GoTo("code"),
                "8": Transfer("+15550199"),
                "9": HangUp(),
                "*": Repeat(),
            },
        )
        self.assertEqual((main.timeout_seconds, main.repeats), (7.5, 1))
        self.assertEqual(main.on_timeout, Transfer("+15550100"))
        self.assertEqual(main.on_invalid, GoTo("hours"))
        self.assertFalse(main.barge_in)
        self.assertEqual(tree.menus["hours"].prompt, self.paths("hours", "thanks"))
        self.assertEqual(tree.menus["hours"].then, GoTo("main"))
        self.assertEqual(
            tree.menus["code"].gather,
            Gather(digits=4, terminator="*", timeout_seconds=3, then=GoTo("hours")),
        )

    def test_defaults(self) -> None:
        """A menu needs no more than a prompt and what follows."""
        tree = tree_of(SMALLEST, self.folder)
        main = tree.menus["main"]
        self.assertEqual((tree.greeting, tree.sorry, tree.goodbye), ((), (), ()))
        self.assertEqual((main.timeout_seconds, main.repeats), (5, 2))
        self.assertEqual((main.on_timeout, main.on_invalid), (HangUp(), HangUp()))
        self.assertTrue(main.barge_in)

    def test_file(self) -> None:
        """The menus of a file name prompts beside it; settings beside it win."""
        inner = prompt_folder(self.folder / "inner")
        (inner / "menu.toml").write_text(COMPLETE, "utf-8")
        tree = read_menus(
            {
                "menu": "inner/menu.toml",
                "greeting": "own.wav",
                "transfer": "+15550177",
            },
            self.folder,
        )
        self.assertEqual(tree.greeting, self.paths("own"))
        self.assertEqual(tree.sorry, (inner / "sorry.wav",))
        self.assertEqual(tree.menus["main"].on_timeout, Transfer("+15550177"))
        self.assertEqual(tree.menus["main"].keys["8"], Transfer("+15550199"))

    def test_sample(self) -> None:
        """Without settings the sample menu is read, and a greeting may replace its."""
        tree = read_menus({}, self.folder)
        self.assertEqual(tree.greeting, (SAMPLE_MENU.with_name("welcome.wav"),))
        own = read_menus({"greeting": "own.wav"}, self.folder)
        self.assertEqual(own.greeting, self.paths("own"))
        self.assertEqual(own.menus, tree.menus)


class ProblemTests(SynchronousTestCase):
    """What is wrong is said with its key, and all of it at once."""

    def setUp(self) -> None:
        self.folder = prompt_folder(Path(self.mktemp()))

    def problems(self, toml: str) -> list[str]:
        """:returns: what is wrong with these settings."""
        error = self.assertRaises(ConfigError, tree_of, toml, self.folder)
        return list(error.problems)

    def assertProblem(self, toml: str, key: str, *said: str) -> None:
        """Check that there is one problem, of this key, which says all of ``said``."""
        [problem] = self.problems(toml)
        self.assertEqual(problem.partition(": ")[0], key)
        for words in said:
            self.assertIn(words, problem)

    def assertMenuProblem(self, line: str, key: str, *said: str) -> None:
        """The same for one more line in a menu that is right."""
        self.assertProblem(f"{SMALLEST}{line}\n", f"menus.main.{key}", *said)

    def test_all_at_once(self) -> None:
        """Ten mistakes are ten problems."""
        problems = self.problems(
            """
            strat = "main"
            start = "man"
            sorry = "sory.wav"
            transfer = "911"
            [menus.main]
            repeats = -1
            keys = { x = "hangup", 1 = "hors", 2 = 7 }
            [menus.hours]
            prompt = "hours.wav"
            [menus.code]
            prompt = "code.wav"
            gather = { digits = 0, terminator = "x", then = "repeat", than = 1 }
            then = "main"
            """
        )
        keys = [problem.partition(": ")[0] for problem in problems]
        self.assertEqual(
            sorted(keys),
            sorted(
                [
                    "strat",
                    "start",
                    "sorry",
                    "transfer",
                    "menus.main.repeats",
                    "menus.main.prompt",
                    "menus.main.keys.x",
                    "menus.main.keys.1",
                    "menus.main.keys.2",
                    "menus.hours.keys",
                    "menus.code.gather",
                    "menus.code.gather.digits",
                    "menus.code.gather.terminator",
                    "menus.code.gather.than",
                ]
            ),
        )

    def test_did_you_mean(self) -> None:
        """A name that is nearly right is told the right one."""
        self.assertProblem(f"strat = 'x'\n{SMALLEST}", "strat", "mean 'start'?")
        self.assertMenuProblem("on_timeout = 'mian'", "on_timeout", "mean 'main'?")
        self.assertMenuProblem("on_timeout = 'hang up'", "on_timeout", "'hangup'?")
        toml = SMALLEST.replace("main.wav", "mian.wav")
        self.assertProblem(toml, "menus.main.prompt", "mean 'main.wav'?")
        toml = SMALLEST.replace('start = "main"', 'start = "mian"')
        self.assertProblem(toml, "start", "mean 'main'?")

    def test_nowhere(self) -> None:
        """A menu that nothing leads to is a mistake or forgotten."""
        toml = f'{SMALLEST}[menus.lost]\nprompt = "hours.wav"\nthen = "main"\n'
        self.assertProblem(toml, "menus.lost", "nothing leads to this menu")

    def test_stuck(self) -> None:
        """A menu after which nothing can happen is refused."""
        toml = SMALLEST.replace('then = "hangup"', "")
        self.assertProblem(toml, "menus.main.keys", "stuck")

    def test_gather_excludes(self) -> None:
        """Digits are either collected or choose; not both."""
        gather = "gather = { digits = 4, then = 'hangup' }"
        self.assertMenuProblem(gather, "gather", "excludes keys and then")

    def test_endless(self) -> None:
        """The last resort must not be to do the same again."""
        self.assertMenuProblem("on_invalid = 'repeat'", "on_invalid", "never end")

    def test_no_prompt(self) -> None:
        """A menu that says nothing is refused, whether it was forgotten or empty."""
        for prompt in ("", "prompt = []", "prompt = 7"):
            toml = SMALLEST.replace('prompt = "main.wav"', prompt)
            self.assertProblem(toml, "menus.main.prompt", "a list of strings")

    def test_numbers_are_not_shown(self) -> None:
        """A number that cannot be used is not written into the problem."""
        for action in ("transfer:555123", "transfer555123"):
            [problem] = self.problems(f"{SMALLEST}on_timeout = '{action}'\n")
            self.assertNotIn("555123", problem)

    def test_transfer_without_number(self) -> None:
        """Transferring needs a number, from anywhere."""
        self.assertMenuProblem("on_timeout = 'transfer'", "on_timeout", "a number")

    def test_name_of_an_action(self) -> None:
        """A menu cannot be called like an action."""
        for name in ("hangup", "repeat", "transfer"):
            toml = SMALLEST.replace('"main"', f'"{name}"').replace(
                ".main]", f".{name}]"
            )
            self.assertProblem(toml, f"menus.{name}", "another name")

    def test_file_and_tables(self) -> None:
        """Menus are in a file or in the settings; not in both."""
        (self.folder / "menu.toml").write_text(SMALLEST, "utf-8")
        toml = f'menu = "menu.toml"\n{SMALLEST}'
        keys = [problem.partition(": ")[0] for problem in self.problems(toml)]
        self.assertEqual(keys, ["start", "menus"])

    def test_problem_in_a_file(self) -> None:
        """A problem in a file is told with the name of the file."""
        (self.folder / "my.toml").write_text(f"{SMALLEST}repeats = 'x'\n", "utf-8")
        [problem] = self.problems('menu = "my.toml"')
        self.assertTrue(problem.startswith("my.toml: menus.main.repeats: must be"))

    def test_unreadable_file(self) -> None:
        """A file that is not there, or no TOML, is one problem among the others."""
        (self.folder / "broken.toml").write_text("start = ", "utf-8")
        for name in ("gone.toml", "broken.toml"):
            wrong, broken = self.problems(f'menu = "{name}"\ngreeting = "x.wav"')
            self.assertIn("x.wav", wrong)
            self.assertTrue(broken.startswith("menu: cannot read"), broken)
