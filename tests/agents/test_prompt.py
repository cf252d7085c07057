# -*- test-case-name: tests.agents.test_prompt -*-
"""The prompt agent leads a caller through menus, in virtual time."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.menus import MENUS, prompt_folder, sound_of
from twistedvoice.agents.prompt import Prompt
from twistedvoice.errors import CallStateError, CarrierApiError, ConfigError
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import AgentFactory
from twistedvoice.testing import FakeCall


def configured(toml: str, folder: Path) -> AgentFactory:
    """:returns: what makes agents with these settings."""
    return Prompt.configure(tomllib.loads(toml), folder)


class PromptCase(SynchronousTestCase):
    """A caller at the menus above."""

    toml = MENUS

    def setUp(self) -> None:
        self.folder = prompt_folder(Path(self.mktemp()))
        self.call = FakeCall(configured(self.toml, self.folder)())
        self.call.start()
        self.heard_before = 0

    def assertHears(self, *names: str, seconds: float) -> None:
        """Check which prompts, or parts of them, the caller hears in ``seconds``."""
        self.call.advance(seconds)
        heard = self.call.heard[self.heard_before :]
        self.heard_before += len(heard)
        levels = {sound_of(name)[0]: name for name in _NAMES}
        order = [levels[byte] for byte in dict.fromkeys(heard)]
        self.assertEqual(order, list(names))


_NAMES = ("welcome", "main", "hours", "code", "thanks", "sorry", "bye", "own")


class MenuTests(PromptCase):
    """Keys, and what they lead to."""

    def test_greeting_at_once(self) -> None:
        """The sound is there before any time has passed."""
        call = FakeCall(configured(MENUS, self.folder)())
        call.start()
        self.assertEqual(call.said, sound_of("welcome", "main"))

    def test_greeting_then_menu(self) -> None:
        """The caller hears the greeting and the first menu, byte for byte."""
        self.call.advance(3)
        self.assertEqual(self.call.heard, sound_of("welcome", "main"))

    def test_key(self) -> None:
        """A key leads to its menu, and the end of that one back, without a greeting."""
        self.assertHears("welcome", "main", seconds=3)
        self.call.press("1")
        self.assertHears("hours", "own", "main", seconds=3)

    def test_key_interrupts(self) -> None:
        """A key cuts the prompt off at once, and counts."""
        self.assertHears("welcome", seconds=0.5)
        self.call.press("1")
        self.assertEqual(self.call.events, [("interrupt", "digit")])
        self.assertHears("hours", seconds=0.5)

    def test_key_in_silence(self) -> None:
        """Where nothing is said, nothing is interrupted."""
        self.assertHears("welcome", "main", seconds=3)
        self.call.press("1")
        self.assertEqual(self.call.events, [])

    def test_key_skips(self) -> None:
        """Where there is nothing to choose, any key skips to what follows."""
        self.call.press("1")
        self.assertHears("hours", seconds=0.5)
        self.call.press("5")
        self.assertHears("main", seconds=0.5)

    def test_key_without_barge_in(self) -> None:
        """A prompt that is not to be cut off is heard whole, whatever is pressed."""
        self.call.press("21234")
        self.assertHears("thanks", seconds=0.5)
        self.call.press("1")
        self.assertHears("thanks", "bye", seconds=2)

    def test_repeat(self) -> None:
        """A caller may have a menu repeated as often as wanted."""
        for _ in range(5):
            self.call.press("*")
            self.assertHears("main", seconds=1.5)

    def test_hang_up(self) -> None:
        """The goodbye is heard, whole, before the call ends; keys change nothing."""
        self.call.press("9")
        self.call.advance(0.5)
        self.call.press("1")
        self.assertHears("bye", seconds=0.4)
        self.assertFalse(self.call.ended)
        self.call.advance(0.2)
        self.assertEqual(self.call.events[-1], ("ended", "hung_up"))

    def test_must_end(self) -> None:
        """When the call must end, the goodbye takes the place of what is being said."""
        call = FakeCall(configured(MENUS, self.folder)(), spend_cap=1)
        call.start()
        call.advance(0.1)
        call.spent(2)
        call.advance(1.1)
        self.assertEqual(call.heard[-len(sound_of("bye")) :], sound_of("bye"))
        self.assertEqual(call.events[-1], ("ended", "overspent"))

    def test_interrupted_goodbye(self) -> None:
        """Someone who speaks into the goodbye is listened to again."""
        self.call.press("9")
        self.call.advance(0.5)
        self.call.interrupt("speech")
        self.call.press("1")
        self.call.advance(0.1)
        self.heard_before = len(self.call.heard)
        self.assertHears("hours", seconds=0.5)

    def test_interrupted_by_someone_else(self) -> None:
        """After someone else's interrupt the menu waits for the caller as ever."""
        self.call.advance(0.5)
        self.call.interrupt("operator")
        self.heard_before = len(self.call.heard)
        self.assertHears(seconds=4.9)
        self.assertHears("sorry", "main", seconds=2)


