# -*- test-case-name: tests.test_wiring -*-
"""Builds all parts of one process from its configuration, and joins them.

Everything is made here and given what it needs; nothing below this floor sees the
configuration. Blocking work has three pools: ``disk`` for recordings, ``cdrs`` for the
file of CDRs, ``work`` for all else. What calls leave is kept by the parts of
:mod:`.keeping`; what starts and ends the parts is :mod:`twistedvoice.service`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from .audio.wav import load
from .calls.admission import Admission
from .calls.overload import Overload
from .calls.services import CallLimits, CallServices
from .calls.switchboard import Switchboard
from .calls.watcher import FlagWatcher
from .carriers.twilio.dialect import TwilioDialect
from .carriers.twilio.markup import After, Dial, HangUp, Redirect
from .carriers.twilio.rest import TwilioRest
from .config import Config
from .disk import check_writable
from .interfaces import Store
from .keeping import Keeping
from .lag import LagProbe
from .pools import Pool
from .realtime.schedule import Schedule
from .routing import Routes
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore
from .web.admin import Health, Metrics, Ready
from .web.client import TreqClient
from .web.control import TwilioControl
from .web.dial import AutobahnDialer
from .web.gate import Gate
from .web.media import MediaFactory
from .web.meters import ServiceCollector
from .web.site import MediaResource, QuietSite, tree
from .web.webhooks import (
    MEDIA_PATH,
    RECORDING_PATH,
    STATUS_PATH,
    VOICE_PATH,
    Webhook,
    Webhooks,
)

__all__ = ["House"]

#: So many threads write recordings.
_DISK_THREADS = 4
#: A model may think for so long; its agent is less patient, as its settings say.
_ANSWER_SECONDS = 600.0


class House:
    """
    All parts of one process, made and joined, but not started.

    The parts are made floor by floor, in the order in which they need each other.
    """

    def __init__(
        self,
        reactor: Any,
        config: Config,
        routes: Routes,
        clock: IReactorTime,
        new_pool: Callable[[Any, str, int], Pool] = Pool,
    ) -> None:
        """
        :param clock: paces the schedule; it shows the reactor's time, but may be finer.
        :param new_pool: makes a pool of threads of a name and a size.
        :raises ConfigError: when what the service writes cannot be written.
        """
        check_writable(config)
        self.config = config
        self.routes = routes
        #: Whether the store has answered; ``/ready`` says no before.
        self.is_ready = False
        self._reactor = reactor
        self._clock = clock
        self._new_pool = new_pool
        self._rest = _rest(config)
        self._make_ground()
        self._make_keeping()
        self._make_calls()
        self._make_doors()

    def apply(self, config: Config, routes: Routes) -> None:
        """Let what comes from now on follow ``config``, as far as a reload may."""
        # Calls that are live keep the agents that they have.
        self.routes.close()
        self.config, self.routes = config, routes
        self.routes.connect(self._reactor, self.dial, self.models.fetch)
        self.services.route = routes.find
        self.services.limits = _limits(config)
        self.services.lead_ms = config.lead_ms
        self.services.hang_up_by_control = config.after_stream != "hangup"
        self.admission.max_calls = config.max_calls
        self.overload.late_ms = config.overload.late_ms
        self.gate.public_url = self.webhooks.public_url = config.public_url
        self.webhooks.after_stream = _after_stream(config)
        self.webhooks.late_number = config.overload.dial
        self.services.comfort_silence = config.comfort_silence
        self._rest = _rest(config)
        self.services.control = self._control()
        self.keeping.apply(config, self._rest)

    def dispose(self) -> Deferred[None]:
        """Let go of connections, engines, store and threads, once no call is left."""
        self.routes.close()
        workshops = [each.close_workshop() for each in self.routes.workshops]
        closing = gatherResults(
            [
                self.client.close(),
                self.models.close(),
                self.keeping.dispose(),
                self.store.close(),
                *workshops,
            ]
        )

        def stop_pools(result: object) -> None:
            for pool in (self.disk, self.cdrs, self.work):
                pool.stop()

        return closing.addCallback(stop_pools)

    def _make_ground(self) -> None:
        config, reactor = self.config, self._reactor
        self.disk = self._new_pool(reactor, "twistedvoice-disk", _DISK_THREADS)
        # When the disk of the recordings hangs, the records of calls do not.
        self.cdrs = self._new_pool(reactor, "twistedvoice-cdrs", 1)
        self.work = self._new_pool(reactor, "twistedvoice-work", 2)
        self.client = TreqClient(reactor)
        self.models = TreqClient(reactor, timeout_seconds=_ANSWER_SECONDS)
        self.dial = AutobahnDialer(reactor)
        self.routes.connect(reactor, self.dial, self.models.fetch)
        self.schedule = Schedule(self._clock)
        self.probe = LagProbe(reactor)
        self.store: Store = (
            MemoryStore()
            if config.store == "memory:"
            else SqliteStore(config.store, reactor)
        )

    def _make_keeping(self) -> None:
        self.keeping = Keeping(
            self._reactor,
            self.config,
            store=self.store,
            client=self.client,
            rest=self._rest,
            disk=self.disk,
            cdrs=self.cdrs,
            work=self.work,
            look=self.schedule.look,
        )

    def _make_calls(self) -> None:
        config, reactor = self.config, self._reactor
        self.overload = Overload(
            reactor, self.schedule.lateness, late_ms=config.overload.late_ms
        )
        self.admission = Admission(
            reactor,
            time.time,
            self.store,
            node_id=config.node_id,
            max_calls=config.max_calls,
            new_token=lambda: secrets.token_urlsafe(24),
            is_late=lambda: self.overload.is_on,
        )
        self.services = CallServices(
            clock=reactor,
            wall=time.time,
            schedule=self.schedule,
            admission=self.admission,
            route=self.routes.find,
            new_session_id=lambda: f"{config.node_id}-{secrets.token_hex(8)}",
            node_id=config.node_id,
            limits=_limits(config),
            lead_ms=config.lead_ms,
            trusted=config.trust_loopback,
            comfort_silence=config.comfort_silence,
            control=self._control(),
            hang_up_by_control=config.after_stream != "hangup",
            observers=self.keeping.observers,
            load_sound=lambda path, into: self.work.defer(load, Path(path), into),
            keep_cdr=self.keeping.records.keep,
        )
        self.switchboard = Switchboard(self.services)
        self.watcher = FlagWatcher(reactor, self.switchboard, self.services.observers)

    def _make_doors(self) -> None:
        config = self.config
        self.gate = Gate(
            config.public_url,
            tokens_for=lambda account: self.config.twilio.auth_tokens(account),
            all_tokens=lambda: self.config.twilio.all_auth_tokens,
            trust_loopback=config.trust_loopback,
        )
        self.webhooks = Webhooks(
            self._reactor,
            self.admission,
            self.switchboard,
            public_url=config.public_url,
            after_stream=_after_stream(config),
            late_number=config.overload.dial,
            recorded=self.keeping.recorded_by_carrier,
            expect=lambda call: self.routes.expect(call.to_number, call.call_id),
        )
        media = MediaFactory(
            self._reactor,
            self.gate,
            self.switchboard,
            TwilioDialect,
            look=self.schedule.look,
        )
        public: dict[str, IResource] = {
            VOICE_PATH: Webhook(self.gate, self.webhooks.voice),
            STATUS_PATH: Webhook(self.gate, self.webhooks.status),
            RECORDING_PATH: Webhook(self.gate, self.webhooks.recording),
            MEDIA_PATH: MediaResource(media),
            "/health": Health(),
        }
        admin: dict[str, IResource] = {
            "/ready": Ready(lambda: self.is_ready and self.admission.open),
            "/metrics": Metrics(self._registry(), self.work.defer),
        }
        look = self.schedule.look
        self.public_site = QuietSite(tree(public), self._reactor, look)
        self.admin_site = QuietSite(tree(admin), self._reactor, look)

    def _control(self) -> TwilioControl | None:
        return TwilioControl(self.client, self._rest) if self._rest else None

    def _registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(
            ServiceCollector(
                switchboard=self.switchboard,
                schedule=self.schedule,
                admission=self.admission,
                overload=self.overload,
                gate=self.gate,
                webhooks=self.webhooks,
                reactor_lateness=self.probe.lateness,
                culprits=self.probe.culprits,
                carrier_recordings=self.keeping.carrier_counts,
                carrier_copies=self.keeping.copy_counts,
                recordings=self.keeping.recording_counts,
                outbox=self.keeping.outbox,
            )
        )
        return registry


def _rest(config: Config) -> TwilioRest | None:
    credentials = config.twilio.api_credentials
    if credentials is None:
        return None
    account_sid = config.twilio.account_sid or ""
    return TwilioRest(account_sid, credentials, config.carrier_recording.base_url)


def _limits(config: Config) -> CallLimits:
    return CallLimits(
        start=config.start_seconds,
        longest=config.longest_call_seconds,
        silence=config.silence_seconds,
    )


def _after_stream(config: Config) -> After:
    word, _, number = config.after_stream.partition(":")
    if word == "dial":
        return Dial(number)
    return Redirect("") if word == "rejoin" else HangUp()
