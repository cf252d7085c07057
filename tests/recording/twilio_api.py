# -*- test-case-name: tests.recording.test_carrier_side -*-
"""A double of Twilio's REST API for calls and recordings.

It was written from Twilio's documents and knows nothing of our requests or our reading
of the answers. It answers properly unless it was given tricks to play, writes down all
it was told, and keeps the status callbacks it would send for the test to deliver: when,
how often and in what order the test likes.

::

    api = TwilioApi()
    api.call_started("CA1")
    api.play(HANG, fails(503))          # for the next two requests
    Site(api.resource)                  # or StubTreq(api.resource)
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from attrs import define, field, frozen
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

__all__ = [
    "ACCOUNT",
    "ALREADY_RECORDING",
    "GARBLED",
    "HANG",
    "HANG_AFTERWARDS",
    "NOT_FOUND",
    "NOT_IN_PROGRESS",
    "PASSWORD",
    "PROPER",
    "Told",
    "Trick",
    "TwilioApi",
    "busy",
    "fails",
]

ACCOUNT = "AC00000000000000000000000000000001"
PASSWORD = "a secret of the double"


@frozen(kw_only=True)
class Trick:
    """What happens to one request instead of the proper thing."""

    #: Answer properly: no trick this time.
    proper: bool = False
    #: Carry the request out, whatever is answered.
    does_it: bool = False
    #: The answer's status; None answers nothing, until :meth:`TwilioApi.let_go`.
    status: int | None = None
    #: Twilio's error number.
    code: int | None = None
    #: Seconds, for the header of that name.
    retry_after: int | None = None
    #: Answer with this instead of JSON.
    body: bytes | None = None


PROPER = Trick(proper=True, does_it=True)
HANG = Trick()
HANG_AFTERWARDS = Trick(does_it=True)
NOT_IN_PROGRESS = Trick(status=400, code=21220)
NOT_FOUND = Trick(status=404, code=20404)
#: Twilio's documents give no number for this one.
ALREADY_RECORDING = Trick(status=400)
GARBLED = Trick(does_it=True, status=201, body=b'{"sid": "RE')


def fails(status: int, *, does_it: bool = False) -> Trick:
    """:returns: a failure of a gateway, with a page instead of JSON."""
    return Trick(status=status, does_it=does_it, body=b"<h1>Oh no</h1>")


def busy(retry_after: int | None = None) -> Trick:
    """:returns: the refusal for too many requests at a time."""
    return Trick(status=429, code=20429, retry_after=retry_after)


@frozen(kw_only=True)
class Told:
    """One request as it came."""

    method: str
    path: str
    form: Mapping[str, list[str]]
    user: str


@frozen
class _Answer:
    status: int
    body: bytes
    retry_after: int | None = None
    location: str | None = None


@define
class TwilioApi:
    """The API of one account, with its calls and recordings."""

    #: Users and passwords that are let in.
    users: dict[str, str] = field(factory=lambda: {ACCOUNT: PASSWORD})
    #: Calls and their status.
    calls: dict[str, str] = field(factory=dict)
    #: The recordings of each call, the newest first.
    recordings: dict[str, list[dict[str, object]]] = field(factory=dict)
    #: The files of recordings that are ready: WAV files of two channels.
    sounds: dict[str, bytes] = field(factory=dict)
    #: Where files really are: under this URL and their recording's id. Whoever knows
    #: it gets them.
    elsewhere: str | None = None
    #: Everything the API was asked, in order.
    told: list[Told] = field(factory=list)
    #: Status callbacks to deliver: the URL and the form.
    callbacks: list[tuple[str, dict[str, str]]] = field(factory=list)
    _tricks: deque[Trick] = field(factory=deque, init=False)
    _held: list[tuple[Request, _Answer]] = field(factory=list, init=False)
    _made: int = field(default=0, init=False)

    @property
    def resource(self) -> Resource:
        """:returns: the root of the API, for a ``Site`` or a ``StubTreq``."""
        return _Root(self)

    @property
    def held(self) -> int:
        """:returns: how many requests wait for an answer."""
        return len(self._held)

    def play(self, *tricks: Trick) -> None:
        """Do this to the next requests, one each."""
        self._tricks.extend(tricks)

    def let_go(self) -> None:
        """Answer the requests that hang: what was not carried out failed."""
        held, self._held = self._held, []
        for request, answer in held:
            _send(request, answer)

    def call_started(self, call_sid: str) -> None:
        """The call is in progress from now on."""
        self.calls[call_sid] = "in-progress"

    def call_ended(self, call_sid: str) -> None:
        """The call is over; its recordings are completed and called back."""
        self.calls[call_sid] = "completed"
        for recording in self.recordings.get(call_sid, []):
            if recording["status"] in ("in-progress", "paused"):
                recording["status"] = "completed"
                self._call_back(recording)

    def recorded(self, call_sid: str) -> list[str]:
        """:returns: the ids of all recordings ever made of the call."""
        return [str(each["sid"]) for each in self.recordings.get(call_sid, [])]

    def record(self, call_sid: str, callback_url: str = "") -> dict[str, object]:
        """Start a recording; the callback ``in-progress`` is due at once."""
        self._made += 1
        recording: dict[str, object] = {
            "sid": f"RE{self._made:032x}",
            "call_sid": call_sid,
            "status": "in-progress",
            "source": "StartCallRecordingAPI",
            "channels": 2,
            "callback_url": callback_url,
        }
        self.recordings.setdefault(call_sid, []).insert(0, recording)
        self._call_back(recording)
        return recording

    def asked(self, request: Request) -> None:
        """Take one HTTP request; for the resource."""
        user, password = _credentials(request)
        content = request.content.read() if request.content else b""
        path = request.path.decode()
        form = parse_qs((content or request.uri.partition(b"?")[2]).decode())
        method = request.method.decode()
        self.told.append(Told(method=method, path=path, form=form, user=user))
        if path.startswith(_ELSEWHERE):
            _send(request, self._file(path.removeprefix(_ELSEWHERE)))
            return
        if self.users.get(user) != password or not password:
            _send(request, _error(401, 20003))
            return
        self._treat(request, lambda: self._proper(method, path, form))

    def _treat(self, request: Request, proper: Callable[[], _Answer]) -> None:
        trick = self._tricks.popleft() if self._tricks else PROPER
        answer = proper() if trick.does_it else _error(500, None)
        if trick.proper:
            _send(request, answer)
        elif trick.status is None:
            self._hold(request, answer)
        else:
            _send(request, _trick_answer(trick, trick.status))

    def _hold(self, request: Request, answer: _Answer) -> None:
        entry = (request, answer)
        self._held.append(entry)

        def gone(_: object) -> None:
            if entry in self._held:
                self._held.remove(entry)

        request.notifyFinish().addErrback(gone)

    def _proper(self, method: str, path: str, form: Mapping[str, list[str]]) -> _Answer:
        for pattern, allowed, answer in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == allowed:
                return answer(self, found["id"], form)
        return _error(404, 20404)

    def _create(self, call_sid: str, form: Mapping[str, list[str]]) -> _Answer:
        if self.calls.get(call_sid) != "in-progress":
            return self._not_live(call_sid)
        url = form.get("RecordingStatusCallback", [""])[0]
        return _resource(201, self.record(call_sid, url))

    def _list(self, call_sid: str, form: Mapping[str, list[str]]) -> _Answer:
        if call_sid not in self.calls:
            return _error(404, 20404)
        return _resource(200, {"recordings": self.recordings.get(call_sid, [])})

    def _look(self, sid: str, form: Mapping[str, list[str]]) -> _Answer:
        for recordings in self.recordings.values():
            for recording in recordings:
                if recording["sid"] == sid:
                    return _resource(200, recording)
        return _error(404, 20404)

    def _media(self, sid: str, form: Mapping[str, list[str]]) -> _Answer:
        if form.get("RequestedChannels") != ["2"]:
            return _error(400, None)
        if sid in self.sounds and self.elsewhere is not None:
            return _Answer(307, b"", location=f"{self.elsewhere}{_ELSEWHERE}{sid}")
        return self._file(sid)

    def _file(self, sid: str) -> _Answer:
        if sid not in self.sounds:
            return _error(404, 20404)
        return _Answer(200, self.sounds[sid])

    def _change(self, call_sid: str, form: Mapping[str, list[str]]) -> _Answer:
        for recording in self.recordings.get(call_sid, []):
            if recording["status"] in ("in-progress", "paused"):
                recording["status"] = form["Status"][0]
                return _resource(200, recording)
        return _error(404, 20404)

    def _update(self, call_sid: str, form: Mapping[str, list[str]]) -> _Answer:
        if self.calls.get(call_sid) != "in-progress":
            return self._not_live(call_sid)
        if form.get("Status") == ["completed"]:
            self.call_ended(call_sid)
        return _resource(200, {"sid": call_sid, "status": self.calls[call_sid]})

    def _not_live(self, call_sid: str) -> _Answer:
        return _error(400, 21220) if call_sid in self.calls else _error(404, 20404)

    def _call_back(self, recording: Mapping[str, object]) -> None:
        form = {
            "AccountSid": ACCOUNT,
            "CallSid": str(recording["call_sid"]),
            "RecordingSid": str(recording["sid"]),
            "RecordingStatus": str(recording["status"]),
            "RecordingChannels": "2",
            "RecordingSource": str(recording["source"]),
            "RecordingTrack": "both",
        }
        if recording["status"] == "completed":
            form["RecordingDuration"] = "7"
        self.callbacks.append((str(recording["callback_url"]), form))


#: Where files are when they are elsewhere.
_ELSEWHERE = "/bucket/"
_ACCOUNT = r"/2010-04-01/Accounts/[^/]+"
_CALL = _ACCOUNT + r"/Calls/(?P<id>[^/]+)"
_ROUTES = (
    (_CALL + r"/Recordings\.json", "POST", TwilioApi._create),
    (_CALL + r"/Recordings\.json", "GET", TwilioApi._list),
    (_CALL + r"/Recordings/(Twilio\.CURRENT|RE\w+)\.json", "POST", TwilioApi._change),
    (_CALL + r"\.json", "POST", TwilioApi._update),
    (_ACCOUNT + r"/Recordings/(?P<id>[^/]+)\.json", "GET", TwilioApi._look),
    (_ACCOUNT + r"/Recordings/(?P<id>[^/]+)\.wav", "GET", TwilioApi._media),
)


class _Root(Resource):
    """Hands every request to the API."""

    isLeaf = True

    def __init__(self, api: TwilioApi) -> None:
        super().__init__()
        self._api = api

    def render(self, request: Request) -> int:
        self._api.asked(request)
        return NOT_DONE_YET


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, encoded = (request.getHeader("authorization") or "").partition(" ")
    if scheme != "Basic":
        return "", ""
    user, _, password = b64decode(encoded).decode().partition(":")
    return user, password


def _trick_answer(trick: Trick, status: int) -> _Answer:
    if trick.body is not None:
        return _Answer(status, trick.body, trick.retry_after)
    return _error(status, trick.code, trick.retry_after)


def _resource(status: int, body: Mapping[str, object]) -> _Answer:
    return _Answer(status, json.dumps(body).encode())


def _error(status: int, code: int | None, retry_after: int | None = None) -> _Answer:
    body: dict[str, object] = {"message": "not like this", "status": status}
    if code is not None:
        body["code"] = code
    return _Answer(status, json.dumps(body).encode(), retry_after)


def _send(request: Request, answer: _Answer) -> None:
    request.setResponseCode(answer.status)
    request.setHeader("content-type", "application/json")
    if answer.retry_after is not None:
        request.setHeader("retry-after", str(answer.retry_after))
    if answer.location is not None:
        request.setHeader("location", answer.location)
    request.write(answer.body)
    request.finish()