class TryAgainTests(PromptCase):
    """Silence and wrong keys."""

    def test_silence(self) -> None:
        """After silence the menu is repeated, and then the call is ended."""
        self.assertHears("welcome", "main", seconds=2)
        self.assertHears(seconds=4.9)
        self.assertHears("sorry", "main", seconds=2.2)
        self.assertHears(seconds=4.7)
        self.assertHears("bye", seconds=1.3)
        self.assertTrue(self.call.ended)

    def test_wrong_key(self) -> None:
        """A key that leads nowhere is a try, and the tries are counted together."""
        self.call.press("7")
        self.assertHears("sorry", "main", seconds=2)
        self.assertHears("bye", seconds=6)

    def test_another_menu_counts_anew(self) -> None:
        """A right key forgives what went before."""
        self.call.press("7")
        self.call.press("1")
        self.assertHears("hours", "own", "main", seconds=3)
        self.call.press("7")
        self.assertHears("sorry", "main", seconds=2)

    def test_key_stops_the_clock(self) -> None:
        """The time-out of a menu that was left does nothing."""
        self.call.advance(6.9)
        self.call.press("1")
        self.heard_before = len(self.call.heard)
        self.assertHears("hours", "own", "main", seconds=3)


class GatherTests(PromptCase):
    """Collecting digits."""

    def setUp(self) -> None:
        super().setUp()
        self.call.press("2")

    def test_all_digits(self) -> None:
        """When all digits are there, nothing more is waited for."""
        self.call.press("1234")
        self.assertHears("thanks", seconds=0.5)

    def test_first_digit_interrupts(self) -> None:
        """The first digit cuts the prompt off, and counts."""
        self.assertHears("code", seconds=0.5)
        self.call.press("1")
        self.assertHears(seconds=1)
        self.call.press("234")
        self.assertHears("thanks", seconds=0.5)

    def test_terminator(self) -> None:
        """The terminator ends the digits early."""
        self.call.press("12#")
        self.assertHears("thanks", seconds=0.5)

    def test_late_terminator(self) -> None:
        """The terminator after the last digit is part of the digits, not a key."""
        folder = self.folder
        toml = MENUS.replace("barge_in = false", "")
        call = FakeCall(configured(toml, folder)())
        call.start()
        call.press("21234")
        before = len(call.events)
        call.press("#")
        self.assertEqual(len(call.events), before)
        call.press("#")
        self.assertIn(("hang_up_after", ""), call.events)

    def test_terminator_alone(self) -> None:
        """A terminator without digits is a wrong key."""
        self.call.press("#")
        self.assertHears("sorry", "code", seconds=2)
        self.call.press("#")
        self.assertHears("thanks", seconds=0.5)

    def test_other_key(self) -> None:
        """A key that is no digit is wrong, and the digits begin anew."""
        self.call.press("12*")
        self.assertHears("sorry", "code", seconds=2)
        self.call.press("34")
        self.assertHears(seconds=1)
        self.call.press("56")
        self.assertHears("thanks", seconds=0.5)

    def test_too_slow(self) -> None:
        """Who takes too long between digits begins anew, then is led elsewhere."""
        self.call.press("12")
        self.assertHears(seconds=1.9)
        self.assertHears("sorry", "code", seconds=2.2)
        self.call.press("12")
        self.assertHears(seconds=1.9)
        self.assertHears("main", seconds=0.5)

    def test_subclass_gets_digits(self) -> None:
        """A subclass gets the digits, whole, with the menu that asked for them."""
        gathered: list[tuple[str, str]] = []

        class Cashier(Prompt):
            def digits_gathered(self, menu: str, digits: str) -> None:
                gathered.append((menu, digits))

        call = FakeCall(Cashier.configure(tomllib.loads(MENUS), self.folder)())
        call.start()
        call.press("212*34#")
        self.assertEqual(gathered, [("code", "34")])

    def test_digits_are_not_shown(self) -> None:
        """What was pressed is in nothing that could be logged."""
        self.call.press("123")
        shown = repr(vars(self.call.agent))
        without_addresses = re.sub("0x[0-9a-f]+", "", shown)
        self.assertFalse("123" in without_addresses, "it is shown")


