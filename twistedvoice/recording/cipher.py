# -*- test-case-name: tests.recording.test_cipher -*-
"""AES-256-GCM as encrypted recordings use it: keys, and boxes that hold bytes.

One key is configured. Each recording has keys of its own, made of that one and of
random bytes in its file, so that nothing of one recording can stand in another. Nonces
are random: who goes on with a recording need not know which were used. What lies where
is :mod:`.vault`'s business.
"""

from __future__ import annotations

import os
from base64 import b64decode
from pathlib import Path

from attrs import field, frozen

from ..errors import ConfigError, EncryptionError

__all__ = [
    "BOX_BYTES",
    "SALT_BYTES",
    "Box",
    "FileKeys",
    "parse_key",
    "read_encryption_key",
]

_KEY_BYTES = 32
SALT_BYTES = 32
_CHECK_BYTES = 16
_NONCE_BYTES = 12
#: How much longer what is in a box is: its nonce and its tag.
BOX_BYTES = _NONCE_BYTES + 16
#: What the keys of recordings are made for.
_PURPOSE = b"twistedvoice recording 1"


class Box:
    """
    Closes bytes in boxes, so that only who has the key can open one.

    :param key: of one recording, for one kind of thing.
    """

    def __init__(self, key: bytes) -> None:
        # It takes 40 ms to import, which who does not encrypt need not wait for.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)

    def close(self, content: bytes, place: bytes) -> bytes:
        """
        :param place: where the box will be: it cannot be opened anywhere else.
        :returns: a new nonce, the encrypted content, and the tag.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place)

    def open(self, box: bytes, place: bytes) -> bytes:
        """
        :returns: what was closed in it.
        :raises EncryptionError: when it is not as it was closed, or not where.
        """
        from cryptography.exceptions import InvalidTag

        if len(box) < BOX_BYTES:
            raise EncryptionError("a box is too short")
        nonce, sealed = box[:_NONCE_BYTES], box[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, place)
        except InvalidTag:
            raise EncryptionError("a box is not as it was closed") from None


@frozen
class FileKeys:
    """The keys of one recording."""

    #: For the sound in its file, and for that which waits in its journal.
    sound: bytes = field(repr=False)
    late: bytes = field(repr=False)
    #: Stands in the file in the clear and shows whether the keys are the right ones.
    check: bytes

    @classmethod
    def made_of(cls, key: bytes, salt: bytes) -> FileKeys:
        """
        :param key: the configured one.
        :param salt: random bytes of the recording's own.
        """
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        size = 2 * _KEY_BYTES + _CHECK_BYTES
        made = HKDF(SHA256(), size, salt, _PURPOSE).derive(key)
        return cls(
            made[:_KEY_BYTES], made[_KEY_BYTES:-_CHECK_BYTES], made[-_CHECK_BYTES:]
        )


def parse_key(text: str) -> bytes:
    """
    Read a key as it is configured: 32 bytes in base64 or in hex.

    :raises ValueError: saying what is wrong; the text is not in it.
    """
    try:
        key = bytes.fromhex(text) if len(text) == 64 else b64decode(text, validate=True)
    except ValueError:
        raise ValueError("is neither base64 nor hex") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"has {len(key)} bytes")
    return key


def read_encryption_key(path: Path) -> bytes:
    """
    Read a key from a file, as the configuration does.

    :raises ConfigError: when there is none that can be used.
    """
    try:
        return parse_key(path.read_text("ascii").strip())
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        problem = "is no text" if isinstance(error, UnicodeError) else str(error)
        raise ConfigError(
            [f"{path}: {problem}; give the base64 or the hex of 32 random bytes"]
        ) from None
