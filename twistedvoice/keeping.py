# -*- test-case-name: tests.test_keeping -*-
"""Keeps what calls leave: recordings here and at the carrier, records, errands.

:mod:`.wiring` makes one of it, with the store, the client and the threads of the
process. It makes its parts of the configuration, joins them, and starts and ends them
in the right order. What each of them does is below, in ``recording/``, ``outbox/`` and
``archive/``.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import asdict
from twisted.internet.defer import Deferred

from .archive.purge import Limits
from .archive.retention import Retention
from .carriers.twilio.rest import TwilioRest
from .child import import_path, plain_environ
from .config import Config
from .interfaces import CallObserver, Store
from .outbox.child import run_module
from .outbox.outbox import Outbox
from .performers import performers
from .pools import Pool
from .recording.afterwards import Plan
from .recording.carrier_copy import CarrierCopies, copy_errand
from .recording.carrier_side import CarrierRecordings
from .recording.cipher import parse_key
from .recording.local import LocalRecordings
from .recording.posting import Posting
from .recording.process import WriterProcess
from .store.records import Records
from .systemd import memory_folder
from .web.client import TreqClient
from .web.webhooks import RECORDING_PATH

__all__ = ["Keeping"]

#: A part of an upload may take this long: 8 MiB at a quarter of a megabit a second.
_UPLOAD_SECONDS = 300.0
#: Four hours of sound take a quarter of a minute of a core, and calls may leave little.
_COMPARE_SECONDS = 900.0


class Keeping:
    """All that keeps what the calls of one process leave; made, but not started."""

    def __init__(
        self,
        reactor: Any,
        config: Config,
        *,
        store: Store,
        client: TreqClient,
        rest: TwilioRest | None,
        disk: Pool,
        cdrs: Pool,
        work: Pool,
        look: Callable[[], object],
    ) -> None:
        """
        :param rest: makes requests to the carrier; None without credentials.
        :param disk: threads that read and write recordings.
        :param cdrs: a thread that writes the records of calls.
        :param work: threads for everything else that blocks.
        :param look: sends the frames that are due.
        """
        self._reactor = reactor
        self._config = config
        self._store = store
        self._client = client
        self._storage = TreqClient(reactor, timeout_seconds=_UPLOAD_SECONDS)
        self._disk = disk
        self._look = look
        #: Of processes that compute.
        self._environ = plain_environ(os.environ, import_path(sys.path, os.getcwd()))
        #: The records of calls.
        self.records = Records(
            store, Path(config.cdr) if config.cdr else None, cdrs.defer, self._recorded
        )
        self.copies = self._new_copies(rest)
        #: What can be done after a call, by the kind of errand.
        self.performers = performers(
            reactor,
            time.time,
            config,
            client,
            self._storage,
            self._environ,
            work.defer,
        )
        if self.copies is not None:
            self.performers["copy"] = self.copies.perform
        self.outbox = self._new_outbox()
        self.local: LocalRecordings | None = None
        self.posting: Posting | None = None
        self.retention: Retention | None = None
        if config.recordings:
            self._make_local(Path(config.recordings))
        self.carrier_side = self._new_carrier_side(rest)

    # -- from the calls ------------------------------------------------------------

    @property
    def observers(self) -> list[CallObserver]:
        """Those who record calls."""
        recorders: list[CallObserver | None] = [self.local, self.carrier_side]
        return [each for each in recorders if each is not None]

    def recorded_by_carrier(self, form: Mapping[str, str]) -> None:
        """The carrier tells how a recording fares."""
        if self.carrier_side is not None:
            self.carrier_side.callback(form)

    # -- what metrics ask ----------------------------------------------------------

    @property
    def recording_counts(self) -> Mapping[str, int]:
        """What became of recordings; goes on counting."""
        return Counter() if self.local is None else self.local.counts

    @property
    def copy_counts(self) -> Mapping[str, int]:
        """The carrier's copies by verdict; goes on counting."""
        return Counter() if self.copies is None else self.copies.counts

    def carrier_counts(self) -> Mapping[str, int]:
        """:returns: what became of recordings at the carrier by now."""
        return {} if self.carrier_side is None else asdict(self.carrier_side.counts)

    # -- from the service ----------------------------------------------------------

    def start(self) -> None:
        """Begin to do errands, and to finish and remove recordings."""
        self.outbox.startService()
        if self.local is not None and self.posting is not None:
            self.posting.startService()
            self.local.startService()
        if self.retention is not None:
            self.retention.startService()

    def stop(self) -> Deferred[None]:
        """
        Stop once all calls have ended.

        :returns: fires when their recordings are whole; what is to be done with them
            is for the next start.
        """
        return Deferred.fromCoroutine(self._stop())

    def apply(self, config: Config, rest: TwilioRest | None) -> None:
        """Let what comes from now on follow ``config``, as far as a reload may."""
        self._config = config
        if self.carrier_side is not None and rest is not None:
            self.carrier_side.rest = rest
            self.carrier_side.callback_url = _callback_url(config)
        if self.copies is not None and rest is not None:
            self.copies.rest = rest
        if self.local is not None:
            self.local.keep_unspoken = config.recording.without_audio == "keep"
        if self.retention is not None:
            self.retention.limits = _limits(config)

    def dispose(self) -> Deferred[None]:
        """Let go of connections, once it has stopped."""
        if self.carrier_side is not None:
            self.carrier_side.stop()
        return self._storage.close()

    async def _stop(self) -> None:
        # Errands have their own time to end in, beside that of the recordings.
        performed = self.outbox.stopService()
        if self.retention is not None:
            await self.retention.stopService()
        if self.local is not None and self.posting is not None:
            await self.local.stopService()
            await self.posting.stopService()
        await performed

    def _recorded(self, cdr: Mapping[str, Any]) -> Deferred[None] | None:
        """Post what follows from a call's record."""
        errand = None if self.copies is None else copy_errand(cdr)
        return None if errand is None else self.outbox.post([errand])

    # -- the parts -----------------------------------------------------------------

    def _new_copies(self, rest: TwilioRest | None) -> CarrierCopies | None:
        config = self._config
        if rest is None or not config.fetches_copies:
            return None
        return CarrierCopies(
            self._client,
            self._client.fetch,
            rest,
            defer_to_thread=self._disk.defer,
            compare=partial(_compared, self._reactor, self._environ),
            amend=self.records.amend,
            keep_copy=config.carrier_recording.keep_copy,
        )

    def _new_outbox(self) -> Outbox:
        return Outbox(
            self._reactor,
            time.time,
            self._store,
            self.performers,
            holder=self._config.node_id,
            random=random.random,
            attempts=self._config.outbox.attempts,
        )

    def _make_local(self, folder: Path) -> None:
        config, kinds = self._config, self.performers
        self.posting = Posting(
            self._reactor,
            folder,
            self._disk.defer,
            self.outbox.post,
            Plan(
                export="export" in kinds,
                upload="upload" in kinds,
                webhook="webhook" in kinds,
            ),
        )
        key, secret = config.recording.key, config.recording.encryption_key
        self.local = LocalRecordings(
            self._reactor,
            folder,
            self._disk.defer,
            WriterProcess(
                self._environ,
                time.sleep,
                lines=self._disk.most,
                recordings=folder,
                memory=memory_folder(os.environ),
            ),
            without_audio=config.recording.without_audio,
            fsync=config.recording.fsync,
            finished=self.posting.finished,
            key=None if key is None else key.encode("ascii"),
            encryption_key=None if secret is None else parse_key(secret),
            look=self._look,
        )
        self.retention = Retention(
            self._reactor,
            time.time,
            folder,
            self._disk.defer,
            limits=_limits(config),
            needed=self._store.sessions_to_do,
            counts=self.local.counts,
        )

    def _new_carrier_side(self, rest: TwilioRest | None) -> CarrierRecordings | None:
        if rest is None or not self._config.carrier_recording.enabled:
            return None
        return CarrierRecordings(
            self._reactor,
            self._client,
            rest,
            callback_url=_callback_url(self._config),
            wanted=lambda call: self._config.number(call.to_number).may_record,
            random=random.random,
        )


def _callback_url(config: Config) -> str:
    return (config.public_url or "").rstrip("/") + RECORDING_PATH


def _compared(
    reactor: Any, environ: Mapping[str, str], ours: Path, theirs: Path
) -> Deferred[Mapping[str, object]]:
    """Compare two copies of a call in a process of its own."""
    told = run_module(
        reactor,
        "twistedvoice.recording.compare",
        str(ours),
        str(theirs),
        environ=environ,
        seconds=_COMPARE_SECONDS,
        called="the comparison",
    )
    return told.addCallback(lambda answer: dict(json.loads(answer)))


def _limits(config: Config) -> Limits:
    keep = config.retention
    return Limits(
        seconds=None if keep.days is None else keep.days * 86_400,
        size=None if keep.gigabytes is None else keep.gigabytes * 1_000_000_000,
        recordings=keep.recordings,
    )
