"""Tests for :mod:`twistedvoice.archive.decrypting`, and of all commands with a key."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.archive.people import CommandTestCase
from tests.recording.left import CALLER, SERVICE, leave
from tests.sources import ROOT
from twistedvoice.archive.verify import verify
from twistedvoice.audio.riff import UNKNOWN_SIZE
from twistedvoice.audio.wav import read_wav
from twistedvoice.errors import EncryptionError
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.vault import opener

KEY, SEAL = bytes(range(32)), b"sixteen bytes or more"
LOUD, LOW = 32124, -31100


class EncryptedTestCase(CommandTestCase):
    """Has an encrypted recording of three seconds, and its key in a file."""

    def setUp(self) -> None:
        super().setUp()
        self.key, self.other = Path(self.mktemp()), Path(self.mktemp())
        self.key.write_text(f"{KEY.hex()}\n")
        self.other.write_text(f"{bytes(32).hex()}\n")
        part = PartFile(self.day / "call.vault", MULAW_8K, about={"session_id": "call"},
                        key=SEAL, encryption_key=KEY)  # fmt: skip
        part.open()
        heard = [(at, CALLER) for at in range(0, 3000, 20)]
        played = [(at * 1000, SERVICE) for at in range(0, 3000, 20)]
        part.finish(Batch(heard, played, 3_000_000))
        assert part.path is not None
        self.path, self.chain = part.path, part.chain
        self.wav = self.folder / "out.wav"

    def change(self, at: int) -> None:
        """Change a byte of the recording."""
        content = bytearray(self.path.read_bytes())
        content[at] ^= 1
        self.path.write_bytes(content)


class DecryptTests(EncryptedTestCase):
    """``twistedvoice recordings decrypt``."""

    def decrypt(self, *words: object) -> int:
        """:returns: the exit status."""
        key = ["--encryption-key-file", self.key]
        return self.run_command("decrypt", self.path, "--out", self.wav, *key, *words)

    def samples(self) -> list[tuple[int, int]]:
        """:returns: one sample of both sides in each tenth of a second."""
        return [(int(a), int(b)) for a, b in read_wav(self.wav).samples[400::800]]

    def test_decrypted(self) -> None:
        """All of it is in a file that nobody else may read."""
        self.assertEqual(self.decrypt(), 0)
        self.assertEqual(self.samples(), [(LOUD, LOW)] * 30)
        self.assertEqual(stat.S_IMODE(self.wav.stat().st_mode), 0o600)
        self.assertEqual(self.out.getvalue(), f"{self.wav}\n")

    def test_damaged(self) -> None:
        """A second with a changed byte is silence and is named; the status is 1."""
        self.change(4096 * 6)
        self.assertEqual(self.decrypt(), 1)
        silent = [(LOUD, LOW)] * 10 + [(0, 0)] * 10 + [(LOUD, LOW)] * 10
        self.assertEqual(self.samples(), silent)
        self.assertIn("the second at 0:01 was damaged", self.out.getvalue())

    def test_cut(self) -> None:
        """A file without its end, cut between two boxes, is found out."""
        os.truncate(self.path, 4096 * 9)
        self.assertEqual(self.decrypt("--json"), 1)
        (told,) = self.told()
        self.assertEqual(told["problems"], ["966 ms are missing at the end"])

    def test_cut_with_an_old_header(self) -> None:
        """A header that somebody kept from before the end does not hide a cut."""
        with opener(KEY)(self.path, "r+") as file:
            file.seek(54)
            file.write(UNKNOWN_SIZE.to_bytes(4, "little"))
        os.truncate(self.path, 4096 * 9)
        self.assertEqual(self.decrypt(), 1)
        self.assertIn("its header is from before its end", self.out.getvalue())

    def test_part(self) -> None:
        """What a dead process left can be listened to as it is."""
        self.path = leave(self.day / "left.vault", encryption_key=KEY)
        self.assertEqual(self.decrypt(), 0)
        self.assertEqual(len(self.samples()), 30)

    def test_refused(self) -> None:
        """A wrong key, no key, a plain file and one in the way are errors."""
        right, self.key = self.key, self.other
        self.assertEqual(self.decrypt(), 2)
        self.assertIn("with another key", self.errors.getvalue())
        self.key = right
        self.assertEqual(self.decrypt("--encryption-key-file", self.path), 2)
        self.assertIn("is no text", self.errors.getvalue())
        self.assertFalse(self.wav.exists())
        self.wav.write_bytes(b"precious")
        self.assertEqual(self.decrypt(), 2)
        self.assertEqual(self.wav.read_bytes(), b"precious")
        self.path = self.wav
        self.assertEqual(self.decrypt(), 2)
        self.assertIn("is not encrypted", self.errors.getvalue())

    def test_example(self) -> None:
        """A stranger's script makes the same file, and the page shows that script."""
        self.assertEqual(self.decrypt(), 0)
        script = ROOT / "docs" / "examples" / "decrypt_recording.py"
        theirs = self.folder / "theirs.wav"
        words = [script, self.key, self.path, theirs]
        subprocess.run([sys.executable, *map(str, words)], check=True)
        self.assertEqual(theirs.read_bytes(), self.wav.read_bytes())
        page = (ROOT / "docs" / "recording.rst").read_text()
        self.assertIn(".. literalinclude:: examples/decrypt_recording.py", page)


