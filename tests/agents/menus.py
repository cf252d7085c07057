# -*- test-case-name: tests.agents.test_prompt tests.agents.test_contract -*-
"""Menus and prompts to test with, written into a folder of their own."""

from __future__ import annotations

import tomllib
import wave
from pathlib import Path

from twistedvoice.agents.menu import MenuTree
from twistedvoice.agents.menufile import read_menus

__all__ = ["MENUS", "SECOND", "prompt_folder", "sound_of", "tree_of"]

#: A little of everything.
MENUS = """
start = "main"
greeting = "welcome.wav"
sorry = "sorry.wav"
goodbye = "bye.wav"

[menus.main]
prompt = "main.wav"
repeats = 1

[menus.main.keys]
1 = "hours"
2 = "code"
8 = "transfer:+15550199"
9 = "hangup"
"*" = "repeat"

[menus.hours]
prompt = ["hours.wav", "own.wav"]
then = "main"

[menus.code]
prompt = "code.wav"
repeats = 1
on_timeout = "main"
on_invalid = "thanks"
gather = { digits = 4, timeout_seconds = 2, then = "thanks" }

[menus.thanks]
prompt = "thanks.wav"
then = "hangup"
barge_in = false
"""

#: The names of the prompts, and the byte that stands for each in mu-law.
_PROMPTS = {
    "welcome": 0x80,
    "main": 0x90,
    "hours": 0xA0,
    "code": 0xB0,
    "thanks": 0xC0,
    "sorry": 0x10,
    "bye": 0x20,
    "own": 0x30,
}
#: Samples of 16 bits that these bytes stand for; they come back as the same bytes.
_LEVELS = {
    0x80: 32124,
    0x90: 15996,
    0xA0: 7932,
    0xB0: 3900,
    0xC0: 1884,
    0x10: -15996,
    0x20: -7932,
    0x30: -3900,
}
#: How long each prompt is, in bytes of mu-law.
SECOND = 8000


def sound_of(*names: str) -> bytes:
    """:returns: these prompts as a caller with mu-law hears them."""
    return b"".join(bytes([_PROMPTS[name]]) * SECOND for name in names)


def prompt_folder(folder: Path) -> Path:
    """:returns: ``folder``, made, with a WAV file of one second for each prompt."""
    folder.mkdir()
    for name, byte in _PROMPTS.items():
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SECOND)
            file.writeframes(_LEVELS[byte].to_bytes(2, "little", signed=True) * SECOND)
    return folder


def tree_of(toml: str, folder: Path) -> MenuTree:
    """:returns: the menus that ``toml`` says, as settings."""
    return read_menus(tomllib.loads(toml), folder)
