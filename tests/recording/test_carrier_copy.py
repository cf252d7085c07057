"""Tests of fetching the carrier's copy, against the double of its API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    fail,
    maybeDeferred,
    succeed,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.outbox.performer_contract import PerformerContract
from twistedvoice.carriers.twilio.rest import TwilioRest
from twistedvoice.errors import CarrierApiError, ErrandFailed, ErrandRefused
from twistedvoice.interfaces import Errand
from twistedvoice.recording.carrier_copy import CarrierCopies, copy_errand
from twistedvoice.web.client import TreqClient

from .twilio_api import (
    ACCOUNT,
    HANG,
    PASSWORD,
    PROPER,
    Trick,
    TwilioApi,
    busy,
    fails,
)

SOUND = bytes(range(256)) * 1000


class CopyTestCase(SynchronousTestCase):
    """A call that both sides recorded, as soon as the carrier has it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.api = TwilioApi()
        self.api.call_started("CA1")
        self.sid = str(self.api.record("CA1")["sid"])
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.ours = self.folder / "n.1-a.wav"
        self.ours.touch()
        self.errand = Errand(
            id="n.1-a/copy",
            kind="copy",
            session_id="n.1-a",
            details={
                "account_id": ACCOUNT,
                "call_id": "CA1",
                "recording_id": self.sid,
                "path": str(self.ours),
            },
        )
        self.copies = self.make(keep_copy=False)
        #: What was compared, and what was added to records.
        self.compared: list[bytes] = []
        self.amended: list[tuple[str, Mapping[str, object]]] = []
        self.can_amend = True
        self.verdict: Deferred[Mapping[str, object]] = succeed({"verdict": "alike"})
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def make(self, *, keep_copy: bool) -> CarrierCopies:
        """:returns: what is tested, between the double and the test."""
        stub = StubTreq(self.api.resource)
        client = TreqClient(self.clock, request=vars(stub)["request"])
        return CarrierCopies(
            client,
            client.fetch,
            TwilioRest(ACCOUNT, (ACCOUNT, PASSWORD)),
            defer_to_thread=maybeDeferred,
            compare=self.compare,
            amend=self.amend,
            keep_copy=keep_copy,
        )

    def compare(self, ours: Path, theirs: Path) -> Deferred[Mapping[str, object]]:
        """Begin to compare."""
        self.assertEqual(ours, self.ours)
        self.compared.append(theirs.read_bytes())
        return self.verdict

    def amend(self, errand: Errand, facts: Mapping[str, object]) -> Deferred[None]:
        """Note it, unless the disk is full."""
        if not self.can_amend:
            return fail(OSError(28, "No space left on device"))
        self.amended.append((errand.session_id, facts))
        return succeed(None)

    def ready(self) -> None:
        """Have the carrier's file ready."""
        self.api.call_ended("CA1")
        self.api.sounds[self.sid] = SOUND

    def perform(self) -> Deferred[Mapping[str, object]]:
        """Begin to do it."""
        return self.copies.perform(self.errand)

    def assert_tried_later(self, expected: type[Exception] = ErrandFailed) -> None:
        """It fails this time, leaves nothing, and says nothing of the call."""
        error = self.failureResultOf(self.perform(), expected).value
        self.assertNotIsInstance(error, ErrandRefused)
        self.assert_left()
        self.assertEqual((self.amended, self.copies.counts), ([], {}))

    def assert_verdict(self, verdict: str) -> None:
        """It is done, and this is what was found."""
        self.assertEqual(self.successResultOf(self.perform()), {"verdict": verdict})
        facts = {"carrier_copy": {"verdict": verdict}}
        self.assertEqual(self.amended, [("n.1-a", facts)])
        self.assertEqual(self.copies.counts, {verdict: 1})

    def assert_left(self, *names: str) -> None:
        """Beside our recording there are these files."""
        found = {path.name for path in self.folder.iterdir()} - {self.ours.name}
        self.assertEqual(found, set(names))


class FetchTests(CopyTestCase):
    """The way to a verdict."""

    def test_compared(self) -> None:
        """Their file is fetched with our credentials, compared and removed."""
        self.ready()
        self.assert_verdict("alike")
        self.assertEqual(self.compared, [SOUND])
        self.assert_left()
        self.assertEqual([told.user for told in self.api.told], [ACCOUNT, ACCOUNT])

    def test_kept(self) -> None:
        """Their file may stay, once it was compared, readable for no stranger."""
        self.copies = self.make(keep_copy=True)
        self.ready()
        self.assert_verdict("alike")
        self.assert_left("n.1-a.carrier.wav")
        kept = self.folder / "n.1-a.carrier.wav"
        self.assertEqual(kept.read_bytes(), SOUND)
        self.assertEqual(kept.stat().st_mode & 0o007, 0)

    def test_not_done_yet(self) -> None:
        """While the recording goes on, or has no file, it is tried again later."""
        self.assert_tried_later()
        self.api.call_ended("CA1")
        self.assert_tried_later()
        self.ready()
        self.assert_verdict("alike")

    def test_elsewhere(self) -> None:
        """A file on another host is fetched there, without our credentials."""
        self.ready()
        self.api.elsewhere = "https://bucket.example"
        self.assert_verdict("alike")
        self.assertEqual(self.compared, [SOUND])
        self.assertEqual([told.user for told in self.api.told], [ACCOUNT, ACCOUNT, ""])

    def test_elsewhere_on_the_same_host(self) -> None:
        """On the carrier's own host the credentials are needed, and sent."""
        self.ready()
        self.api.elsewhere = ""
        self.assert_verdict("alike")
        self.assertEqual(self.api.told[-1].user, ACCOUNT)

    def test_elsewhere_in_clear(self) -> None:
        """A way that leads from TLS to plain HTTP is not gone."""
        self.ready()
        self.api.elsewhere = "http://api.twilio.com"
        self.assert_tried_later()
        self.assertEqual(len(self.api.told), 2)

    def test_round_and_round(self) -> None:
        """One redirect is followed, and no other."""
        self.ready()
        self.api.elsewhere = "https://bucket.example"
        del self.api.sounds[self.sid]
        self.api.play(PROPER, Trick(status=307), Trick(status=307))
        self.assert_tried_later()
        self.assertEqual(len(self.api.told), 3)

    def test_absent(self) -> None:
        """A recording that never came, or was deleted, is a verdict, not a failure."""
        for recording in self.api.recordings["CA1"]:
            recording["status"] = "absent"
        self.assert_verdict("absent")
        del self.api.recordings["CA1"]
        self.successResultOf(self.perform())
        self.assertEqual(self.copies.counts, {"absent": 2})
        self.assertEqual(self.compared, [])

    def test_mono(self) -> None:
        """One that the carrier does not have in two channels is a verdict too."""
        self.ready()
        self.api.play(PROPER, Trick(status=400))
        self.assert_verdict("mono")
        self.assert_left()


