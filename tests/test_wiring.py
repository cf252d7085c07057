"""Tests for :mod:`twistedvoice.wiring`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import _UnsafeNoResource
from twisted.web.test.requesthelper import DummyRequest

from tests.house import HouseReactor, house, settings
from twistedvoice.archive.purge import Limits
from twistedvoice.carriers.twilio.markup import Dial, HangUp, Redirect
from twistedvoice.config import Config
from twistedvoice.errors import StoreError
from twistedvoice.routing import Routes
from twistedvoice.web.admin import Health, Metrics, Ready
from twistedvoice.web.site import MediaResource, QuietSite
from twistedvoice.web.webhooks import Webhook


def page(site: QuietSite, path: str) -> object:
    """:returns: what answers at ``path``."""
    request: Any = DummyRequest([part.encode() for part in path.split("/")[1:]])
    return site.getResourceFor(request)


class HouseTests(SynchronousTestCase):
    """What is made, and how it is joined."""

    def setUp(self) -> None:
        """A reactor on which nothing happens."""
        self.reactor = HouseReactor()

    def test_not_started(self) -> None:
        """Making a house starts nothing: no timer, no thread, no port."""
        before = threading.active_count()
        folder = Path(self.mktemp())
        config = settings(
            store=str(folder / "store"), recordings=str(folder), max_calls="3"
        )
        house(self.reactor, config)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.reactor.tcpServers, [])
        self.assertEqual(threading.active_count(), before)

    def test_public_pages(self) -> None:
        """The public port has the webhooks, the media socket and its health alone."""
        site = house(self.reactor, settings()).public_site
        for path in ("/twilio/voice", "/twilio/status", "/twilio/recording"):
            self.assertIsInstance(page(site, path), Webhook)
        self.assertIsInstance(page(site, "/twilio/media"), MediaResource)
        self.assertIsInstance(page(site, "/health"), Health)
        for path in ("/ready", "/metrics", "/", "/twilio"):
            answer: Any = page(site, path)
            self.assertNotIsInstance(answer, (Ready, Metrics, Webhook))

    def test_admin_pages(self) -> None:
        """The admin port has what operators ask, and nothing of the carrier's."""
        site = house(self.reactor, settings()).admin_site
        self.assertIsInstance(page(site, "/ready"), Ready)
        self.assertIsInstance(page(site, "/metrics"), Metrics)
        self.assertIsInstance(page(site, "/twilio/voice"), _UnsafeNoResource)

    def test_ready_follows_the_gate(self) -> None:
        """It is ready once the store has answered, until no call is let in."""
        made = house(self.reactor, settings())
        ready: Any = page(made.admin_site, "/ready")
        self.assertNotEqual(ready.render_GET(DummyRequest([])), b"ready\n")
        made.is_ready = True
        self.assertEqual(ready.render_GET(DummyRequest([])), b"ready\n")
        made.admission.close_gate()
        self.assertNotEqual(ready.render_GET(DummyRequest([])), b"ready\n")

    def test_overload(self) -> None:
        """Late ticks of the schedule keep new calls out, where the settings say so."""
        for said, is_on in (("40", True), ("0", False)):
            made = house(self.reactor, settings(overload_late_ms=said))
            made.overload.start()
            for _ in range(100):
                made.schedule.lateness.observe(50_000)
            self.reactor.advance(1)
            made.overload.stop()
            self.assertEqual(made.overload.is_on, is_on)
            taken: list[object] = []
            made.admission.take("CA1").addBoth(taken.append)
            self.assertEqual(taken == [None], not is_on)

    def test_after_stream(self) -> None:
        """What follows the stream in the markup is what the settings say."""
        for said, meant in (
            ("hangup", HangUp()),
            ("rejoin", Redirect("")),
            ("dial:+15550001234", Dial("+15550001234")),
        ):
            made = house(self.reactor, settings(after_stream=said))
            self.assertEqual(made.webhooks.after_stream, meant)
            self.assertEqual(made.services.hang_up_by_control, said != "hangup")

    def test_session_ids(self) -> None:
        """No two sessions share an id, and each names its process."""
        made = house(self.reactor, settings())
        ids = {made.services.new_session_id() for _ in range(100)}
        self.assertEqual(len(ids), 100)
        self.assertTrue(all(each.startswith("n-1-") for each in ids))


