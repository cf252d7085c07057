# -*- test-case-name: tests.web.test_webhooks -*-
"""What Twilio asks and tells over HTTP: a call comes in, a call or a recording ended.

Each webhook checks who asks, reads the form, and answers; what it means for a call is
done by admission, the switchboard and the recorder. A webhook whose answer cannot be
found out answers "busy", which is valid markup and opens no socket [CP-2].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from attrs import field, frozen
from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.error import UnsupportedMethod
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from ..calls.admission import Admission
from ..calls.switchboard import Switchboard
from ..carriers.twilio.markup import (
    After,
    HangUp,
    Redirect,
    busy,
    connect_stream,
    stream_url,
    transfer,
)
from ..errors import RequestRefused, StoreError
from ..interfaces import Reservation
from .gate import Gate

__all__ = ["MEDIA_PATH", "VOICE_PATH", "Ask", "Webhook", "Webhooks"]

_log = Logger()

MEDIA_PATH = "/twilio/media"
VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"
RECORDING_PATH = "/twilio/recording"

_FORM = b"application/x-www-form-urlencoded"
#: Twilio gives up after 15 seconds, and then the call fails.
_PATIENCE_SECONDS = 10
#: Read before the signature is checked, so a stranger's cost is bounded by it.
_MOST_FIELDS = 100
#: A call whose streams keep dying is not rejoined for ever.
_MOST_REJOINS = 3
#: States of a call after which nothing comes.
_OVER = ("completed", "busy", "failed", "no-answer", "canceled")


@frozen(kw_only=True)
class Ask:
    """A webhook that was let in."""

    form: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str]
    idempotency: str
    #: Host and port that it was sent to, by its own word: for trusted peers only.
    host: str


class Webhook(Resource):
    """One address that the carrier posts forms to."""

    isLeaf = True

    def __init__(
        self, gate: Gate, answer: Callable[[Ask], Deferred[str] | str]
    ) -> None:
        """:param answer: the markup to answer with, or nothing."""
        super().__init__()
        self._gate = gate
        self._answer = answer

    def render(self, request: Request) -> int:
        if request.method != b"POST":
            raise UnsupportedMethod([b"POST"])
        try:
            ask = self._let_in(request)
        except RequestRefused as refused:
            self._finish(request, refused.status, "")
            return NOT_DONE_YET
        answering = maybeDeferred(self._answer, ask)
        lost = request.notifyFinish()
        lost.addErrback(lambda _: answering.cancel())
        answering.addCallbacks(
            lambda markup: self._finish(request, 200, markup),
            lambda failure: self._failed(request, failure),
        )
        return NOT_DONE_YET

    def _let_in(self, request: Request) -> Ask:
        headers = {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        path = request.uri.decode("latin-1")
        peer = getattr(request.getClientAddress(), "host", "")
        assert request.content is not None
        body = request.content.read()
        kind = headers.get("content-type", "").partition(";")[0].strip().encode()
        if kind != _FORM:
            self._gate.check_body(path, body, headers, peer)
            self._gate.refuse("not_a_form", 415)
        try:
            form = _fields(body.decode("utf-8", "replace"))
            query = _fields(path.partition("?")[2])
        except ValueError:
            self._gate.refuse("too_many_fields", 400)
        self._gate.check_form(path, form, headers, peer)
        return Ask(
            form=dict(form),
            query=dict(query),
            idempotency=headers.get("i-twilio-idempotency-token", ""),
            host=headers.get("host", ""),
        )

    def _failed(self, request: Request, failure: Failure) -> None:
        if isinstance(failure.value, RequestRefused):
            self._gate.refused[failure.value.reason] += 1
            self._finish(request, failure.value.status, "")
            return
        if failure.check(CancelledError):
            return  # The asker is gone.
        _log.failure("while answering {path}", failure, path=request.path)
        self._finish(request, 500, "")

    def _finish(self, request: Request, status: int, markup: str) -> None:
        if request.finished or request.channel is None:
            return
        request.setResponseCode(status)
        request.setHeader(b"Content-Type", b"text/xml; charset=utf-8")
        request.write(markup.encode())
        request.finish()


def _fields(text: str) -> list[tuple[str, str]]:
    """:raises ValueError: when there are more than any webhook has."""
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)


class Webhooks:
    """What the webhooks of Twilio mean."""

    def __init__(
        self,
        clock: IReactorTime,
        admission: Admission,
        switchboard: Switchboard,
        *,
        public_url: str | None,
        after_stream: After,
        late_number: str | None,
        recorded: Callable[[Mapping[str, str]], None],
        expect: Callable[[Reservation], None],
    ) -> None:
        """
        :param public_url: None only where the carrier's end is trusted: then the
            stream comes to where the webhook was sent.
        :param after_stream: what follows the stream in the markup; the URL of a
            redirect is ours to fill in.
        :param late_number: who is refused since ticks are late is put through to it;
            None is busy.
        :param recorded: told what the carrier says of its recordings.
        :param expect: told of each call that will have a stream.
        """
        self._clock = clock
        self._admission = admission
        self._switchboard = switchboard
        #: These three may be set while calls run.
        self.public_url = public_url
        self.after_stream = after_stream
        self.late_number = late_number
        self._recorded = recorded
        self._expect = expect
        #: Calls answered with a stream, or by why they were not.
        self.answers: Counter[str] = Counter()

    def voice(self, ask: Ask) -> Deferred[str]:
        """A call comes in: keep a place, and have it streamed to us."""
        call_id, account_id = ask.form.get("CallSid"), ask.form.get("AccountSid")
        if not call_id or not account_id:
            raise RequestRefused("no_call", 400)
        place = self._admission.reserve(
            call_id,
            account_id,
            idempotency=ask.idempotency,
            from_number=ask.form.get("From", ""),
            to_number=ask.form.get("To", ""),
        )
        place.addTimeout(_PATIENCE_SECONDS, self._clock)
        return place.addCallbacks(
            self._stream,
            self._no_place,
            callbackArgs=(ask,),
            errbackArgs=(call_id, account_id),
        )

    def status(self, ask: Ask) -> str:
        """A call changed its state; only its end is news."""
        call_id = ask.form.get("CallSid", "")
        if call_id and ask.form.get("CallStatus") in _OVER:
            self._admission.cancel(call_id, ask.form.get("AccountSid", ""))
            self._switchboard.carrier_ended(call_id, ask.form.get("AccountSid", ""))
        return ""

    def recording(self, ask: Ask) -> str:
        """A recording at the carrier changed its state."""
        self._recorded(ask.form)
        return ""

    def _stream(self, place: Reservation, ask: Ask) -> str:
        self.answers["stream"] += 1
        # A call is worth more than a head start.
        maybeDeferred(self._expect, place).addErrback(self._not_expected)
        base = self.public_url or f"http://{ask.host}"
        url = stream_url(base, MEDIA_PATH)
        return connect_stream(url, {"token": place.token}, after=self._after(base, ask))

    def _not_expected(self, failure: Failure) -> None:
        _log.failure("while a call is expected", failure)

    def _after(self, base: str, ask: Ask) -> After:
        if not isinstance(self.after_stream, Redirect):
            return self.after_stream
        said = ask.query.get("rejoin", "0")
        rejoins = int(said) if said.isdecimal() else _MOST_REJOINS
        if rejoins >= _MOST_REJOINS:
            return HangUp()
        return Redirect(f"{base.rstrip('/')}{VOICE_PATH}?rejoin={rejoins + 1}")

    def _no_place(self, failure: Failure, call_id: str, account_id: str) -> str:
        failure.trap(RequestRefused, StoreError, defer.TimeoutError)
        if isinstance(failure.value, RequestRefused):
            return self._refused(failure.value.reason)
        _log.failure("no place for {id}", failure, id=call_id)
        self.answers["store"] += 1
        if failure.check(defer.TimeoutError):
            # A place may be kept all the same, after we lost patience.
            self._admission.cancel(call_id, account_id)
        return busy()

    def _refused(self, reason: str) -> str:
        self.answers[reason] += 1
        if reason == "late" and self.late_number is not None:
            return transfer(self.late_number)
        return busy()