class CommandsTests(EncryptedTestCase):
    """The other commands."""

    def run_with_key(self, *words: object) -> int:
        """:returns: the exit status of a command that has the key."""
        return self.run_command(*words, "--encryption-key-file", self.key)

    def test_rotated(self) -> None:
        """With the new key and the old one, recordings of both are opened."""
        keys = ("--encryption-key-file", self.other)
        leave(self.day / "left.vault", encryption_key=bytes(32))
        self.assertEqual(self.run_with_key("recover", self.folder, *keys), 0)
        self.assertEqual(self.run_with_key("verify", self.folder, *keys), 0)
        for name in ("left", "call"):
            words = ("show", name, "--folder", self.folder)
            self.assertEqual(self.run_with_key(*words, *keys), 0)
            out = ("--out", self.folder / f"{name}.wav")
            path = self.day / f"{name}.vault"
            self.assertEqual(self.run_with_key("decrypt", path, *out, *keys), 0)
        self.assertEqual(self.run_with_key("verify", self.folder), 1)

    def test_list(self) -> None:
        """It is listed without any key, by its sidecar."""
        leave(self.day / "left.vault", encryption_key=KEY)
        self.assertEqual(self.run_command("list", self.folder, "--json"), 0)
        call, left = sorted(self.told(), key=lambda each: str(each["path"]))
        self.assertEqual((call["path"], call["duration_ms"]), (str(self.path), 3000))
        self.assertTrue(left["path"].endswith("left.vault.part"))

    def test_show(self) -> None:
        """With the key its sound is looked at, without it that is an error."""
        words = ("show", "call", "--folder", self.folder)
        self.assertEqual(self.run_with_key(*words), 0)
        self.assertIn("length     0:03, ended\n", self.out.getvalue())
        self.assertEqual(self.run_command(*words), 2)
        self.assertIn("there is no key", self.errors.getvalue())

    def test_recover(self) -> None:
        """With the key it is finished; without it, it stays and the status is 1."""
        part = leave(self.day / "left.vault", encryption_key=KEY)
        self.assertEqual(self.run_command("recover", self.folder), 1)
        self.assertTrue(part.exists())
        self.assertEqual(self.run_with_key("recover", self.folder), 0)
        self.assertIn("left.vault: 3.0 s\n", self.out.getvalue())

    def test_export(self) -> None:
        """It is not exported, since that would not be encrypted."""
        words = ("export", "--format", "flac", self.folder)
        self.assertEqual(self.run_command(*words), 1)
        self.assertIn("is encrypted; decrypt it first", self.out.getvalue())
        self.assertEqual([*self.day.glob("*.flac*")], [])

    def test_purge(self) -> None:
        """It is removed with all that belongs to it."""
        self.path.with_suffix(".todo").unlink()
        words = ("purge", self.folder, "--keep", "0")
        self.run_command(*words)
        self.assertEqual(self.names(), set())

    def test_verify(self) -> None:
        """With the key the sound is checked; another one is an error of that file."""
        self.assertEqual(self.run_with_key("verify", self.folder), 0)
        self.assertEqual(self.out.getvalue(), "1 recording, 1 unkeyed\n")
        self.key = self.other
        self.assertEqual(self.run_with_key("verify", self.folder), 1)
        self.assertIn("with another key", self.out.getvalue())

    def test_verdicts(self) -> None:
        """Without the key all but the sound is checked; with it each byte of that."""
        verdict = verify(self.path, SEAL, encryption_key=KEY)
        self.assertEqual((verdict.state, verdict.problems), ("intact", ()))
        verdict = verify(self.path, SEAL)
        self.assertEqual(verdict.state, "unchecked")
        problem = "its sound was not checked, as it is encrypted"
        self.assertEqual(verdict.problems[:1], (problem,))
        self.assertEqual(verify(self.path, SEAL, chain="x").state, "changed")
        self.assertRaises(EncryptionError, verify, self.path, SEAL,
                          encryption_key=bytes(32))  # fmt: skip
        content = self.path.read_bytes()
        for at in (*range(56, 142, 9), *range(4096, len(content), 2999)):
            self.change(at)
            changed = verify(self.path, SEAL, encryption_key=KEY)
            self.assertEqual(changed.state, "changed", at)
            self.path.write_bytes(content)
        for size in (100, 4096, 4096 * 5, len(content) - 1):
            self.path.write_bytes(content[:size])
            changed = verify(self.path, SEAL, encryption_key=KEY)
            self.assertEqual(changed.state, "changed", size)