class ApplyTests(SynchronousTestCase):
    """A reload."""

    def test_apply(self) -> None:
        """What may change, changes for what comes from now on."""
        made = house(HouseReactor(), settings(recordings=self.mktemp()))
        config = settings(
            recordings=made.config.recordings,
            agent="prompt",
            max_calls="7",
            longest_call_seconds="60",
            silence_seconds="5",
            start_seconds="2",
            lead_ms="200",
            after_stream="rejoin",
            recording_without_audio="discard",
            overload_late_ms="80",
            overload_dial="+15550100009",
            retention_days="30",
            retention_gigabytes="50",
            retention_recordings="1000",
        )
        made.apply(config, Routes(config, Path()))
        services = made.services
        self.assertEqual(services.route("").agent_name, "prompt")
        limits = services.limits
        self.assertEqual((limits.longest, limits.silence, limits.start), (60, 5, 2))
        self.assertEqual(services.lead_ms, 200)
        self.assertTrue(services.hang_up_by_control)
        self.assertEqual(made.admission.max_calls, 7)
        self.assertEqual(made.webhooks.after_stream, Redirect(""))
        self.assertEqual(made.overload.late_ms, 80)
        self.assertEqual(made.webhooks.late_number, "+15550100009")
        keeping = made.keeping
        assert keeping.local is not None and keeping.retention is not None
        self.assertFalse(keeping.local.keep_unspoken)
        self.assertEqual(
            keeping.retention.limits,
            Limits(seconds=2_592_000, size=50_000_000_000, recordings=1000),
        )

    def test_public_url(self) -> None:
        """A new public URL holds for signatures and for markup."""
        made = house(HouseReactor(), settings())
        secret = Path(self.mktemp())
        secret.write_text("x" * 32)
        config = settings(
            trust_loopback=0,
            public_url="https://new.example",
            twilio_auth_token_file=str(secret),
        )
        made.apply(config, made.routes)
        self.assertEqual(made.gate.public_url, "https://new.example")
        self.assertEqual(made.webhooks.public_url, "https://new.example")


class RemoteTests(SynchronousTestCase):
    """Agents that talk with a service elsewhere."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.reactor = HouseReactor()

    def config(self, key: str, **options: Any) -> Config:
        """:returns: a configuration with the model as its agent."""
        file = self.folder / "key"
        file.write_text(key)
        return settings(agent="openai", openai_api_key_file=str(file), **options)

    def test_connected(self) -> None:
        """An agent gets the account, and the time of this process."""
        config = self.config("sk-1", openai_url="ws://localhost:1/v1/realtime")
        made = house(self.reactor, config)
        model: Any = made.routes.find("").make_agent
        accounts = model.outside.accounts
        self.assertEqual(accounts["openai.api_key"], "sk-1")
        self.assertEqual(accounts["openai.url"], "ws://localhost:1/v1/realtime")
        self.assertNotIn("llm.api_key", accounts)
        self.assertEqual(accounts["llm.url"], "https://api.openai.com/v1")
        self.assertIs(model.outside.clock, self.reactor)
        self.assertEqual(model.outside.fetch, made.models.fetch)
        self.assertNotIn("sk-1", f"{config} {model.outside}")

    def test_reloaded(self) -> None:
        """A new key counts for the next call; what waited with the old one ends."""
        made = house(self.reactor, self.config("sk-1"))
        waiting: list[str] = []
        made.routes.find("").make_agent.close = (  # type: ignore[attr-defined]
            lambda: waiting.append("closed")
        )
        config = self.config("sk-2")
        made.apply(config, Routes(config, Path()))
        self.assertEqual(waiting, ["closed"])
        model: Any = made.routes.find("").make_agent
        self.assertEqual(model.outside.accounts["openai.api_key"], "sk-2")


class CdrTests(SynchronousTestCase):
    """Where the record of a call goes."""

    def test_recordings_hang(self) -> None:
        """A disk of recordings that hangs holds up no record."""
        file = Path(self.mktemp())
        made = house(HouseReactor(), settings(cdr=str(file)))
        self.patch(made.disk, "defer", lambda *work: Deferred())
        self.successResultOf(made.services.keep_cdr({"session_id": "s-1"}))
        self.assertIn("s-1", file.read_text())


class DisposeTests(SynchronousTestCase):
    """The end."""

    def test_dispose(self) -> None:
        """Connections and store are closed before the threads end."""
        made = house(HouseReactor(), settings())
        self.successResultOf(made.dispose())
        self.failureResultOf(made.store.places_taken(now=0.0), StoreError)
        pools: list[Any] = [made.work, made.disk, made.cdrs]
        self.assertTrue(all(pool.is_stopped for pool in pools))