class TroubleTests(CopyTestCase):
    """What goes wrong on the way."""

    def test_api_fails(self) -> None:
        """Whatever the API answers, or when, it is tried again later."""
        self.ready()
        for trick in (busy(), fails(503), Trick(status=401, code=20003)):
            self.api.play(trick)
            self.assert_tried_later(CarrierApiError)
            self.api.play(PROPER, trick)
            self.assert_tried_later()
        self.assertEqual(self.compared, [])

    def test_api_hangs(self) -> None:
        """A request that is not answered is given up, and leaves nothing."""
        self.ready()
        for tricks in ((HANG,), (PROPER, HANG)):
            self.api.play(*tricks)
            performed = self.perform()
            self.clock.advance(10)
            self.failureResultOf(performed, CarrierApiError)
            self.assert_left()

    def test_cancelled(self) -> None:
        """A comparison that is cancelled is broken off, and leaves nothing."""
        self.ready()
        broken_off: list[object] = []
        self.verdict = Deferred(broken_off.append)
        performed = self.perform()
        self.assertEqual(len(self.compared), 1)
        performed.cancel()
        self.failureResultOf(performed, CancelledError)
        self.assertEqual(broken_off, [self.verdict])
        self.assert_left()

    def test_comparison_fails(self) -> None:
        """What the comparison fails with is passed on; their file is gone."""
        self.copies = self.make(keep_copy=True)
        self.ready()
        self.verdict = Deferred()
        performed = self.perform()
        self.verdict.errback(ErrandRefused("no sound"))
        self.failureResultOf(performed, ErrandRefused)
        self.assert_left()

    def test_left_by_a_crash(self) -> None:
        """What an attempt left that was killed is written over."""
        self.ready()
        (self.folder / "n.1-a.carrier.wav.new").write_bytes(SOUND * 2)
        self.assert_verdict("alike")
        self.assertEqual(self.compared, [SOUND])
        self.assert_left()

    def test_ours_is_gone(self) -> None:
        """Without our recording there is nothing to compare, and nobody is asked."""
        self.ready()
        self.ours.unlink()
        self.failureResultOf(self.perform(), ErrandRefused)
        self.assertEqual(self.api.told, [])

    def test_disk_is_away(self) -> None:
        """When even the folder is not there, the disk may come back."""
        self.ready()
        away = self.folder.rename(self.folder.with_name("away"))
        error = self.failureResultOf(self.perform()).value
        self.assertIsInstance(error, FileNotFoundError)
        away.rename(self.folder)
        self.assert_verdict("alike")

    def test_record_cannot_be_amended(self) -> None:
        """A verdict counts once it is in the call's record."""
        self.ready()
        self.can_amend = False
        self.failureResultOf(self.perform(), OSError)
        self.assertEqual(self.copies.counts, {})


class ContractTests(PerformerContract, CopyTestCase):
    """What it shares with all that perform."""

    def begin(self) -> Deferred[Mapping[str, object]]:
        """Fetch it; the comparison takes its time."""
        self.ready()
        self.verdict = Deferred()
        return self.perform()

    def go_on(self) -> None:
        """The comparison is done."""
        self.verdict.callback({"verdict": "alike"})


class ErrandTests(SynchronousTestCase):
    """Which calls have a copy to be fetched."""

    cdr: Mapping[str, Any] = {
        "session_id": "n-1-a",
        "call_id": "CA1",
        "account_id": ACCOUNT,
        "recording": {"state": "done", "path": "/r/n-1-a.wav"},
        "carrier_recording": {"state": "done", "sid": "RE1", "reason": "created"},
    }

    def test_errand(self) -> None:
        """A call that both sides recorded has one, always under the same id."""
        errand = copy_errand(self.cdr)
        assert errand is not None
        self.assertEqual(errand, copy_errand(self.cdr))
        self.assertEqual((errand.id, errand.kind), ("n-1-a/copy", "copy"))
        self.assertEqual(
            errand.details,
            {
                "account_id": ACCOUNT,
                "call_id": "CA1",
                "recording_id": "RE1",
                "path": "/r/n-1-a.wav",
            },
        )
        self.assertEqual(errand.session_id, "n-1-a")

    def test_none(self) -> None:
        """When either has no recording, or not all of it, there is nothing to do."""
        for side in ("recording", "carrier_recording"):
            for state in ("failed", "skipped"):
                self.assertIsNone(copy_errand({**self.cdr, side: {"state": state}}))
            self.assertIsNone(
                copy_errand({k: v for k, v in self.cdr.items() if k != side})
            )
