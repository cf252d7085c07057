"""Tests for :mod:`twistedvoice.recording.sidecar`."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Late, Moved
from twistedvoice.recording.sidecar import (
    Journal,
    Line,
    Seconds,
    checksum,
    edit_of,
    journal_path,
    parts_of,
    read_lines,
    write_lines,
)

HEAD = {"kind": "recording", "version": 1}


class SidecarTests(SynchronousTestCase):
    """Lines on their way to the disk and back."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path = folder / "call.jsonl.part"

    def test_names(self) -> None:
        """A journal lies beside its part, whatever dots are in the name."""
        part = Path("a/host.example-1.wav.part")
        journal = Path("a/host.example-1.jsonl.part")
        self.assertEqual(journal_path(part), journal)
        vault = Path("a/host.example-1.vault.part")
        self.assertEqual(journal_path(vault), journal)
        self.assertEqual(parts_of(journal), [part, vault])

    def test_edits(self) -> None:
        """What is to be changed comes back as it was."""
        journal = Journal(self.path, HEAD)
        edits: list[Late | Moved] = [
            Late(0, 160, b"\0\x7f\xff"),
            Moved([(0, 8000, -160), (9000, 9500, 8)]),
        ]
        journal.add(journal.edit(edit) for edit in edits)
        journal.sync()
        journal.close()
        head, *lines = read_lines(self.path)
        self.assertEqual(head, HEAD)
        self.assertEqual(list(map(edit_of, lines)), edits)
        self.assertIsNone(edit_of(head))

    def test_private(self) -> None:
        """Strangers cannot read it, neither as a journal nor finished."""
        Journal(self.path, HEAD).close()
        finished = self.path.with_suffix("")
        write_lines(finished, [HEAD], sync=True)
        for path in (self.path, finished):
            self.assertEqual(path.stat().st_mode & 0o027, 0)

    def test_none(self) -> None:
        """Where there is no journal there are no lines."""
        self.assertEqual(read_lines(self.path), [])

    @settings(deadline=None)
    @given(st.integers(0, 80), st.binary(max_size=20))
    def test_cut_anywhere(self, size: int, junk: bytes) -> None:
        """Of a journal that was cut, whole lines count; junk counts for nothing."""
        lines = [HEAD, {"kind": "gap", "at": 1.5}, {"kind": "clear", "at": 2.0}]
        self.path.unlink(missing_ok=True)
        journal = Journal(self.path, lines[0])
        journal.add(lines[1:])
        journal.close()
        content = self.path.read_bytes()[:size]
        whole = content.count(b"\n")
        self.path.write_bytes(content + b"\n" + junk + b'\n[1]\n{"kind":"sum"}\n\0\0')
        self.assertEqual(read_lines(self.path)[:whole], lines[:whole])

    def test_no_room(self) -> None:
        """A sidecar that cannot be written leaves the old one as it was."""
        path = self.path.with_suffix("")
        write_lines(path, [HEAD], sync=False)
        path.with_name("call.jsonl.new").mkdir()
        self.assertRaises(OSError, write_lines, path, [], sync=False)
        self.assertEqual(read_lines(path), [HEAD])


class SecondsTests(SynchronousTestCase):
    """The checksums of a growing recording."""

    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.integers(1, 40_000), max_size=8))
    def test_any_blocks(self, sizes: list[int]) -> None:
        """However the sound is cut, each whole second has its checksum."""
        sound = bytes(n * n % 251 for n in range(sum(sizes)))
        seconds, at = Seconds(MULAW_8K), 0
        lines: list[Line] = []
        for size in sizes:
            lines += seconds.add(sound[at : at + size])
            at += size
        self.assertEqual([line["at"] for line in lines],
                         [1000 * n for n in range(len(sound) // 16000)])  # fmt: skip
        for number, line in enumerate(lines):
            second = sound[number * 16000 :][:16000]
            self.assertEqual(line["blake2b"], checksum(second))
