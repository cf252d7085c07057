"""Tests for :mod:`twistedvoice.archive.verifying`."""

from __future__ import annotations

from pathlib import Path

from tests.archive.made import made
from tests.archive.people import CommandTestCase
from tests.recording.left import leave
from twistedvoice.archive import verifying
from twistedvoice.archive.verify import Verdict
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.store.cdrfile import append_cdr

KEY = "sixteen bytes or more"


class VerifyTests(CommandTestCase):
    """``twistedvoice recordings verify``."""

    def setUp(self) -> None:
        """One recording with a seal, and its key in a file."""
        super().setUp()
        self.key = Path(self.mktemp())
        self.key.write_text(f"{KEY}\n")
        self.path = self.day / "sealed.wav"
        about = {"session_id": "sealed"}
        self.part = PartFile(self.path, MULAW_8K, about=about, key=KEY.encode())
        self.part.open()
        self.part.finish(Batch([], [], 2_000_000))

    def verify(self, *words: object) -> int:
        """:returns: the exit status."""
        return self.run_command("verify", self.folder, *words)

    def change(self) -> None:
        """Change one byte of the sound."""
        with self.path.open("r+b") as file:
            file.seek(10_000)
            file.write(b"\x11")

    def test_intact(self) -> None:
        """With the key it is known that nothing was changed."""
        self.assertEqual(self.verify("--key-file", self.key), 0)
        self.assertEqual(self.out.getvalue(), "1 recording, 1 intact\n")

    def test_unkeyed(self) -> None:
        """Without it the seal is not checked, which is no fault."""
        self.assertEqual(self.verify(), 0)
        self.assertEqual(self.out.getvalue(), "1 recording, 1 unkeyed\n")

    def test_not_proven(self) -> None:
        """With the key, what it does not prove is told of, and the status is 1."""
        bare = made(self.folder, "bare")
        bare.with_suffix(".jsonl").unlink()
        self.assertEqual(self.verify("--key-file", self.key), 1)
        self.assertIn(f"{bare}: unchecked\n", self.out.getvalue())
        bare.unlink()
        sidecar = self.path.with_suffix(".jsonl")
        sealed = sidecar.read_bytes()
        sidecar.write_bytes(sealed[: sealed.rindex(b',"seal"')] + b"}\n")
        self.assertEqual(self.verify("--key-file", self.key), 1)
        self.assertIn("unkeyed\n    it has no seal\n", self.out.getvalue())
        self.assertEqual(self.verify(), 0)

    def test_records(self) -> None:
        """What is not the recording that the call's record tells of was changed."""
        cdr = Path(self.mktemp())
        for chain, status in ((self.part.chain, 0), ("0" * 64, 1)):
            append_cdr(cdr, {"session_id": "sealed", "recording": {"chain": chain}})
            self.assertEqual(self.verify("--cdr", cdr), status)
        self.assertIn("not the one in the call's record", self.out.getvalue())
        self.assertEqual(self.verify("--cdr", self.folder / "none"), 2)

    def test_changed(self) -> None:
        """What was changed is named, with the place, and the status is 1."""
        self.change()
        self.assertEqual(self.verify(), 1)
        self.assertIn(f"{self.path}: changed\n    the sound from ", self.out.getvalue())
        self.assertIn("\n1 recording, 1 changed\n", self.out.getvalue())

    def test_json(self) -> None:
        """Programs get a line for each, whatever came out."""
        self.change()
        leave(self.day / "left.wav")
        bare = made(self.folder, "bare")
        bare.with_suffix(".jsonl").unlink()
        self.assertEqual(self.verify("--json"), 1)
        states = {Path(each["path"]).name: each["state"] for each in self.told()}
        self.assertEqual(
            states,
            {"sealed.wav": "changed", "left.wav.part": "left", "bare.wav": "unchecked"},
        )

    def test_unfinished(self) -> None:
        """What is not finished yet is counted, and no fault."""
        leave(self.day / "left.wav")
        self.assertEqual(self.run_command("verify", self.day / "left.wav.part"), 0)
        self.assertEqual(self.out.getvalue(), "1 recording, 1 to be recovered\n")

    def test_unreadable(self) -> None:
        """What cannot be read is a fault."""

        def unreadable(path: Path, key: bytes | None, **named: object) -> Verdict:
            raise PermissionError(13, "not yours", str(path))

        self.patch(verifying, "verify", unreadable)
        self.assertEqual(self.verify(), 1)
        self.assertIn(f"{self.path}: unreadable\n    ", self.out.getvalue())
        self.assertIn("1 recording, 1 unreadable\n", self.out.getvalue())

    def test_no_key(self) -> None:
        """A file without a key is a mistake."""
        self.key.write_text("\n")
        self.assertEqual(self.verify("--key-file", self.key), 2)
        self.assertIn("holds no key", self.errors.getvalue())
