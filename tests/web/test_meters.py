"""Tests of ``twistedvoice.web.meters``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.errands import Tally
from twistedvoice.metrics import LATENESS_BOUNDS_US, Histogram
from twistedvoice.outbox.outbox import Outbox
from twistedvoice.store.memory import MemoryStore
from twistedvoice.web.meters import ServiceCollector

from ..calls.doubles import tone
from ..carriers.twilio_carrier import TwilioCarrier
from .doors import FORM, Doors

__all__ = ["DocsTests", "MetersTests"]

CARRIER = TwilioCarrier()
DOCS = Path(twistedvoice.__file__).parents[1] / "docs" / "metrics.rst"


class MetersTestCase(SynchronousTestCase):
    """A service, and Prometheus that scrapes it."""

    def setUp(self) -> None:
        self.doors = Doors()
        self.lateness = Histogram(LATENESS_BOUNDS_US)
        self.culprits: Counter[str] = Counter()
        self.recordings = {"created": 0}
        self.outbox = Outbox(
            Clock(), lambda: 100.0, MemoryStore(), {}, holder="n-1",
            random=lambda: 0.0,
        )  # fmt: skip
        self.registry = CollectorRegistry()
        self.registry.register(
            ServiceCollector(
                switchboard=self.doors.switchboard,
                schedule=self.doors.exchange.schedule,
                admission=self.doors.exchange.admission,
                overload=self.doors.exchange.overload,
                gate=self.doors.gate,
                webhooks=self.doors.webhooks,
                reactor_lateness=self.lateness,
                culprits=self.culprits,
                carrier_recordings=lambda: self.recordings,
                carrier_copies={"holes": 4},
                recordings={"failed": 2},
                outbox=self.outbox,
            )
        )

    def scrape(self) -> dict[str, Metric]:
        """:returns: the families of the page, as Prometheus' own parser reads them."""
        page = generate_latest(self.registry).decode()
        return {family.name: family for family in text_string_to_metric_families(page)}

    def values(self, name: str) -> dict[str, float]:
        """:returns: the figures of one family, by the value of its one label."""
        family = self.scrape()[f"twistedvoice_{name}"]
        return {
            ",".join(sample.labels.values()): sample.value for sample in family.samples
        }


