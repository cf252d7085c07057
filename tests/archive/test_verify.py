"""Tests for :mod:`twistedvoice.archive.verify`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.recording.left import CALLER, SERVICE
from twistedvoice.archive.verify import Verdict, verify
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.seal import write_sealed
from twistedvoice.recording.sidecar import (
    Line,
    checksum,
    read_lines,
    write_lines,
)

KEY = b"sixteen bytes or more"
HEADER, SECOND = 58, 16_000


class VerifyTests(SynchronousTestCase):
    """What can happen to a recording of two and a half seconds."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path, self.chain = self.record("n1-a", KEY)
        self.sidecar = self.path.with_suffix(".jsonl")

    def record(
        self, name: str, key: bytes | None = None, sound: bytes = CALLER
    ) -> tuple[Path, str]:
        """:returns: where a recording is, and its chain as the CDR has it."""
        about = {"session_id": name}
        part = PartFile(self.folder / f"{name}.wav", MULAW_8K, about=about, key=key)
        part.open()
        times = range(0, 2500, 20)
        heard = [(at, sound) for at in times]
        played = [(at * 1000, SERVICE) for at in times]
        part.finish(Batch(heard, played, 2_500_000))
        assert part.path is not None
        return part.path, part.chain

    def verify(self, key: bytes | None = KEY, chain: str | None = None) -> Verdict:
        """Check the recording of the test."""
        return verify(self.path, key, chain=chain)

    def assert_changed(self, problem: str, key: bytes | None = KEY) -> None:
        """The recording is not what was recorded; one sentence says so."""
        verdict = self.verify(key)
        self.assertEqual(verdict.state, "changed")
        self.assertIn(problem, verdict.problems)

    def rewrite(self, lines: list[Line], key: bytes | None = None) -> None:
        """Make the sidecar anew, as one can who knows how but has not the key."""
        for line in lines:
            assert isinstance(line, dict)
            line.pop("chain", None)
            line.pop("seal", None)
        write_sealed(self.sidecar, lines, key, sync=False)

    def edit(self, at: int, new: bytes) -> None:
        """Write over the sound file."""
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(new)

    # -- as it was --------------------------------------------------------------------

    def test_intact(self) -> None:
        """An untouched recording is intact, by its seal and by the call's record."""
        verdict = self.verify(chain=self.chain)
        self.assertEqual((verdict.state, verdict.problems), ("intact", ()))
        self.assertEqual(verdict.session_id, "n1-a")
        self.assertEqual(verdict.chain, self.chain)
        self.assertEqual(len(verdict.seal), 64)

    def test_unkeyed(self) -> None:
        """Without the key, or without a seal, that much is said."""
        verdict = self.verify(None)
        self.assertEqual(verdict.state, "unkeyed")
        self.assertEqual(
            verdict.problems, ("its seal was not checked, as there is no key",)
        )
        self.path, _ = self.record("n1-b")
        verdict = self.verify()
        self.assertEqual(verdict.state, "unkeyed")
        self.assertEqual(verdict.problems, ("it has no seal",))

    def test_second_name(self) -> None:
        """A recording that had to take a second name is intact by that."""
        self.path, _ = self.record("n1-a", KEY)
        self.assertEqual(self.path.name, "n1-a-2.wav")
        self.assertEqual(self.verify().state, "intact")

    # -- any change -------------------------------------------------------------------

    def test_any_byte_of_the_sidecar(self) -> None:
        """Whichever byte of the sidecar is another, it is not intact."""
        content = self.sidecar.read_bytes()
        for at in range(len(content)):
            self.sidecar.write_bytes(_flipped(content, at))
            self.assertNotIn(self.verify().state, ("intact", "unkeyed"), at)

    def test_any_byte_of_the_sound(self) -> None:
        """Whichever byte of the header or of the sound is another, it is changed."""
        content = self.path.read_bytes()
        places = [*range(HEADER), *range(HEADER, len(content), 797), len(content) - 1]
        for at in places:
            self.path.write_bytes(_flipped(content, at))
            self.assertEqual(self.verify(None).state, "changed", at)

    def test_any_length(self) -> None:
        """Cut anywhere, or longer, neither file is intact."""
        for path in (self.path, self.sidecar):
            content = path.read_bytes()
            for size in range(0, len(content), 1 + len(content) // 300):
                path.write_bytes(content[:size])
                self.assertNotIn(self.verify().state, ("intact", "unkeyed"), size)
            for more in (b"\0", b"\n", b"{}\n"):
                path.write_bytes(content + more)
                self.assertEqual(self.verify(None).state, "changed", more)
            path.write_bytes(content)

    def test_any_line(self) -> None:
        """A line that is gone, comes twice or stands elsewhere is a change."""
        lines = self.sidecar.read_bytes().splitlines(keepends=True)
        for at, line in enumerate(lines):
            gone = [*lines[:at], *lines[at + 1 :]]
            for changed in (gone, [*gone[:at], line, line, *gone[at:]], [*gone, line],
                            [line, *gone]):  # fmt: skip
                if changed != lines:
                    self.sidecar.write_bytes(b"".join(changed))
                    self.assertEqual(self.verify().state, "changed", changed)

    # -- what is said -----------------------------------------------------------------

    def test_sound(self) -> None:
        """It is said from when to when the sound is another."""
        self.edit(HEADER + SECOND + 5, b"?")
        self.edit(HEADER + 2 * SECOND + 5, b"?")
        self.assert_changed(
            "the sound from 0:00:01 to 0:00:02.500 is not what was recorded"
        )

    def test_header(self) -> None:
        """A header that plays the sound at another pace is named."""
        self.edit(24, (11025).to_bytes(4, "little"))
        self.assert_changed("its header is not what was written")
        self.edit(0, b"RIFX")
        self.assertEqual(self.verify(None).state, "changed")

    def test_longer(self) -> None:
        """What was added is told, with the time from which on it was."""
        self.edit(HEADER + SECOND * 5 // 2, b"more")
        self.assert_changed("4 bytes behind 0:00:02.500 have no checksum")

    def test_cut_sidecar(self) -> None:
        """Of a cut sidecar it is said how far it holds."""
        lines = self.sidecar.read_bytes().splitlines(keepends=True)
        self.sidecar.write_bytes(b"".join(lines[:4]))
        self.assert_changed("its sidecar is whole up to line 4, then cut")

    def test_changed_sidecar(self) -> None:
        """Of a changed sidecar it is said between which lines."""
        lines = self.sidecar.read_bytes().splitlines(keepends=True)
        lines[3] = lines[3].replace(b'"at":1000', b'"at":1001')
        self.sidecar.write_bytes(b"".join(lines))
        self.assert_changed("its sidecar was changed between lines 4 and 4")

    # -- on purpose -------------------------------------------------------------------

    def test_other_key(self) -> None:
        """A seal of another key is none of ours."""
        verdict = self.verify(b"another key of some length")
        self.assertEqual(verdict.state, "changed")
        self.assertEqual(verdict.problems, ("its seal was not made with this key",))

    def test_chain_made_anew(self) -> None:
        """Who changes the sound and makes sums and chain anew cannot make the seal."""
        self.edit(HEADER, b"forged")
        lines: list[Line] = list(read_lines(self.sidecar))
        sound = self.path.read_bytes()[HEADER:]
        lines[2] = {**lines[2], "blake2b": checksum(sound[:SECOND])}
        seal = lines[-1]["seal"]
        self.rewrite(lines)
        self.assertEqual(self.verify().problems, ("it has no seal",))
        text = self.sidecar.read_text().removesuffix("}\n")
        self.sidecar.write_text(f'{text},"seal":"{seal}"}}\n')
        self.assert_changed("its seal was not made with this key")
        self.assertEqual(self.verify(None).state, "unkeyed")
        self.assertEqual(self.verify(None, self.chain).state, "changed")

    def test_swapped(self) -> None:
        """Another sealed recording under this name is told from it."""
        other, _ = self.record("n1-b", KEY, sound=b"\x11" * 160)
        other.replace(self.path)
        self.assertEqual(self.verify().state, "changed")
        other.with_suffix(".jsonl").replace(self.sidecar)
        self.assert_changed("it is the recording of 'n1-b'")
        self.assertIn(
            "its chain is not the one in the call's record",
            self.verify(chain=self.chain).problems,
        )

    # -- nothing to compare with ------------------------------------------------------

    def test_unchecked(self) -> None:
        """Without a sidecar, a chain or a name in it nothing is known, and is said."""
        lines: list[Line] = list(read_lines(self.sidecar))
        self.rewrite(lines[1:], KEY)
        self.assert_unchecked("nothing says which call it is of")
        write_lines(self.sidecar, lines, sync=False)
        self.assert_unchecked("its sidecar has no chain")
        self.assertEqual(self.verify(chain=self.chain).state, "changed")
        self.edit(HEADER, b"?")
        self.assertEqual(self.verify().state, "changed")
        self.sidecar.unlink()
        self.assert_unchecked("there is no sidecar beside it")

    def assert_unchecked(self, problem: str) -> None:
        """There is nothing to hold it against, and it is said what is missing."""
        verdict = self.verify()
        self.assertEqual(verdict.state, "unchecked")
        self.assertIn(problem, verdict.problems)

    def test_strange_lines(self) -> None:
        """Lines that no recorder wrote are no reason to stop."""
        lines: list[Line] = [{"kind": "sum", "at": at, "ms": ms, "blake2b": 7}
                             for at, ms in (("x", 1), (-1, 1), (0, 9e9), (1e300, 1),
                                            (float("nan"), 1), (0, None))]  # fmt: skip
        self.rewrite([*lines, {"kind": "header"}, {"kind": None}, {"kind": "end"}])
        self.assertEqual(self.verify(None).state, "changed")
        self.sidecar.write_bytes(b"[" * 200_000)
        self.assertEqual(self.verify(None).state, "changed")

    def test_no_recording(self) -> None:
        """What cannot be read is an error; what is no recording is changed."""
        self.assertRaises(OSError, verify, self.folder / "none.wav", KEY)
        self.edit(22, b"\xff\xff")
        self.edit(32, (0xFFFF).to_bytes(2, "little"))
        self.assertEqual(self.verify().state, "changed")


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
