# -*- test-case-name: tests.recording.test_convert -*-
"""A finished recording in another format: FLAC, which loses nothing, or Opus.

An hour takes seconds of a core for FLAC, and a minute for Opus. So a service runs this
module as a process of its own (``python -m``), and only commands call :func:`convert`.
soundfile, which does the work, is the extra ``export``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import AudioFormatError, ConfigError
from .private import open_private
from .settle import sync_folder
from .vault import is_vault

__all__ = ["WITHOUT_SOUNDFILE", "ExportFormat", "convert", "is_true_copy", "main"]

#: How a recording may be exported; also what its name ends with then.
ExportFormat = Literal["flac", "opus"]

#: What to do where the extra is not installed.
WITHOUT_SOUNDFILE = "exporting needs soundfile: pip install 'twistedvoice[export]'"
#: What libsndfile calls them: the file, and the sound in it.
_NAMES = {"flac": ("FLAC", "PCM_16"), "opus": ("OGG", "OPUS")}
#: What is in memory at once; about four seconds.
_BLOCK_FRAMES = 32_768


def convert(
    source: Path,
    target: Path,
    format: ExportFormat,  # noqa: A002
) -> None:
    """
    Write the recording ``source`` once more, as ``target``, with the same channels.

    It is read again and compared before it gets its name; a target that is there
    already is replaced.

    :raises AudioFormatError: when ``source`` cannot be read, or is encrypted.
    :raises ConfigError: when the extra is not installed.
    :raises OSError: when a file cannot be read or written.
    """
    if is_vault(source):
        raise AudioFormatError(f"{source}: is encrypted; decrypt it first")
    soundfile = _soundfile()
    new = target.with_name(target.name + ".new")
    try:
        with FileIO(new, "w+", opener=open_private) as file:
            with _reading(soundfile, source) as sound:
                _write(soundfile, sound, file, format)
            if not is_true_copy(source, new, format):
                raise OSError(f"{new}: does not hold what was written into it")
            os.fsync(file.fileno())
        new.rename(target)
        sync_folder(target.parent)
    finally:
        new.unlink(missing_ok=True)


def is_true_copy(source: Path, copy: Path, format: ExportFormat) -> bool:  # noqa: A002
    """
    Compare a recording with what was made of it.

    :returns: whether both last equally long; for FLAC also whether each sample is
        the same.
    """
    soundfile = _soundfile()
    with _reading(soundfile, source) as one, _reading(soundfile, copy) as other:
        if (one.frames, one.channels) != (other.frames, other.channels):
            return False
        pairs = zip(_blocks(one), _blocks(other), strict=True)
        return format == "opus" or all(np.array_equal(*pair) for pair in pairs)


def main(words: Sequence[str]) -> int:
    """
    Convert one file as the process of its own: SOURCE, and TARGET.flac or .opus.

    :returns: the exit status: ``os.EX_DATAERR`` when trying again will not help.
    """
    parser = argparse.ArgumentParser("python -m twistedvoice.recording.convert")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    said = parser.parse_args(words)
    # Calls come first, whatever else this machine has to do.
    os.nice(19)
    try:
        convert(said.source, said.target, said.target.suffix[1:])
    except AudioFormatError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_DATAERR
    return os.EX_OK


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise ConfigError([WITHOUT_SOUNDFILE]) from error
    return soundfile


@contextmanager
def _reading(soundfile: Any, path: Path) -> Iterator[Any]:
    with FileIO(path) as file:
        try:
            sound = soundfile.SoundFile(file.fileno(), closefd=False)
        except soundfile.LibsndfileError as error:
            reason = error.error_string
            raise AudioFormatError(f"{path}: cannot be read: {reason}") from error
        with sound:
            yield sound


def _write(
    soundfile: Any,
    sound: Any,
    file: FileIO,
    format: ExportFormat,  # noqa: A002
) -> None:
    container, encoding = _NAMES[format]
    try:
        with soundfile.SoundFile(
            file.fileno(),
            "w",
            sound.samplerate,
            sound.channels,
            format=container,
            subtype=encoding,
            closefd=False,
        ) as written:
            for block in _blocks(sound):
                written.write(block)
    except soundfile.LibsndfileError as error:
        reason = error.error_string
        raise OSError(f"{file.name}: cannot be written: {reason}") from error


def _blocks(sound: Any) -> Iterator[Any]:
    blocks: Iterator[Any] = sound.blocks(_BLOCK_FRAMES, dtype="int16")
    return blocks


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