class TransferTests(PromptCase):
    """Handing the caller on."""

    def test_transfer(self) -> None:
        """A key can hand the caller to another number."""
        self.call.press("8")
        self.assertIn(("transfer", "+15550199"), self.call.events)

    def test_failed_transfer(self) -> None:
        """When that fails, the caller hears that, and may choose again."""
        self.call.transfer_error = CarrierApiError(
            "unreachable", status=None, code=None, retryable=True
        )
        self.call.press("8")
        self.assertHears("sorry", "main", seconds=2)
        self.call.transfer_error = CallStateError("no account")
        self.call.press("8")
        self.assertHears("bye", seconds=1.5)
        self.assertTrue(self.call.ended)

    def test_broken_transfer(self) -> None:
        """A fault on the way is logged, and ends the call instead of hanging it."""
        self.call.transfer_error = ValueError("broken")
        self.call.press("8")
        self.call.advance(2)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertTrue(self.call.ended)


class BareTests(PromptCase):
    """A menu with nothing but a prompt and its end."""

    toml = """
    start = "main"
    [menus.main]
    prompt = "main.wav"
    then = "hangup"
    """

    def test_hang_up(self) -> None:
        """Without a goodbye the call ends when the prompt was heard."""
        self.assertHears("main", seconds=0.9)
        self.assertFalse(self.call.ended)
        self.call.advance(0.2)
        self.assertTrue(self.call.ended)


class ConfigureTests(SynchronousTestCase):
    """What is done once, when the service starts."""

    def test_broken_sound(self) -> None:
        """A prompt that cannot be read is found when the service starts."""
        folder = prompt_folder(Path(self.mktemp()))
        (folder / "main.wav").write_bytes(b"noise")
        error = self.assertRaises(ConfigError, configured, MENUS, folder)
        [problem] = error.problems
        self.assertTrue(problem.startswith("menus.main.prompt: "), problem)

    def test_read_once(self) -> None:
        """Calls need no files any more."""
        folder = prompt_folder(Path(self.mktemp()))
        factory = configured(MENUS, folder)
        for path in folder.iterdir():
            path.unlink()
        call = FakeCall(factory())
        call.start()
        call.advance(1)
        self.assertEqual(call.heard, sound_of("welcome"))

    def test_long_prompt(self) -> None:
        """A prompt of any length is said to its end, a little at a time."""
        folder = prompt_folder(Path(self.mktemp()))
        many = '"main.wav", ' * 400
        toml = MENUS.replace('"main.wav"', f"[{many}]")
        call = FakeCall(configured(toml, folder)())
        call.start()
        self.assertLess(len(call.said), MULAW_8K.bytes_per_second * 20)
        call.advance(402)
        self.assertEqual(call.heard, sound_of("welcome", *["main"] * 400))

    def test_sample(self) -> None:
        """Without settings there is real speech, and each key leads somewhere."""
        factory = Prompt.configure({}, Path())
        for key, seconds in {"1": 7, "2": 23, "31234": 2, "9": 2, "*": 11}.items():
            call = FakeCall(factory())
            call.start()
            call.advance(2)
            call.press(key)
            heard = len(call.heard)
            call.advance(seconds)
            self.assertEqual(len(call.heard) - heard, seconds * 8000, key)
