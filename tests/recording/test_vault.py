"""Tests for :mod:`twistedvoice.recording.vault`."""

from __future__ import annotations

import os
import resource
from io import SEEK_CUR, SEEK_END, BufferedReader, FileIO
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import EncryptionError
from twistedvoice.recording.vault import (
    VaultFile,
    damaged_spans,
    is_vault,
    late_box,
    opener,
    sound_size,
)

KEY, OTHER = bytes(range(32)), bytes(32)
#: What the boxes hold: the first one, and each of the others; and a page.
FIRST, NEXT, PAGE = 58, 4068, 4096


class VaultTestCase(SynchronousTestCase):
    """Has a file."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path = folder / "a.vault"

    def fill(self, size: int, path: Path | None = None) -> bytes:
        """:returns: what was written into a new file."""
        content = Random(size).randbytes(size)
        with VaultFile(path or self.path, "w+", KEY) as file:
            put(file, content)
        return content

    def read(self) -> bytes:
        """:returns: all of the file."""
        with VaultFile(self.path, "r", KEY) as file:
            return file.read()

    def flip(self, at: int) -> None:
        """Change one byte on the disk."""
        with FileIO(self.path, "r+") as file:
            byte = os.pread(file.fileno(), 1, at)
            os.pwrite(file.fileno(), bytes([byte[0] ^ 0x40]), at)


class VaultTests(VaultTestCase):
    """A file like any other."""

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.tuples(
        st.sampled_from(["append", "change", "cut", "reopen"]),
        st.integers(0, 12_000), st.integers(0, 9000)), max_size=12))  # fmt: skip
    def test_like_a_plain_one(self, steps: list[tuple[str, int, int]]) -> None:
        """Whatever is done to it, it holds what a plain file would."""
        plain = FileIO(self.mktemp(), "w+")
        file = VaultFile(self.path, "w+", KEY)
        for number, (step, at, size) in enumerate(steps):
            end = plain.seek(0, SEEK_END)
            if step == "reopen":
                file.close()
                file = VaultFile(self.path, "r+", KEY)
            for each in (plain, file):
                if step == "cut":
                    each.truncate(at)
                elif step != "reopen":
                    each.seek(end if step == "append" else min(at, end))
                    put(each, bytes([number + 1]) * size)
            plain.seek(0)
            file.seek(0)
            self.assertEqual(file.read(), plain.read())
            self.assertEqual(file.size(), sound_size(self.path))
        plain.close()
        file.close()

    def test_places(self) -> None:
        """It is read from any place, and says where it is."""
        content = self.fill(10_000)
        with VaultFile(self.path, "r", KEY) as file:
            self.assertEqual(file.seek(-500, SEEK_END), 9500)
            self.assertEqual(file.read(600), content[9500:])
            self.assertEqual((file.tell(), file.read(1)), (10_000, b""))
            file.seek(50)
            file.seek(5, SEEK_CUR)
            self.assertEqual(file.read(5000), content[55:5055])
        with BufferedReader(VaultFile(self.path, "r", KEY)) as buffered:
            self.assertEqual(buffered.read(), content)

    def test_disk_full(self) -> None:
        """When the disk takes a part of it only, all that was there stays."""
        content = self.fill(5000)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        with VaultFile(self.path, "r+", KEY) as file:
            file.seek(0, SEEK_END)
            resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE + 3000, limits[1]))
            try:
                self.assertRaises(OSError, put, file, b"\x11" * 3000)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertEqual(file.size(), 5000)
            self.assertEqual(damaged_spans(file), [])
        self.assertEqual(self.read(), content)

    def test_names(self) -> None:
        """By its name it is known that a file is encrypted, whatever dots are in it."""
        for name in ("a.vault", "/x/host.example-1.vault.part", "a.vault.new"):
            self.assertTrue(is_vault(Path(name)))
        for name in ("a.wav", "a.vault/b.wav.part", "a.vault.wav", "vault"):
            self.assertFalse(is_vault(name))

    def test_opener(self) -> None:
        """What is not encrypted needs no key, and what is says so."""
        plain = self.path.with_name("a.wav")
        plain.write_bytes(b"plain")
        with opener(None)(plain, "r") as file:
            self.assertEqual(file.read(), b"plain")
            self.assertEqual((late_box(file), damaged_spans(file)), (None, []))
        self.fill(1)
        error = self.assertRaises(EncryptionError, opener(None), self.path, "r")
        self.assertIn("there is no key", str(error))


class DamageTests(VaultTestCase):
    """What is not as it was written is never read as if it were."""

    def test_wrong_key(self) -> None:
        """Another key is told from damage of the sound."""
        self.fill(5000)
        error = self.assertRaises(EncryptionError, VaultFile, self.path, "r", OTHER)
        self.assertIn("another key", str(error))
        self.path.write_bytes(b"RIFF" * 100)
        error = self.assertRaises(EncryptionError, VaultFile, self.path, "r", KEY)
        self.assertIn("no encrypted recording", str(error))

    def test_flipped_anywhere(self) -> None:
        """A changed byte makes its box unreadable, and no other."""
        content = self.fill(9000)
        stored = self.path.read_bytes()
        places = {*range(0, 142, 3), 141, *range(PAGE, len(stored), 97), PAGE * 3 - 1}
        for at in places:
            self.path.write_bytes(stored)
            self.flip(at)
            if at < 56:
                self.assertRaises(EncryptionError, VaultFile, self.path, "r", KEY)
                continue
            with VaultFile(self.path, "r", KEY) as file:
                ((start, end),) = file.damaged()
                self.assertEqual(start, FIRST + (at // PAGE - 1) * NEXT if at > PAGE
                                 else start)  # fmt: skip
                self.assertEqual(file.read(start), content[:start])
                self.assertRaises(EncryptionError, file.read, 1)
                file.seek(end)
                self.assertEqual(file.read(), content[end:])

    def test_moved_boxes(self) -> None:
        """A box elsewhere, twice, missing, or of another file does not open."""
        content = self.fill(FIRST + 3 * NEXT)
        head, *pages = chunks(self.path.read_bytes())
        other = self.path.with_name("b.vault")
        self.fill(len(content), other)
        strange = chunks(other.read_bytes())
        one, two, three = pages
        for order, good in (
            ([head, two, one, three], 0), ([head, one, one, three], 1),
            ([head, one, three], 1), ([head, strange[1], two, three], 0),
            ([head, one, two, bytes(PAGE)], 2),
        ):  # fmt: skip
            self.path.write_bytes(b"".join(order))
            with VaultFile(self.path, "r", KEY) as file:
                self.assertEqual(file.read(FIRST + good * NEXT),
                                 content[: FIRST + good * NEXT])  # fmt: skip
                self.assertRaises(EncryptionError, file.read, 1)
        first = strange[0][:56] + head[56:]
        self.path.write_bytes(first + b"".join(pages))
        with VaultFile(self.path, "r", KEY) as file:
            self.assertRaises(EncryptionError, file.read, 1)

    def test_cut_anywhere(self) -> None:
        """What is left of a file that was cut is its beginning, to a box."""
        content = self.fill(9000)
        stored = self.path.read_bytes()
        ends = (0, FIRST, FIRST + NEXT, FIRST + 2 * NEXT, 9000)
        for size in {*range(142, len(stored) + 1, 61), PAGE, PAGE + 28, PAGE + 29,
                     2 * PAGE - 1, 2 * PAGE, 3 * PAGE, len(stored)}:  # fmt: skip
            self.path.write_bytes(stored[:size])
            with VaultFile(self.path, "r+", KEY) as file:
                file.cut_damaged()
                kept = file.read()
            self.assertIn(len(kept), ends)
            self.assertEqual(kept, content[: len(kept)])
            self.assertGreaterEqual(len(kept), min(9000, size - 2 * PAGE))

    def test_unwritten_end(self) -> None:
        """Zeros for what never reached the disk are cut off."""
        content = self.fill(9000)
        whole = self.path.read_bytes()
        for junk in (b"", b"\0", bytes(28), bytes(29), bytes(10_000)):
            self.path.write_bytes(whole[: 3 * PAGE] + junk)
            with VaultFile(self.path, "r+", KEY) as file:
                file.cut_damaged()
                self.assertEqual(file.read(), content[: FIRST + 2 * NEXT])
                put(file, b"more")
            self.assertEqual(self.read(), content[: FIRST + 2 * NEXT] + b"more")

    def test_replaced(self) -> None:
        """Only as a whole is a damaged box replaced; the rest of it is not made up."""
        content = self.fill(9000)
        self.flip(PAGE + 100)
        with VaultFile(self.path, "r+", KEY) as file:
            file.seek(FIRST)
            self.assertRaises(EncryptionError, file.write, b"x" * (NEXT - 1))
            self.assertEqual(file.write(b"x" * 9000), NEXT)
        expected = content[:FIRST] + b"x" * NEXT + content[FIRST + NEXT :]
        self.assertEqual(self.read(), expected)


def put(file: FileIO, content: bytes) -> None:
    """Write all of it."""
    while content:
        content = content[file.write(content) :]


def chunks(stored: bytes) -> list[bytes]:
    """:returns: the pages of a file."""
    return [stored[at : at + PAGE] for at in range(0, len(stored), PAGE)]
