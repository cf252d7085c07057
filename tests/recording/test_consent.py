"""Tests of consent: before it there is no recording anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from attrs import evolve
from twisted.internet.defer import execute
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.services import Route
from twistedvoice.recording.local import LocalRecordings
from twistedvoice.recording.parts import PartsHere
from twistedvoice.recording.sidecar import read_lines

from ..calls.doubles import Exchange, Line, Notebook, tone
from .test_carrier_side import World, call_record
from .test_local import HELLO, LOUD, LOW, LineCall, LocalTestCase
from .test_pauses import ON_ITS_WAY


class LocalConsentTests(LocalTestCase):
    """A recording here that waits for consent."""

    def setUp(self) -> None:
        super().setUp()
        self.call = LineCall(self, needs_consent=True)

    def begin(self, seconds: float) -> None:
        """Let both sides speak, without consent; there is no file of it."""
        self.call.said_something()
        self.call.talk(seconds)
        self.assertEqual(self.names("."), [])
        self.assertLess(self.call.waiting_bytes(), 12_000)

    def lines(self, facts: dict[str, Any], *kinds: str) -> list[tuple[str, float]]:
        """:returns: when what of these kinds was, by the sidecar."""
        sidecar = read_lines(Path(facts["path"]).with_suffix(".jsonl"))
        return [(each["kind"], each["at"]) for each in sidecar if each["kind"] in kinds]

    def test_never_given(self) -> None:
        """Without it nothing is stored, and the CDR says why."""
        self.begin(40)
        facts = self.facts(self.call)
        self.assertEqual((facts["state"], facts["reason"]), ("skipped", "no_consent"))
        self.assertIsNone(facts["path"])
        self.assertEqual((self.names("."), self.thread.done), ([], []))

    def test_given(self) -> None:
        """From then on it is recorded; time begins at the start, in silence."""
        self.begin(35)
        self.call.ask("consent")
        self.call.talk(1)
        self.call.ask("consent")
        self.call.talk(1)
        facts = self.facts(self.call)
        self.assertEqual((facts["state"], facts["duration_ms"]), ("done", 37_000))
        self.assertEqual((facts["paused_ms"], facts["degraded"]), (0, False))
        caller, service = self.samples(facts)
        self.assertEqual(service, [0] * 35 * 8000 + [LOW] * 16_000)
        silent = 35 * 8000 + ON_ITS_WAY
        self.assertEqual(caller, [0] * silent + [LOUD] * (37 * 8000 - silent))
        self.assertEqual(
            self.lines(facts, "pause", "resume", "gap", "clock", "lost"),
            [("pause", 0), ("resume", 35_000)],
        )

    def test_on_its_way(self) -> None:
        """What the caller said before and comes after it is not recorded."""
        self.call.said_something()
        self.call.talk(1)
        self.call.ask("consent")
        for at_ms in range(900, 1000, 20):
            self.call.tracks.heard.add(at_ms, HELLO)
        self.call.talk(1)
        caller, _ = self.samples(self.facts(self.call))
        self.assertEqual(set(caller[: 8000 + ON_ITS_WAY]), {0})
        self.assertEqual(set(caller[8000 + ON_ITS_WAY :]), {LOUD})

    def test_given_at_once(self) -> None:
        """It may be given before anything was said."""
        self.call.ask("consent")
        self.call.talk(1, us=False)
        self.assertEqual(self.names("."), [])
        self.call.said_something()
        self.call.talk(1)
        _, service = self.samples(self.facts(self.call))
        self.assertEqual(service, [0] * 8000 + [LOW] * 8000)

    def test_paused_meanwhile(self) -> None:
        """Who is paused when the caller agrees is silent until the resume."""
        self.begin(1)
        self.call.ask("pause")
        self.call.talk(1)
        self.call.ask("consent")
        self.call.talk(1)
        self.call.ask("resume")
        self.call.talk(1)
        facts = self.facts(self.call)
        self.assertEqual(self.samples(facts)[1], [0] * 24_000 + [LOW] * 8000)
        self.assertEqual(facts["paused_ms"], 2000)

    def test_paused_before(self) -> None:
        """A pause that is over when the caller agrees changes nothing."""
        self.begin(1)
        self.call.ask("pause")
        self.call.talk(1)
        self.call.ask("resume")
        self.call.talk(1)
        self.assertEqual(self.names("."), [])
        self.call.ask("consent")
        self.call.talk(1)
        facts = self.facts(self.call)
        self.assertEqual(self.samples(facts)[1], [0] * 24_000 + [LOW] * 8000)
        self.assertEqual(facts["paused_ms"], 1000)

    def test_no_need(self) -> None:
        """Where none is needed it changes nothing."""
        call = LineCall(self, "n1-2")
        call.said_something()
        call.talk(1)
        call.ask("consent")
        facts = self.facts(call)
        self.assertEqual(self.samples(facts)[1], [LOW] * 8000)
        self.assertEqual(self.lines(facts, "pause", "resume"), [])


class CarrierConsentTests(SynchronousTestCase):
    """A recording at the carrier that waits for consent."""

    def setUp(self) -> None:
        self.world = World()
        self.record = evolve(call_record(), needs_consent=True)
        self.world.recordings.call_started(self.record, None)

    def report(self) -> object:
        """:returns: what the CDR says."""
        facts = self.successResultOf(self.world.end())["carrier_recording"]
        return cast("dict[str, object]", facts)

    def test_never_given(self) -> None:
        """Without it the carrier is asked for nothing."""
        self.world.recordings.first_audio_sent(self.record)
        self.world.wait(60)
        self.assertEqual(
            self.report(), {"state": "skipped", "sid": None, "reason": "no_consent"}
        )
        self.assertEqual(self.world.api.told, [])

    def test_given(self) -> None:
        """It begins when the caller agreed and something was said."""
        for agreed_first in (True, False):
            self.setUp()
            for step in (agreed_first, not agreed_first):
                self.assertEqual(self.world.api.told, [])
                if step:
                    self.world.recordings.asked(self.record, "consent")
                else:
                    self.world.recordings.first_audio_sent(self.record)
            self.assertEqual(self.world.counts, (1, 0))

    def test_paused(self) -> None:
        """Who agrees while it is paused is recorded from the resume on."""
        self.world.recordings.first_audio_sent(self.record)
        self.world.recordings.asked(self.record, "pause")
        self.world.recordings.asked(self.record, "consent")
        self.assertEqual(self.world.api.told, [])
        self.world.recordings.asked(self.record, "resume")
        self.assertEqual(self.world.counts, (1, 0))

    def test_another_stream(self) -> None:
        """What was agreed to on a stream holds for the call's next ones."""
        self.world.recordings.asked(self.record, "consent")
        second = evolve(call_record("2"), needs_consent=True)
        self.world.recordings.call_started(second, None)
        self.world.recordings.first_audio_sent(second)
        self.assertEqual(self.world.counts, (1, 0))


