# -*- test-case-name: tests.archive.test_decrypting -*-
"""``recordings decrypt``: an encrypted recording as a WAV file, to be listened to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

from ..audio.riff import UNKNOWN_SIZE
from ..audio.wavwriter import WavWriter
from ..errors import ArchiveError, EncryptionError
from ..recording.pieces import CHANNELS
from ..recording.stereo import Stereo
from ..recording.vault import VAULT_SUFFIX, fitting_key, is_vault, opener
from .arguments import Commands, add_encryption_key_file, command, encryption_keys
from .screen import tell
from .words import clock

__all__ = ["add", "decrypt"]


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "decrypt",
        _run,
        short="write an encrypted recording as a WAV file",
        more="What was damaged or changed is silence there, and the exit status is 1.",
    )
    parser.add_argument("path", metavar="PATH", type=Path)
    add_encryption_key_file(parser, required=True)
    parser.add_argument("--out", metavar="WAV", type=Path, required=True)


def decrypt(path: Path, key: bytes, out: Path) -> list[str]:
    """
    Write an encrypted recording as the WAV file ``out``, which only its owner may read.

    Whether somebody who has the key changed something is for :func:`~.verify.verify` to
    say.

    :returns: a sentence for each second that is not as it was written and is silence
        now, and one when the end is missing.
    :raises EncryptionError: when nothing can be read with this key.
    :raises OSError: when a file cannot be read or written; ``FileExistsError`` when
        there is one at ``out``.
    """
    with opener(key)(path, "r") as file:
        sound = Stereo.of(file, str(path))
        FileIO(out, "x", opener=_open_private).close()
        try:
            problems = list(_written(sound, out))
        except BaseException:
            out.unlink()
            raise
        problems += _end(sound, is_finished=path.suffix == VAULT_SUFFIX)
    return problems


def _written(sound: Stereo, out: Path) -> Iterator[str]:
    """:returns: a sentence for each second that cannot be read."""
    writer = WavWriter(out, sound.format, CHANNELS)
    size = sound.layout.data_bytes
    try:
        for at in range(0, size, sound.second_bytes):
            length = min(sound.second_bytes, size - at)
            try:
                writer.write(sound.read(at, length))
            except EncryptionError:
                writer.write(sound.format.silence(length))
                when = clock(at * 1000 / sound.second_bytes)
                yield f"the second at {when} was damaged or changed; it is silence now"
    finally:
        writer.close()


def _run(said: argparse.Namespace) -> int:
    if not is_vault(said.path):
        raise ArchiveError(f"{said.path}: is not encrypted")
    key = fitting_key(said.path, encryption_keys(said))
    assert key is not None, "the option is required"
    problems = decrypt(said.path, key, said.out)
    for problem in [] if said.json else problems:
        sys.stdout.write(f"{said.path}: {problem}\n")
    facts = {"path": str(said.path), "wav": str(said.out), "problems": problems}
    tell(facts, str(said.out), as_json=said.json)
    return 1 if problems else 0


def _end(sound: Stereo, *, is_finished: bool) -> Iterator[str]:
    """:returns: a sentence when the end is missing, or nothing says where it is."""
    sound.file.seek(sound.layout.data_at - 4)
    stated = int.from_bytes(sound.file.read(4), "little")
    missing = stated - sound.layout.data_bytes
    if stated == UNKNOWN_SIZE:
        if is_finished:
            yield "its header is from before its end, which may be missing"
    elif missing > 0:
        yield f"{missing * 1000 // sound.second_bytes} ms are missing at the end"


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
