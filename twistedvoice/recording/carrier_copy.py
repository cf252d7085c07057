# -*- test-case-name: tests.recording.test_carrier_copy -*-
"""Performs ``copy``: fetches the carrier's recording and compares it with ours.

It knows Twilio's order of things: a recording is completed some time after its call,
its file is there some time after that, and may lie elsewhere. As long as it is not
there the errand fails, and the outbox asks again later. The file lies beside ours while
the two are compared, which others do; the verdict goes into the call's record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from attrs import evolve
from twisted.internet.defer import Deferred

from ..carriers.twilio.rest import TwilioRest, read_recording
from ..errors import CarrierApiError, ErrandFailed
from ..interfaces import Errand, HttpClient, HttpFetch, HttpRequest, HttpResponse
from .private import open_private
from .source import source_of

__all__ = ["CarrierCopies", "copy_errand"]

#: Four hours of two channels of 16 bits, the longest that Twilio's calls may last, and
#: some more.
_MOST_BYTES = 512 << 20
#: What a recording is when it never will be there, or is no more.
_GONE = frozenset({"absent", "failed", "deleted"})
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})


def copy_errand(cdr: Mapping[str, Any]) -> Errand | None:
    """
    :param cdr: the record of a call that has ended.
    :returns: what is to be done when both sides recorded the call.
    """
    ours, theirs = cdr.get("recording", {}), cdr.get("carrier_recording", {})
    if ours.get("state") != "done" or theirs.get("state") != "done":
        return None
    return Errand(
        id=f"{cdr['session_id']}/copy",
        kind="copy",
        session_id=cdr["session_id"],
        details={
            "account_id": cdr["account_id"],
            "call_id": cdr["call_id"],
            "recording_id": theirs["sid"],
            "path": ours["path"],
        },
    )


class CarrierCopies:
    """The carrier's copies of calls that we recorded too."""

    def __init__(
        self,
        client: HttpClient,
        fetch: HttpFetch,
        rest: TwilioRest,
        *,
        defer_to_thread: Callable[..., Deferred[Any]],
        compare: Callable[[Path, Path], Deferred[Mapping[str, object]]],
        amend: Callable[[Errand, Mapping[str, object]], Deferred[None]],
        keep_copy: bool,
    ) -> None:
        """
        :param defer_to_thread: reads and writes files.
        :param compare: compares our file with theirs; the result has a ``verdict``.
        :param amend: adds to the record of an errand's call.
        :param keep_copy: whether their file stays beside ours.
        """
        #: Copies by verdict, for the metrics.
        self.counts: Counter[str] = Counter()
        #: This may be set at any time.
        self.rest = rest
        self._client = client
        self._fetch = fetch
        self._defer_to_thread = defer_to_thread
        self._compare = compare
        self._amend = amend
        self._keep_copy = keep_copy

    def perform(self, errand: Errand) -> Deferred[Mapping[str, object]]:
        """
        Implement :data:`~twistedvoice.interfaces.Performer`.

        :returns: fires with ``verdict``, once that is in the call's record.
        """
        return Deferred.fromCoroutine(self._perform(errand))

    async def _perform(self, errand: Errand) -> Mapping[str, object]:
        found = await self._found(errand)
        await self._amend(errand, {"carrier_copy": found})
        verdict = str(found["verdict"])
        self.counts[verdict] += 1
        return {"verdict": verdict}

    async def _found(self, errand: Errand) -> Mapping[str, object]:
        ours = await self._defer_to_thread(source_of, errand)
        recording_id = str(errand.details["recording_id"])
        account_id = str(errand.details["account_id"])
        status = await self._status(
            self.rest.look_at_recording(recording_id, account_id=account_id)
        )
        if status in _GONE:
            return {"verdict": "absent"}
        if status != "completed":
            raise ErrandFailed("the carrier is not done with its recording yet")
        request = self.rest.fetch_recording(recording_id, account_id=account_id)
        return await self._compared(request, ours)

    async def _status(self, request: HttpRequest) -> str:
        try:
            return read_recording(await self._client.perform(request)).status
        except CarrierApiError as error:
            if error.status != 404:
                raise
            return "deleted"

    async def _compared(self, request: HttpRequest, ours: Path) -> Mapping[str, object]:
        """:param request: for their file."""
        theirs = ours.with_suffix(".carrier.wav.new")
        try:
            if not await self._download(request, theirs):
                return {"verdict": "mono"}
            found = await self._compare(ours, theirs)
            if self._keep_copy:
                await self._defer_to_thread(theirs.replace, theirs.with_suffix(""))
            return found
        finally:
            await self._defer_to_thread(theirs.unlink, True)

    async def _download(self, request: HttpRequest, path: Path) -> bool:
        """:returns: whether there is a file with two channels."""
        file = await self._defer_to_thread(_open_new, path)

        def write(data: bytes) -> Deferred[None]:
            return self._defer_to_thread(file.write, data)

        try:
            answer = await self._fetch(request, write, _MOST_BYTES)
            if answer.status in _ELSEWHERE:
                there = _followed(request, answer)
                answer = await self._fetch(there, write, _MOST_BYTES)
        finally:
            await self._defer_to_thread(file.close)
        if answer.status in (200, 400):
            return answer.status == 200
        raise ErrandFailed(f"the carrier answered {answer.status} for its file")


def _followed(request: HttpRequest, answer: HttpResponse) -> HttpRequest:
    """:returns: the request to where ``answer`` says; only its own host is trusted."""
    url = urljoin(request.url, answer.headers.get("location", ""))
    here, there = urlsplit(request.url), urlsplit(url)
    if there.scheme not in (here.scheme, "https"):
        raise ErrandFailed("the carrier's file lies where it cannot be fetched safely")
    is_same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    return evolve(request, url=url, auth=request.auth if is_same else None)


def _open_new(path: Path) -> BinaryIO:
    return open(path, "wb", opener=open_private)