class KeyTests(SynchronousTestCase):
    """The caller agrees by a key."""

    def setUp(self) -> None:
        clock, self.agent = Clock(), Notebook()
        self.folder = Path(self.mktemp())
        recordings = LocalRecordings(clock, self.folder, execute, PartsHere())
        recordings.startService()
        self.exchange = Exchange(clock=clock, observers=(recordings,))
        self.exchange.services.route = self.route_with("1")

    def route_with(self, key: str) -> Any:
        """:returns: what finds a route whose calls are recorded after this key."""
        return lambda number: Route(
            agent_name="test", make_agent=lambda: self.agent, consent_key=key
        )

    def talk(self, line: Line, seconds: float = 1) -> None:
        """Both sides speak for a while."""
        self.agent.call.say(tone(round(seconds * 1000)))
        for _ in range(round(seconds * 50)):
            line.sound()
            self.exchange.advance(0.02)

    def ended(self, line: Line) -> tuple[object, object]:
        """:returns: the state of the recording, and why."""
        line.stop()
        facts = cast("dict[str, object]", self.exchange.cdrs[-1]["recording"])
        return facts["state"], facts["reason"]

    def test_agreed(self) -> None:
        """The agreed key begins the recording, and reaches the agent too."""
        line = self.exchange.dial()
        self.talk(line)
        self.assertFalse(self.folder.exists())
        line.press("1")
        self.assertIn(("digit", "1"), self.agent.events)
        self.talk(line)
        self.assertEqual(self.ended(line), ("done", ""))
        self.assertEqual(len([*self.folder.rglob("*.wav")]), 1)

    def test_not_agreed(self) -> None:
        """The first key decides: a later one answers another question."""
        for keys in ("", "2", "21", "#1"):
            line = self.exchange.dial()
            for key in keys:
                self.talk(line, 0.1)
                line.press(key)
            self.talk(line)
            self.assertEqual(self.ended(line), ("skipped", "no_consent"), keys)
        self.assertFalse(self.folder.exists())

    def test_by_the_agent(self) -> None:
        """An agent may say that the caller agreed, whatever was pressed."""
        line = self.exchange.dial()
        line.press("2")
        self.agent.call.consent_to_recording()
        self.talk(line)
        self.assertEqual(self.ended(line), ("done", ""))

    def test_reload(self) -> None:
        """A live call keeps what held when it began."""
        waits = self.exchange.dial("CA1")
        self.exchange.services.route = self.route_with("")
        self.talk(waits)
        waits.press("1")
        self.talk(waits)
        self.assertEqual(self.ended(waits), ("done", ""))
        waits_not = self.exchange.dial("CA2")
        self.exchange.services.route = self.route_with("1")
        self.talk(waits_not)
        self.assertEqual(self.ended(waits_not), ("done", ""))