class MetersTests(MetersTestCase):
    """What Prometheus reads."""

    def test_every_family_is_ours_and_has_help(self) -> None:
        """Each has our prefix, a sentence, and a type."""
        families = self.scrape()
        self.assertGreater(len(families), 10)
        for name, family in families.items():
            self.assertTrue(name.startswith("twistedvoice_"), name)
            self.assertRegex(family.documentation, r"^[A-Z].*\.$")
            self.assertIn(family.type, ("counter", "gauge", "histogram"), name)

    def test_calls_and_sockets(self) -> None:
        """Live calls and waiting sockets are counted apart."""
        self.doors.dial()
        self.doors.stream()
        self.assertEqual(self.values("calls_live"), {"": 1})
        self.assertEqual(self.values("sockets_unstarted"), {"": 1})
        self.doors.advance(4)
        self.assertEqual(self.values("sockets_unstarted"), {"": 0})
        self.assertEqual(self.values("streams_turned_away"), {"unstarted": 1})

    def test_outcomes(self) -> None:
        """An ended call is counted by its outcome."""
        self.doors.dial().say(CARRIER.stop())
        self.doors.dial().lose()
        self.doors.advance(0.1)
        self.assertEqual(self.values("calls"), {"completed": 1, "lost": 1})

    def test_counters_never_fall(self) -> None:
        """A call's frames are there while it lives, and still when it has ended."""
        line = self.doors.dial()
        self.doors.agent.call.say(tone(1000))
        line.say(CARRIER.sound(tone(20), 0), (b"{", False))
        self.doors.advance(0.5)
        before = self.values("frames")
        self.assertEqual(before["received"], 1)
        self.assertEqual(before["malformed"], 1)
        self.assertEqual(before["queued"], 50)
        self.assertGreater(before["sent"], 20)
        waiting = self.values("frames_waiting")[""]
        self.assertEqual(before["sent"] + waiting, 50)
        line.lose()
        after = self.values("frames")
        for what, count in before.items():
            self.assertGreaterEqual(after[what], count, what)
        self.assertEqual(after["sent"] + after["dropped"], 50)
        self.assertEqual(self.values("frames_waiting"), {"": 0})

    def test_underruns_never_fall(self) -> None:
        """A hole in speech is counted at once, and once."""
        line = self.doors.dial()
        utterance = self.doors.agent.call.speak()
        for _ in range(2):
            utterance.write(tone(20))
            self.doors.advance(0.5)
        self.assertEqual(self.values("underruns"), {"agent": 1})
        line.lose()
        self.assertEqual(self.values("underruns"), {"agent": 1})

    def test_first_audio(self) -> None:
        """The wait for the first frame is observed when the call ends."""
        line = self.doors.dial()
        self.doors.agent.call.say(tone(20))
        self.doors.advance(0.1)
        line.lose()
        self.assertEqual(self.values("first_audio_seconds")["+Inf"], 1)

    def test_latencies(self) -> None:
        """Turns are counted as they are taken, by what they came after."""
        line = self.doors.dial()
        line.say(CARRIER.digit("1"))
        self.doors.agent.call.say(tone(20))
        self.doors.advance(0.1)
        line.lose()
        families = self.scrape()
        for name, labels, count in (
            ("turn_seconds", {"after": "key"}, 1),
            ("turn_seconds", {"after": "speech"}, 0),
            ("turn_heard_seconds", {"after": "key"}, 1),
            ("first_heard_seconds", {}, 1),
            ("silence_seconds", {}, 0),
        ):
            [sample] = [
                sample
                for sample in families[f"twistedvoice_{name}"].samples
                if sample.labels == labels | {"le": "+Inf"}
            ]
            self.assertEqual(sample.value, count, name)

    def test_histograms_are_cumulative_seconds(self) -> None:
        """Buckets hold all that is not larger, bounds and sums are in seconds."""
        for late_us in (40, 60, 1_400, 9_000_000):
            self.lateness.observe(late_us)
        family = self.scrape()["twistedvoice_reactor_late_seconds"]
        buckets = {
            sample.labels["le"]: sample.value
            for sample in family.samples
            if sample.name.endswith("_bucket")
        }
        self.assertEqual(buckets["5e-05"], 1)
        self.assertEqual(buckets["0.0001"], 2)
        self.assertEqual(buckets["0.0015"], 3)
        self.assertEqual((buckets["5.0"], buckets["+Inf"]), (3, 4))
        sums = {sample.name: sample.value for sample in family.samples}
        self.assertAlmostEqual(sums["twistedvoice_reactor_late_seconds_sum"], 9.0015)
        self.assertEqual(sums["twistedvoice_reactor_late_seconds_count"], 4)

    def test_slots(self) -> None:
        """The streams of each slot of the schedule."""
        self.doors.dial()
        slots = self.values("slot_streams")
        self.assertEqual(len(slots), 10)
        self.assertEqual(sum(slots.values()), 1)

    def test_doors(self) -> None:
        """Webhooks, refusals and places are counted by what became of them."""
        self.doors.post()
        self.doors.post(signed="AAAA")
        self.doors.upgrade()
        self.doors.exchange.admission.max_calls = 0
        self.doors.post(form={**FORM, "CallSid": "CA" + "2" * 32})
        self.assertEqual(self.values("webhook_answers"), {"stream": 1, "full": 1})
        self.assertEqual(self.values("requests_refused"), {"signature": 2})
        admission = self.values("admission")
        self.assertEqual((admission["reserved"], admission["refused_full"]), (1, 1))

    def test_overload(self) -> None:
        """Whether late ticks keep new calls out, and how many they kept out."""
        self.assertEqual(self.values("overloaded"), {"": 0})
        self.doors.exchange.overload.is_on = True
        self.doors.post()
        self.assertEqual(self.values("overloaded"), {"": 1})
        self.assertEqual(self.values("admission")["refused_late"], 1)
        self.assertEqual(self.values("webhook_answers"), {"late": 1})

    def test_errands(self) -> None:
        """What was attempted, and what is left to do for how long."""
        self.outbox.counts["failed"] += 1
        self.outbox.tally = Tally(waiting=3, parked=2, oldest_at=40.0)
        self.assertEqual(self.values("errands"), {"done": 0, "failed": 1, "parked": 0})
        gauges = [self.values(f"errands_{n}") for n in ("waiting", "parked")]
        self.assertEqual(gauges, [{"": 3}, {"": 2}])
        self.assertEqual(self.values("errands_oldest_seconds"), {"": 60})

    def test_culprits_and_recordings(self) -> None:
        """What other parts count is passed on by their own words."""
        self.culprits['x/"odd"\n.py:f:1'] = 2
        self.recordings["created"] = 3
        self.assertEqual(self.values("reactor_blocked"), {'x/"odd"\n.py:f:1': 2})
        self.assertEqual(self.values("carrier_recordings"), {"created": 3})
        self.assertEqual(self.values("carrier_copies"), {"holes": 4})
        self.assertEqual(self.values("recordings"), {"failed": 2})

    def test_labels_do_not_grow_with_calls(self) -> None:
        """Any number of calls makes no more lines than a few."""

        def lines() -> int:
            return sum(len(family.samples) for family in self.scrape().values())

        def call(number: int) -> None:
            line = self.doors.dial(f"CA{number:032}")
            self.doors.agent.call.say(tone(20))
            self.doors.advance(0.06)
            line.lose()

        call(0)
        before = lines()
        for number in range(1, 20):
            call(number)
        self.assertEqual(lines(), before)


class DocsTests(MetersTestCase):
    """The page about meters tells of every one, and of no other."""

    def test_docs_name_every_family(self) -> None:
        """Names in docs/metrics.rst are those that Prometheus is given."""
        titles = {
            line.strip("`")
            for line in DOCS.read_text().splitlines()
            if line.startswith("``twistedvoice_") and line.endswith("``")
        }
        given = {
            name + "_total" if family.type == "counter" else name
            for name, family in self.scrape().items()
        }
        # These are the parent's.
        given |= {"twistedvoice_worker_up", "twistedvoice_worker_restarts_total"}
        self.assertEqual(titles, given)

    def test_docs_name_every_label(self) -> None:
        """The labels that a family may have are named below it."""
        self.doors.dial().lose()
        self.doors.stream()
        self.doors.advance(4)
        self.doors.post()
        self.doors.upgrade()
        self.culprits["somewhere"] = self.doors.switchboard.underruns["agent"] = 1
        text = DOCS.read_text()
        for name, family in self.scrape().items():
            self.assertNotEqual(family.samples, [], name)
            labels = {label for sample in family.samples for label in sample.labels}
            title = name + "_total" * (family.type == "counter")
            section = text.partition(f"\n``{title}``\n")[2]
            section = section.partition("\n``twistedvoice_")[0]
            for label in labels - {"le"}:
                self.assertIn(f"``{label}``", section, name)
