# -*- test-case-name: tests.agents.test_sounds -*-
"""The prompts of an agent as bytes that can be said, shared by all its calls.

Files are read and resampled once for each format, not for each call. The prompt agent
asks for the usual format when the service is configured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..audio.wav import load
from ..errors import AudioFormatError, ConfigError
from ..formats import AudioFormat

__all__ = ["Sounds"]


class Sounds:
    """The sound of files, in every format that calls have spoken so far."""

    def __init__(self, files: Iterable[tuple[str, Path]]) -> None:
        """:param files: each file, with the key of the configuration that names it."""
        self._files = list(files)
        self._loaded: dict[AudioFormat, Mapping[Path, bytes]] = {}

    def encoded_as(self, sound: AudioFormat) -> Mapping[Path, bytes]:
        """
        Give every file in the format ``sound``.

        The first time for a format this reads all files, which can take tens of
        milliseconds; do it before calls come.

        :raises ConfigError: naming every file that cannot be used.
        """
        if sound not in self._loaded:
            self._loaded[sound] = self._load(sound)
        return self._loaded[sound]

    def _load(self, sound: AudioFormat) -> Mapping[Path, bytes]:
        loaded: dict[Path, bytes] = {}
        problems = []
        for key, path in self._files:
            try:
                loaded[path] = loaded.get(path) or load(path, sound)
            except (AudioFormatError, OSError) as error:
                problems.append(f"{key}: {error}")
        if problems:
            raise ConfigError(problems)
        return loaded
