"""Tests of ``twistedvoice.store.cdrfile``."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.store.cdrfile import append_cdr

__all__ = ["CdrFileTests"]


class CdrFileTests(SynchronousTestCase):
    """One line for each call."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "records" / "cdr.jsonl"

    def read(self, path: Path | None = None) -> list[dict[str, object]]:
        """:returns: the records in the file."""
        return [json.loads(line) for line in (path or self.path).open()]

    def test_one_line_a_record(self) -> None:
        """Records follow each other, in a file and a folder made when needed."""
        cdrs: list[dict[str, object]] = [
            {"call_id": "CA1", "marks": {"played": 2}, "first_audio_ms": None},
            {"call_id": "CA2", "text": 'line\nbreak "quoted" Zoë'},
        ]
        for cdr in cdrs:
            append_cdr(self.path, cdr)
        self.assertEqual(self.read(), cdrs)
        self.assertEqual(self.path.read_bytes().count(b"\n"), 2)

    def test_not_for_everyone(self) -> None:
        """The file is for its owner and the owner's group."""
        append_cdr(self.path, {})
        self.assertEqual(self.path.stat().st_mode & 0o027, 0)

    def test_renamed_file(self) -> None:
        """After the file was moved away a new one is begun."""
        append_cdr(self.path, {"number": 1})
        moved = self.path.rename(self.path.with_suffix(".1"))
        append_cdr(self.path, {"number": 2})
        self.assertEqual(self.read(moved), [{"number": 1}])
        self.assertEqual(self.read(), [{"number": 2}])

    def test_file_that_cannot_be_written(self) -> None:
        """Whoever keeps the record is told."""
        self.path.mkdir(parents=True)
        self.assertRaises(OSError, append_cdr, self.path, {})

    def test_line_that_is_cut_off(self) -> None:
        """A disk that takes only a part of the line is an error, not a record."""
        append_cdr(self.path, {"number": 1})
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGXFSZ, ignored)
        size = self.path.stat().st_size + 5
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            self.assertRaises(OSError, append_cdr, self.path, {"number": 2})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual(self.path.stat().st_size, size)

    def test_several_processes(self) -> None:
        """Lines of processes that share the file are never mixed."""
        program = (
            "import sys; from pathlib import Path;"
            "from twistedvoice.store.cdrfile import append_cdr\n"
            "for n in range(200):\n"
            "    append_cdr(Path(sys.argv[1]), {'who': sys.argv[2], 'n': n,"
            " 'text': sys.argv[2] * 3000})"
        )
        environ = {
            **os.environ,
            "PYTHONPATH": str(Path(twistedvoice.__file__).parents[1]),
        }
        command = [sys.executable, "-c", program, str(self.path.absolute())]
        writers = [subprocess.Popen([*command, who], env=environ) for who in "ab"]
        self.assertEqual([writer.wait() for writer in writers], [0, 0])
        records = self.read()
        for who in "ab":
            numbers = [each["n"] for each in records if each["who"] == who]
            self.assertEqual(numbers, list(range(200)))

    def test_after_a_full_disk(self) -> None:
        """A line that was cut short spoils no other."""
        path = Path(self.mktemp())
        path.write_text('{"outcome":"compl')
        append_cdr(path, {"outcome": "lost"})
        append_cdr(path, {"outcome": "silent"})
        lines = path.read_text().splitlines()
        self.assertEqual(lines[1:], ['{"outcome":"lost"}', '{"outcome":"silent"}'])
