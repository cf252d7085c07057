"""Tests for :mod:`twistedvoice.recording.seal`."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import ConfigError
from twistedvoice.recording.recovery import recover
from twistedvoice.recording.seal import Chain, read_key, write_sealed
from twistedvoice.recording.settle import settle
from twistedvoice.recording.sidecar import Line, read_lines, sum_line

from .left import leave

KEY = b"0123456789abcdef"
LINES: list[Line] = [
    {"kind": "recording", "version": 1},
    sum_line(0, 1000, "d1"),
    {"kind": "gap", "at": 5},
    {"kind": "end", "at": 1000},
]


class SealTests(SynchronousTestCase):
    """The chain through a sidecar, and its seal."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "a.jsonl"

    def test_as_documented(self) -> None:
        """A link is the SHA-256 of the text before it; the seal is the last one's."""
        head, seal = write_sealed(self.path, LINES, KEY, sync=True)
        text = self.path.read_bytes()
        for line in (text.splitlines(keepends=True)[index] for index in (1, 3)):
            before, _, rest = line.partition(b',"chain":"')
            until = text.index(line) + len(before)
            link = hashlib.sha256(text[:until]).hexdigest()
            self.assertEqual(rest[:65], link.encode() + b'"')
        self.assertEqual(head, link)
        self.assertEqual(seal, hmac.digest(KEY, link.encode(), "sha256").hex())
        first, _, third, last = read_lines(self.path)
        self.assertEqual([first, third], [LINES[0], LINES[2]])
        self.assertEqual(last, {**LINES[3], "chain": head, "seal": seal})

    def test_no_key(self) -> None:
        """Without a key there is a chain, and no seal."""
        head, seal = write_sealed(self.path, LINES, None, sync=False)
        self.assertEqual(seal, "")
        self.assertEqual(read_lines(self.path)[-1], {**LINES[3], "chain": head})

    def test_read(self) -> None:
        """What was written is read as true; after a change no link is."""
        head, seal = write_sealed(self.path, LINES, KEY, sync=False)
        lines = self.path.read_bytes().splitlines(keepends=True)
        chain = Chain()
        self.assertEqual(list(map(chain.read, lines)), [None, True, None, True])
        self.assertEqual((chain.head, chain.seal), (head, seal))
        lines[0] = lines[0].replace(b"1", b"2")
        self.assertEqual(list(map(Chain().read, lines))[1], False)
        chain = Chain()
        self.assertEqual(list(map(chain.read, lines)), [None, False, None, False])

    def test_every_end(self) -> None:
        """A recording is sealed however it ends: by its call, or found later."""
        settled = settle(
            leave(self.folder / "a.wav"), "ended", check=False, sync=False, key=KEY
        )
        leave(self.folder / "b.wav")
        (recovered,) = recover(self.folder, KEY)
        for path in (settled.path, recovered):
            end = read_lines(path.with_suffix(".jsonl"))[-1]
            seal = hmac.digest(KEY, end["chain"].encode(), "sha256").hex()
            self.assertEqual(end["seal"], seal)
        end = read_lines(settled.path.with_suffix(".jsonl"))[-1]
        self.assertEqual((settled.chain, settled.seal), (end["chain"], end["seal"]))

    def test_read_key(self) -> None:
        """A key has no white space around it, and is long enough to be one."""
        path = self.folder / "key"
        path.write_bytes(b" 0123456789abcdef\n")
        self.assertEqual(read_key(path), KEY)
        path.write_bytes(b" 0123456789abcde\n")
        self.assertRaises(ConfigError, read_key, path)
        self.assertRaises(ConfigError, read_key, self.folder / "none")
