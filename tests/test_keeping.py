"""Tests for :mod:`twistedvoice.keeping`."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.house import HouseReactor, house, settings
from tests.recording.left import leave
from twistedvoice.config import Config
from twistedvoice.keeping import Keeping
from twistedvoice.recording.seal import sealed
from twistedvoice.recording.settle import settle
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.store.memory import MemoryStore


class KeepingTests(SynchronousTestCase):
    """What is made of the settings, and how it is joined."""

    def setUp(self) -> None:
        """A reactor on which nothing happens, and a folder."""
        self.reactor = HouseReactor()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def keeping(self, config: Config) -> Keeping:
        """:returns: one, of a house of this configuration; nothing is started."""
        made = house(self.reactor, config)
        assert isinstance(made.store, MemoryStore)
        self.store = made.store
        return made.keeping

    def secret(self, text: str = "x" * 32) -> str:
        """:returns: the path of a file with a secret."""
        path = Path(self.mktemp())
        path.write_text(text)
        return str(path)

    def recorded_by_carrier(self, recordings: str) -> Config:
        """:returns: a configuration in which the carrier records too."""
        return settings(
            recordings=recordings,
            carrier_recording_enabled=1,
            twilio_account_sid="AC" + "0" * 32,
            twilio_api_key_sid="SK" + "0" * 32,
            twilio_api_key_secret_file=self.secret(),
        )

    def told(self, **options: str) -> Config:
        """:returns: a configuration in which a receiver is told of recordings."""
        return settings(
            recordings=str(self.folder),
            webhook_url="http://127.0.0.1:9/hook",
            webhook_secret_file=self.secret("whsec_" + "k" * 32),
            **options,
        )

    def uploaded(self) -> dict[str, str]:
        """:returns: the settings for export and upload."""
        return {
            "export_format": "flac",
            "s3_bucket": "calls",
            "s3_access_key_id": "AKIA",
            "s3_secret_access_key_file": self.secret(),
        }

    def test_nothing(self) -> None:
        """Where nothing is recorded there is nobody to record, count or perform."""
        made = self.keeping(settings())
        self.assertEqual((made.observers, made.performers), ([], {}))
        for counts in (made.recording_counts, made.copy_counts, made.carrier_counts()):
            self.assertEqual(counts, {})
        made.recorded_by_carrier({"RecordingSid": "RE1"})

    def test_recorders(self) -> None:
        """Each recorder is there when it is wanted, and observes every call."""
        made = self.keeping(self.recorded_by_carrier(str(self.folder)))
        self.assertEqual(made.observers, [made.local, made.carrier_side])
        self.assertNotIn(None, made.observers)

    def test_reloaded(self) -> None:
        """New credentials are those of all that asks the carrier."""
        config = self.recorded_by_carrier(str(self.folder))
        made = house(self.reactor, config)
        made.apply(config, made.routes)
        keeping = made.keeping
        assert keeping.copies is not None and keeping.carrier_side is not None
        self.assertIs(keeping.copies.rest, keeping.carrier_side.rest)
        self.assertIsNotNone(made.services.control)

    def test_callbacks(self) -> None:
        """What the carrier tells of a recording is heard by who has it recorded."""
        made = self.keeping(self.recorded_by_carrier(""))
        form = {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "completed"}
        made.recorded_by_carrier(form)
        self.assertEqual(made.carrier_counts()["callbacks"], 1)

    def test_copies(self) -> None:
        """What both sides recorded is to be compared, if we keep recordings at all."""
        cdr: dict[str, object] = {
            "session_id": "s-1",
            "call_id": "CA1",
            "account_id": "AC1",
            "recording": {"state": "done", "path": "/r/s-1.wav"},
            "carrier_recording": {"state": "done", "sid": "RE1"},
        }
        for folder, posted in ((str(self.folder), ["s-1/copy"]), ("", [])):
            made = self.keeping(self.recorded_by_carrier(folder))
            self.successResultOf(made.records.keep(cdr))
            errands = self.successResultOf(self.store.errands())
            self.assertEqual([each.errand.id for each in errands], posted)

    def test_performers(self) -> None:
        """What is to be done after a call can be done, and nothing else."""
        config = settings(**self.uploaded(), recordings=str(self.folder))
        self.assertEqual([*self.keeping(config).performers], ["export", "upload"])
        config = self.recorded_by_carrier(str(self.folder))
        self.assertEqual([*self.keeping(config).performers], ["copy"])

    def test_sealed(self) -> None:
        """What is recorded, and what a dead process left, is sealed with the key."""
        config = settings(recordings=str(self.folder), recording_key_file=self.secret())
        made = self.keeping(config)
        assert made.local is not None
        leave(self.folder / "a.wav")
        made.local.startService()
        self.reactor.advance(1)
        end = read_lines(self.folder / "a.jsonl")[-1]
        self.assertEqual(end["seal"], sealed(end["chain"], b"x" * 32))

    def test_encrypted(self) -> None:
        """What is recorded, and what a dead process left, is encrypted with the key."""
        key = bytes(range(32))
        secret = self.secret(key.hex())
        made = self.keeping(
            settings(recordings=str(self.folder), recording_encryption_key_file=secret)
        )
        assert made.local is not None
        leave(self.folder / "a.vault", encryption_key=key)
        made.local.startService()
        self.reactor.advance(1)
        self.assertTrue((self.folder / "a.vault").exists())

    def test_encrypted_and_carrier(self) -> None:
        """The carrier's file is not fetched: it would lie on the disk as it came."""
        config = self.recorded_by_carrier(str(self.folder))
        recording = evolve(config.recording, encryption_key="00" * 32)
        made = self.keeping(evolve(config, recording=recording))
        self.assertIsNone(made.copies)
        self.assertIsNotNone(made.carrier_side)

    def test_chain(self) -> None:
        """All that is configured is posted, each after the one before."""
        made = self.keeping(self.told(**self.uploaded()))
        settle(leave(self.folder / "S1.wav"), "ended", check=False, sync=False)
        assert made.posting is not None
        made.posting.startService()
        kept = self.successResultOf(self.store.errands())
        self.assertEqual(
            [(each.errand.kind, each.errand.after) for each in kept],
            [("export", ""), ("upload", "S1/export"), ("webhook", "S1/upload")],
        )

    def test_after_a_call(self) -> None:
        """A finished recording is posted, and its receiver called; the rest is kept."""
        made = self.keeping(self.told())
        settle(leave(self.folder / "S1.wav"), "ended", check=False, sync=False)
        made.start()
        self.assertEqual(
            [each[:2] for each in self.reactor.tcpClients], [("127.0.0.1", 9)]
        )
        self.assertEqual(list(self.folder.rglob("*.todo")), [])
        stopped = made.stop()
        self.reactor.pump([1.0] * 20)
        self.successResultOf(stopped)
        [kept] = self.successResultOf(self.store.errands())
        self.assertEqual((kept.errand.id, kept.holder), ("S1/webhook", ""))
        self.successResultOf(made.dispose())
        self.assertEqual(self.reactor.getDelayedCalls(), [])
