"""Tests for :mod:`twistedvoice.recording.cipher`."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import ConfigError, EncryptionError
from twistedvoice.recording.cipher import (
    BOX_BYTES,
    Box,
    FileKeys,
    parse_key,
    read_encryption_key,
)

KEY = bytes(range(32))


class BoxTests(SynchronousTestCase):
    """Bytes in boxes."""

    def test_is_aes_gcm(self) -> None:
        """A box is a nonce, and what AES-256-GCM makes of its content with that."""
        box = Box(KEY).close(b"hello", b"there")
        nonce, sealed = box[:12], box[12:]
        self.assertEqual(AESGCM(KEY).encrypt(nonce, b"hello", b"there"), sealed)
        self.assertEqual(len(box), BOX_BYTES + 5)

    def test_known_answer(self) -> None:
        """Test case 16 of the paper on GCM opens, associated data and all."""
        key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
        box = bytes.fromhex(
            "cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b"
        )
        place = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        content = Box(key).open(box, place)
        self.assertEqual(content[:8].hex(), "d9313225f88406e5")
        self.assertEqual(len(content), 60)

    def test_nonces(self) -> None:
        """No two boxes have the same nonce."""
        box = Box(KEY)
        self.assertEqual(len({box.close(b"a", b"")[:12] for _ in range(50)}), 50)

    def test_not_as_it_was(self) -> None:
        """A box that was changed, cut, or is elsewhere does not open."""
        box = Box(KEY).close(b"a", b"1")
        self.assertEqual(Box(KEY).open(box, b"1"), b"a")
        bad = [(box, b"2"), (box[:-1], b"1"), (b"", b"1"), (box + b"x", b"1")]
        bad += [(bytes([*box[:n], box[n] ^ 1, *box[n + 1 :]]), b"1") for n in range(29)]
        for each, place in bad:
            self.assertRaises(EncryptionError, Box(KEY).open, each, place)
        self.assertRaises(EncryptionError, Box(KEY[::-1]).open, box, b"1")


class KeysTests(SynchronousTestCase):
    """The keys of a recording, and the one that is configured."""

    def test_made_of(self) -> None:
        """They are made by HKDF with SHA-256, as RFC 5869 has it."""
        salt, purpose = b"s" * 32, b"twistedvoice recording 1"
        first = hmac.digest(salt, KEY, hashlib.sha256)
        made, block = b"", b""
        for number in (1, 2, 3):
            block = hmac.digest(first, block + purpose + bytes([number]), "sha256")
            made += block
        keys = FileKeys.made_of(KEY, salt)
        self.assertEqual(keys.sound + keys.late + keys.check, made[:80])
        self.assertNotIn(repr(keys.sound), repr(keys))

    def test_parse(self) -> None:
        """Base64 and hex are read; all else is wrong, and not repeated."""
        self.assertEqual(parse_key(KEY.hex()), KEY)
        self.assertEqual(parse_key(b64encode(KEY).decode()), KEY)
        for text in (
            "hush",
            KEY.hex()[2:],
            KEY.hex()[1:] + "g",
            "x" * 64,
            "",
            "é" * 64,
        ):
            error = self.assertRaises(ValueError, parse_key, text)
            self.assertRegex(str(error), r"^(is neither base64 nor hex|has \d+ bytes)$")

    def test_read(self) -> None:
        """A file of a key may end with a line's end; without a key it is an error."""
        path = Path(self.mktemp())
        path.write_text(KEY.hex() + "\n")
        self.assertEqual(read_encryption_key(path), KEY)
        for content in (b"hush", b"\xff" * 64, b""):
            path.write_bytes(content)
            error = self.assertRaises(ConfigError, read_encryption_key, path)
            self.assertNotIn("hush", str(error))
        path.unlink()
        self.assertRaises(ConfigError, read_encryption_key, path)
