# -*- test-case-name: tests.test_wiring -*-
"""Builds all parts of one process from its configuration, and joins them.

Everything is made here and given what it needs; nothing below this floor sees the
configuration. Blocking work has two pools: ``disk`` for recordings and CDRs, ``work``
for everything else. What starts and ends the parts is :mod:`twistedvoice.service`.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict
from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from .archive.purge import Limits
from .archive.retention import Retention
from .audio.wav import load
from .calls.admission import Admission
from .calls.overload import Overload
from .calls.services import CallLimits, CallServices
from .calls.switchboard import Switchboard
from .calls.watcher import FlagWatcher
from .carriers.twilio.dialect import TwilioDialect
from .carriers.twilio.markup import After, Dial, HangUp, Redirect
from .carriers.twilio.rest import TwilioRest
from .child import import_path, plain_environ
from .config import Config
from .disk import check_writable
from .errands import KeptErrand
from .interfaces import CallObserver, Errand, Store
from .lag import LagProbe
from .outbox.child import run_module
from .outbox.outbox import Outbox
from .performers import performers
from .pools import Pool
from .realtime.schedule import Schedule
from .recording.afterwards import Plan
from .recording.carrier_copy import CarrierCopies, copy_errand
from .recording.carrier_side import CarrierRecordings
from .recording.cipher import parse_key
from .recording.local import LocalRecordings
from .recording.posting import Posting
from .recording.process import WriterProcess
from .routing import Routes
from .store.cdrfile import append_cdr
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

#: So many threads write recordings and CDRs.
_DISK_THREADS = 4
#: More errands than this are not looked at when recordings are to be removed.
_ALL_ERRANDS = 100_000
#: A part of an upload may take this long: 8 MiB at a quarter of a megabit a second.
_UPLOAD_SECONDS = 300.0
#: Four hours of sound take a quarter of a minute of a core, and calls may leave little.
_COMPARE_SECONDS = 900.0


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
        self._make_ground()
        self._make_copies()
        self._make_outbox()
        self._make_recorders()
        self._make_calls()
        self._make_doors()

    def apply(self, config: Config, routes: Routes) -> None:
        """Let what comes from now on follow ``config``, as far as a reload may."""
        # Calls that are live keep the agents that they have.
        self.routes.close()
        self.config, self.routes = config, routes
        self.routes.connect(self._reactor, self.dial)
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
        if self.carrier_side is not None and self._rest is not None:
            self.carrier_side.rest = self._rest
            self.carrier_side.callback_url = _callback_url(config)
        if self.copies is not None and self._rest is not None:
            self.copies.rest = self._rest
        if self.local is not None:
            self.local.keep_unspoken = config.recording.without_audio == "keep"
        if self.retention is not None:
            self.retention.limits = _kept(config)

    def dispose(self) -> Deferred[None]:
        """Let go of connections, engines, store and threads, once no call is left."""
        self.routes.close()
        if self.carrier_side is not None:
            self.carrier_side.stop()
        workshops = [each.close() for each in self.routes.workshops]
        closing = gatherResults(
            [self.client.close(), self.storage.close(), self.store.close(), *workshops]
        )

        def stop_pools(result: object) -> None:
            self.disk.stop()
            self.work.stop()

        return closing.addCallback(stop_pools)

    def _make_ground(self) -> None:
        config, reactor = self.config, self._reactor
        self.disk = self._new_pool(reactor, "twistedvoice-disk", _DISK_THREADS)
        self.work = self._new_pool(reactor, "twistedvoice-work", 2)
        self.client = TreqClient(reactor)
        self.storage = TreqClient(reactor, timeout_seconds=_UPLOAD_SECONDS)
        self.dial = AutobahnDialer(reactor)
        self.routes.connect(reactor, self.dial)
        self.schedule = Schedule(self._clock)
        self.probe = LagProbe(reactor)
        self.store: Store = (
            MemoryStore()
            if config.store == "memory:"
            else SqliteStore(config.store, reactor)
        )
        self._rest = _rest(config)

    def _make_copies(self) -> None:
        config = self.config
        self.copies: CarrierCopies | None = None
        if config.fetches_copies and self._rest is not None:
            self.copies = CarrierCopies(
                self.client,
                self.client.fetch,
                self._rest,
                defer_to_thread=self.disk.defer,
                compare=self._compare,
                amend=self._amend_cdr,
                keep_copy=config.carrier_recording.keep_copy,
            )

    def _make_outbox(self) -> None:
        config = self.config
        #: What can be done after a call, by the kind of errand.
        self.performers = kinds = performers(
            self._reactor, time.time, config, self.client, self.storage, self.work.defer
        )
        if self.copies is not None:
            kinds["copy"] = self.copies.perform
        self.outbox = Outbox(
            self._reactor,
            time.time,
            self.store,
            kinds,
            holder=config.node_id,
            random=random.random,
            attempts=config.outbox.attempts,
        )
        self.posting: Posting | None = None
        if config.recordings:
            self.posting = Posting(
                self._reactor,
                Path(config.recordings),
                self.disk.defer,
                self.outbox.post,
                Plan(
                    export="export" in kinds,
                    upload="upload" in kinds,
                    webhook="webhook" in kinds,
                ),
            )

    def _make_recorders(self) -> None:
        config = self.config
        self.local: LocalRecordings | None = None
        self.retention: Retention | None = None
        self.carrier_side: CarrierRecordings | None = None
        key, secret = config.recording.key, config.recording.encryption_key
        if self.posting is not None:
            self.local = LocalRecordings(
                self._reactor,
                Path(config.recordings),
                self.disk.defer,
                WriterProcess(
                    plain_environ(os.environ, import_path(sys.path, os.getcwd())),
                    lines=_DISK_THREADS,
                ),
                without_audio=config.recording.without_audio,
                fsync=config.recording.fsync,
                finished=self.posting.finished,
                key=None if key is None else key.encode("ascii"),
                encryption_key=None if secret is None else parse_key(secret),
            )
            self.retention = Retention(
                self._reactor,
                time.time,
                Path(config.recordings),
                self.disk.defer,
                limits=_kept(config),
                needed=self._sessions_to_do,
                counts=self.local.counts,
            )
        if config.carrier_recording.enabled and self._rest is not None:
            self.carrier_side = CarrierRecordings(
                self._reactor,
                self.client,
                self._rest,
                callback_url=_callback_url(config),
                wanted=lambda call: self.config.number(call.to_number).may_record,
                random=random.random,
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
        recorders: list[CallObserver | None] = [self.local, self.carrier_side]
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
            observers=[each for each in recorders if each is not None],
            load_sound=lambda path, into: self.work.defer(load, Path(path), into),
            keep_cdr=self._keep_cdr,
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
            recorded=self._recorded_by_carrier,
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
        self.public_site = QuietSite(tree(public), self._reactor)
        self.admin_site = QuietSite(tree(admin), self._reactor)

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
                carrier_recordings=self._carrier_counts,
                carrier_copies={} if self.copies is None else self.copies.counts,
                recordings={} if self.local is None else self.local.counts,
                outbox=self.outbox,
            )
        )
        return registry

    def _sessions_to_do(self) -> Deferred[Collection[str]]:
        """:returns: fires with the ids of the sessions that have errands."""

        def ids(errands: Sequence[KeptErrand]) -> frozenset[str]:
            return frozenset(each.errand.session_id for each in errands)

        return self.store.errands(limit=_ALL_ERRANDS).addCallback(ids)

    def _carrier_counts(self) -> Mapping[str, int]:
        return {} if self.carrier_side is None else asdict(self.carrier_side.counts)

    def _recorded_by_carrier(self, form: Mapping[str, str]) -> None:
        if self.carrier_side is not None:
            self.carrier_side.callback(form)

    def _keep_cdr(self, cdr: dict[str, object]) -> Deferred[None]:
        kept = [self.store.add_cdr(str(cdr["session_id"]), cdr)]
        errand = copy_errand(cdr) if self.copies is not None else None
        if errand is not None:
            # What it finds is added to the record.
            kept[0].addCallback(lambda _: self.outbox.post([errand]))
        if self.config.cdr:
            kept.append(self.disk.defer(append_cdr, Path(self.config.cdr), cdr))
        return gatherResults(kept, consumeErrors=True).addCallback(lambda _: None)

    def _amend_cdr(self, errand: Errand, facts: Mapping[str, object]) -> Deferred[None]:
        amended = self.store.amend_cdr(errand.session_id, facts)
        if self.config.cdr:
            call_id = errand.details["call_id"]
            line = {"session_id": errand.session_id, "call_id": call_id, **facts}
            path = Path(self.config.cdr)
            amended.addCallback(lambda _: self.disk.defer(append_cdr, path, line))
        return amended

    def _compare(self, ours: Path, theirs: Path) -> Deferred[Mapping[str, object]]:
        """Compare two copies in a process of its own."""
        compared = run_module(
            self._reactor,
            "twistedvoice.recording.compare",
            str(ours),
            str(theirs),
            seconds=_COMPARE_SECONDS,
            called="the comparison",
        )
        return compared.addCallback(lambda told: dict(json.loads(told)))


def _rest(config: Config) -> TwilioRest | None:
    credentials = config.twilio.api_credentials
    if credentials is None:
        return None
    account_sid = config.twilio.account_sid or ""
    return TwilioRest(account_sid, credentials, config.carrier_recording.base_url)


def _callback_url(config: Config) -> str:
    return (config.public_url or "").rstrip("/") + RECORDING_PATH


def _limits(config: Config) -> CallLimits:
    return CallLimits(
        start=config.start_seconds,
        longest=config.longest_call_seconds,
        silence=config.silence_seconds,
    )


def _kept(config: Config) -> Limits:
    keep = config.retention
    return Limits(
        seconds=None if keep.days is None else keep.days * 86_400,
        size=None if keep.gigabytes is None else keep.gigabytes * 1_000_000_000,
        recordings=keep.recordings,
    )


def _after_stream(config: Config) -> After:
    word, _, number = config.after_stream.partition(":")
    if word == "dial":
        return Dial(number)
    return Redirect("") if word == "rejoin" else HangUp()
