"""Encrypted recordings beside plain ones: the same sound, none of it on the disk."""

from __future__ import annotations

import os
import re
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.errors import EncryptionError
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording import settle as settling
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.recovery import outcomes, recover
from twistedvoice.recording.settle import settle
from twistedvoice.recording.sidecar import journal_path, read_lines, write_lines
from twistedvoice.recording.vault import opener

from .left import leave

KEY, OTHER = bytes(range(32)), bytes(32)
LOUD, LOW = 32124, -31100
#: What a box of the file holds at the most, in sample frames.
BOX_FRAMES = 4068 // 2
PAGE = 4096
SILENT = [(0, 0), (LOUD, 0)]
#: Both sides say this all the time.
PATTERN = bytes(range(1, 161))


class EncryptedTestCase(SynchronousTestCase):
    """Has a folder."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def sides(self, path: Path) -> tuple[list[int], list[int]]:
        """:returns: the samples of both channels."""
        samples = read_wav(path, opener(KEY)).samples
        return samples[:, 0].tolist(), samples[:, 1].tolist()


class SameTests(EncryptedTestCase):
    """What is encrypted is what would be written."""

    @settings(deadline=None, max_examples=25)
    @given(st.lists(st.tuples(st.integers(20, 700), st.integers(-30, 30),
                              st.binary(min_size=160, max_size=160)),
                    min_size=1, max_size=8))  # fmt: skip
    def test_any_batches(self, batches: list[tuple[int, int, bytes]]) -> None:
        """Whatever comes, file and sidecar are those of a plain one."""
        self.setUp()
        plain = PartFile(self.folder / "a.wav", MULAW_8K)
        secret = PartFile(self.folder / "b.vault", MULAW_8K, encryption_key=KEY)
        for part in (plain, secret):
            until_ms = 0
            part.open()
            for length, late, sound in batches:
                at = max(0, until_ms + late * 20)
                times = range(at, at + length, 20)
                until_ms += length
                part.append(Batch([(each, sound) for each in times],
                                  [(each * 1000, sound) for each in times],
                                  until_ms * 1000))  # fmt: skip
            part.finish(Batch([], [], until_ms * 1000))
        with opener(KEY)(self.folder / "b.vault", "r") as file:
            self.assertEqual(file.read(), (self.folder / "a.wav").read_bytes())
        self.assertEqual((self.folder / "b.jsonl").read_text(),
                         (self.folder / "a.jsonl").read_text())  # fmt: skip

    def test_another_writer(self) -> None:
        """After any page of the last batch, another writer makes a whole one of it."""
        old, new = self.die_in_a_batch()
        whole = b"".join(bytes([n + 1]) * 1600 for n in range(15))
        for pages in range(len(old) // PAGE, len(new) // PAGE + 2):
            done = new[: pages * PAGE]
            content = self.go_on(done + old[len(done) :])
            self.assertEqual(content, whole, pages)
            self.assertFalse(read_lines(self.folder / "a.jsonl")[-1]["degraded"])

    def test_another_writer_after_a_torn_page(self) -> None:
        """What was in the torn page is silence, and told."""
        old, new = self.die_in_a_batch()
        content = self.go_on(new[: len(old) - 1])
        (lost,) = [
            line
            for line in read_lines(self.folder / "a.jsonl")
            if line["kind"] == "lost"
        ]
        start, end = round(lost["at"] * 16), round((lost["at"] + lost["ms"]) * 16)
        self.assertTrue(0 < end - start <= BOX_FRAMES * 2)
        self.assertEqual(set(content[start:end]), {0xFF})
        self.assertNotIn(0xFF, content[:start] + content[end:])

    def die_in_a_batch(self) -> tuple[bytes, bytes]:
        """:returns: the file before the last batch, and with it."""
        self.dead = PartFile(self.folder / "a.vault", MULAW_8K, encryption_key=KEY)
        self.dead.open()
        path = self.folder / "a.vault.part"
        for number in range(12):
            old = path.read_bytes()
            self.journal = (self.folder / "a.jsonl.part").read_bytes()
            self.dead.append(batch_of(number))
        assert self.dead._lock is not None
        self.dead._lock.close()
        return old, path.read_bytes()

    def go_on(self, content: bytes) -> bytes:
        """:returns: the sound that another writer makes of what is there."""
        (self.folder / "a.vault.part").write_bytes(content)
        (self.folder / "a.jsonl.part").write_bytes(self.journal)
        part = PartFile(self.folder / "a.vault", MULAW_8K, encryption_key=KEY)
        part.resume(opened=True)
        for number in range(11, 15):
            part.append(batch_of(number))
        part.finish(Batch([], [], 1_500_000))
        assert part.path is not None
        with opener(KEY)(part.path, "r") as file:
            sound = file.read()[58:]
        part.path.unlink()
        return sound


class RecoverTests(EncryptedTestCase):
    """What a crash leaves."""

    @settings(deadline=None, max_examples=40)
    @given(st.integers(0, 52_500), st.integers(0, 16_000))
    def test_cut_anywhere(self, sound_bytes: int, journal_bytes: int) -> None:
        """All sound up to the cut is playable, but for what its last box held."""
        self.setUp()
        part = leave(self.folder / "a.vault", encryption_key=KEY)
        whole = part.stat().st_size
        os.truncate(part, min(sound_bytes, whole))
        journal = journal_path(part)
        os.truncate(journal, min(journal_bytes, journal.stat().st_size))
        if not recover(self.folder, None, KEY):
            self.assertLess(sound_bytes, 4096 * 2)
            self.assertFalse([*self.folder.glob("*.part")])
            return
        caller, service = self.sides(self.folder / "a.vault")
        self.assertEqual(service, [LOW] * len(service))
        kept = min(sound_bytes, whole) / 4096 * BOX_FRAMES
        self.assertGreater(len(service), kept - 2.5 * BOX_FRAMES)
        quiet = [number for number, sample in enumerate(caller) if sample != LOUD]
        self.assertLessEqual(set(quiet), set(range(4000, 8000)))

    def test_flipped_anywhere(self) -> None:
        """What was changed is silence, and told, or nothing is made of it."""
        source = leave(self.folder / "source" / "a.vault", encryption_key=KEY)
        size = source.stat().st_size
        for at in {10, 60, 130, *range(4096, size, 3001), size - 1}:
            self.setUp()
            for path in (source, journal_path(source)):
                shutil.copy(path, self.folder)
            part = self.folder / source.name
            change(part, at)
            before = part.read_bytes()
            if not recover_quietly(self.folder):
                self.assertLess(at, 142)
                self.assertEqual(part.read_bytes(), before)
                continue
            lines = read_lines(self.folder / "a.jsonl")
            told = {int(n["at"]) // 1000 for n in lines if n["kind"] == "damaged"}
            caller, service = self.sides(self.folder / "a.vault")
            for number, pair in enumerate(zip(caller, service, strict=True)):
                silent = number // 8000 in told
                # What came late lies in the journal, and is put in again.
                self.assertIn(pair, SILENT if silent else [(LOUD, LOW)])
            self.assertTrue(told or len(caller) < 24_000)

    def test_late_sound_changed(self) -> None:
        """Sound of the journal that was changed, or moved, is not put anywhere."""
        changes = [
            (r'"position":4(\d+)', r'"position":5\1'),
            (r'"sound":"(...)(.)', r'"sound":"\2\1'),
        ]
        for number, (old, new) in enumerate(changes):
            part = leave(self.folder / f"{number}.vault", encryption_key=KEY)
            journal = journal_path(part)
            changed, count = re.subn(old, new, journal.read_text(), count=1)
            self.assertEqual(count, 1)
            journal.write_text(changed)
            caller, _ = self.sides(recover(self.folder, None, KEY)[0])
            self.assertTrue(0 < caller.count(0) <= 4000)
            self.assertEqual(set(caller), {0, LOUD})

    def test_no_key(self) -> None:
        """Without the key, or with another one, all stays as it is."""
        part = leave(self.folder / "a.vault", encryption_key=KEY)
        leave(self.folder / "b.wav")
        before = [part.read_bytes(), journal_path(part).read_bytes()]
        for keys in ([], [OTHER]):
            found = dict(outcomes(self.folder, None, keys))
            self.assertIsInstance(found[part], EncryptionError)
            after = [part.read_bytes(), journal_path(part).read_bytes()]
            self.assertEqual(after, before)
        self.assertTrue((self.folder / "b.wav").exists())
        self.assertEqual(recover(self.folder, None, KEY), [self.folder / "a.vault"])

    def test_both_names(self) -> None:
        """A plain recording of the same name keeps its sidecar."""
        (self.folder / "a.wav").touch()
        leave(self.folder / "a.vault", encryption_key=KEY)
        self.assertEqual(recover(self.folder, None, KEY), [self.folder / "a-2.vault"])


class DiskTests(EncryptedTestCase):
    """What can be found on the disk while a call is recorded."""

    def record(self, name: str, key: bytes | None) -> int:
        """:returns: how often sound was seen in any file, at any moment."""
        seen = 0

        def looking(work: Callable[..., Any]) -> Callable[..., Any]:
            def do(*args: Any, **named: Any) -> Any:
                nonlocal seen
                seen += self.seen()
                result = work(*args, **named)
                seen += self.seen()
                return result

            return do

        patches = [
            self.patch(settling, "write_lines", looking(write_lines)),
            self.patch(shutil, "copy", looking(shutil.copy)),
            self.patch(Path, "rename", looking(Path.rename)),
            self.patch(Path, "unlink", looking(Path.unlink)),
            self.patch(os, "fsync", looking(os.fsync)),
        ]
        part = PartFile(self.folder / name, MULAW_8K, fsync="second",
                        encryption_key=key)  # fmt: skip
        part.open()
        for batch in said():
            part.append(batch)
            seen += self.seen()
        part.finish(Batch([], [], 3_000_000))
        for patch in patches:
            patch.restore()
        return seen + self.seen()

    def seen(self) -> int:
        """:returns: in how many files there is sound, as it is or in base64."""
        both = bytes(byte for each in PATTERN for byte in (each, each))
        forms = [PATTERN[20:40], both[20:40]]
        forms += [b64encode(PATTERN[n : n + 30]) for n in range(3)]
        found = [path.read_bytes() for path in self.folder.iterdir()]
        return sum(any(form in content for form in forms) for content in found)

    def test_plain(self) -> None:
        """One that is not encrypted is seen, so that this test can fail."""
        self.assertGreater(self.record("a.wav", None), 20)

    def test_encrypted(self) -> None:
        """One that is encrypted is not, not even what came late or while it ends."""
        self.assertEqual(self.record("a.vault", KEY), 0)
        caller, service = self.sides(self.folder / "a.vault")
        self.assertEqual(caller, service)
        self.assertEqual(len(set(caller)), 160)

    def test_copied(self) -> None:
        """The copy for what came late is encrypted too, when a crash leaves it."""
        part = leave(self.folder / "a.vault", encryption_key=KEY)
        self.patch(settling, "write_sealed", fail)
        copies = list[bytes]()
        unlink = Path.unlink

        def keep(path: Path, missing_ok: bool = False) -> None:
            if path.suffix == ".new" and path.exists():
                copies.append(path.read_bytes())
            unlink(path, missing_ok)

        self.patch(Path, "unlink", keep)
        self.assertRaises(OSError, settle, part, "ended", check=False, sync=False,
                          encryption_key=KEY)  # fmt: skip
        self.assertNotIn(b"\x80\x01\x80\x01", copies[0])
        self.assertEqual(copies[0][:8], b"TVVAULT1")


def said() -> Iterator[Batch]:
    """:returns: three seconds in which both say the pattern; some comes late."""
    for half in range(6):
        times = range(half * 500, half * 500 + 500, 20)
        heard = [] if half == 1 else [(at, PATTERN) for at in times]
        heard += [(at, PATTERN) for at in range(500, 1000, 20)] if half == 2 else []
        played = [(at * 1000, PATTERN) for at in times]
        yield Batch(heard, played, (half + 1) * 500_000)


def batch_of(number: int) -> Batch:
    """:returns: the frames of one tenth of a second of both sides."""
    frames, sound = range(number * 100, number * 100 + 100, 20), bytes([number + 1])
    played = [(at * 1000, sound * 160) for at in frames]
    end_us = number * 100_000 + 100_000
    return Batch([(at, sound * 160) for at in frames], played, end_us, end_us)


def change(path: Path, at: int) -> None:
    """Change one byte."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def recover_quietly(folder: Path) -> list[Path]:
    """:returns: what was finished; what could not be is not logged."""
    found = [outcome for _, outcome in outcomes(folder, None, [KEY])]
    return [each for each in found if isinstance(each, Path)]


def fail(*args: object, **named: object) -> None:
    """Be a disk that is full."""
    raise OSError("full")
