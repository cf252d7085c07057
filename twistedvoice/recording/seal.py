# -*- test-case-name: tests.recording.test_seal -*-
"""The chain through the lines of a finished sidecar, and the seal on its head.

Each ``sum`` line and the ``end`` carry a link, ``chain``: the SHA-256 of the text
before it, all earlier links among that. So a file that was cut can still be checked as
far as it goes. The seal is an HMAC-SHA256 of the last link: who has not the key cannot
make another. The sound is in the chain by the checksums of its seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import ConfigError
from .sidecar import Line, dumped, write_text

__all__ = ["LEAST_KEY_BYTES", "Chain", "read_key", "sealed", "write_sealed"]

#: A shorter key could be found by trying.
LEAST_KEY_BYTES = 16

_LINKED = frozenset({"sum", "end"})
_LINK = re.compile(
    rb'(.*),"chain":"([0-9a-f]{64})"(?:,"seal":"([0-9a-f]{64})")?\}\n', re.DOTALL
)


class Chain:
    """The chain through a sidecar, as far as it was read or written."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        #: The newest link.
        self.head = ""
        #: What the newest line with a link has as its seal.
        self.seal = ""

    def read(self, text: bytes) -> bool | None:
        """
        Go on by one line.

        :param text: as it is in the file, with its end.
        :returns: whether its link is true; None when it has none.
        """
        found = _LINK.fullmatch(text)
        if found is None:
            self._hash.update(text)
            return None
        before, link, seal = found.groups()
        self._hash.update(before)
        holds = self._hash.hexdigest() == link.decode()
        self._hash.update(text[len(before) :])
        self.head, self.seal = link.decode(), (seal or b"").decode()
        return holds

    def write(self, line: Line, key: bytes | None) -> str:
        """:returns: the text of the next line, and what its kind has of proof."""
        text = dumped(line)
        if line["kind"] in _LINKED:
            text = text.removesuffix("}")
            self._hash.update(text.encode("ascii"))
            self.head = self._hash.hexdigest()
            proof = f',"chain":"{self.head}"'
            if line["kind"] == "end" and key is not None:
                self.seal = sealed(self.head, key)
                proof += f',"seal":"{self.seal}"'
            self._hash.update(f"{proof}}}\n".encode("ascii"))
            return f"{text}{proof}}}\n"
        self._hash.update(f"{text}\n".encode("ascii"))
        return f"{text}\n"


def sealed(head: str, key: bytes) -> str:
    """:returns: the seal that ``key`` makes on a chain whose newest link is given."""
    return hmac.new(key, head.encode("ascii"), hashlib.sha256).hexdigest()


def write_sealed(
    path: Path, lines: Iterable[Line], key: bytes | None, *, sync: bool
) -> tuple[str, str]:
    """
    Write a finished sidecar as :func:`~.sidecar.write_text` does, with its chain.

    :param lines: all of it; the end is the last one.
    :param key: None for no seal.
    :returns: the last link, and the seal, which is empty without a key.
    """
    chain = Chain()
    text = "".join(chain.write(line, key) for line in lines)
    write_text(path, text, sync=sync)
    return chain.head, chain.seal


def read_key(path: Path) -> bytes:
    """
    Read a key as the configuration does.

    :raises ConfigError: when there is none that can be used.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    if len(key) < LEAST_KEY_BYTES:
        raise ConfigError(
            [f"{path}: holds no key; give {LEAST_KEY_BYTES} characters or more"]
        )
    return key
