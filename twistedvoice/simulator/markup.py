# -*- test-case-name: tests.simulator.test_markup -*-
"""Reads the markup that answers a voice webhook, as the carrier does.

It says which stream to open with which parameters, or how else the call goes on.
Nothing is played or dialled here: such verbs are only named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from attrs import field, frozen

from ..errors import SimulationError

__all__ = ["Instructions", "StreamOrder", "read_markup"]

#: The verbs that decide a call that has no stream, and the word for it.
_OUTCOMES = {
    "Hangup": "hung_up",
    "Redirect": "redirected",
    "Dial": "dialled",
    "Reject": "rejected",
}


@frozen(kw_only=True)
class StreamOrder:
    """A stream to open, in both directions."""

    url: str
    #: Handed back to the service in ``start``; a token is among them.
    params: Mapping[str, str] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class Instructions:
    """What a document tells the carrier to do."""

    #: The verbs before the stream, or all when there is none.
    verbs: Sequence[str]
    #: None when the document opens no stream.
    stream: StreamOrder | None
    #: The verbs to go on with when the service has closed the stream.
    after: Sequence[str]
    #: How a call without stream ends, in one word.
    outcome: str


def read_markup(document: bytes) -> Instructions:
    """
    :raises SimulationError: when a carrier could not follow the document.
    """
    verbs = list(_root(document))
    names = [verb.tag for verb in verbs]
    if "Connect" not in names:
        return Instructions(verbs=names, stream=None, after=(), outcome=_outcome(verbs))
    place = names.index("Connect")
    return Instructions(
        verbs=names[:place],
        stream=_stream(verbs[place]),
        after=names[place + 1 :],
        outcome="",
    )


def _root(document: bytes) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - the service's own
    except ElementTree.ParseError as error:
        raise SimulationError(
            f"the webhook's answer is not XML ({error}): does the URL lead to the"
            " service's voice webhook?"
        ) from error
    if root.tag != "Response":
        raise SimulationError(
            f"the webhook answered <{root.tag}> where a carrier needs <Response>"
        )
    return root


def _stream(connect: ElementTree.Element) -> StreamOrder:
    stream = connect.find("Stream")
    if stream is None or not stream.get("url"):
        raise SimulationError("the markup's <Connect> holds no <Stream> with a url")
    return StreamOrder(
        url=stream.get("url", ""),
        params={
            parameter.get("name", ""): parameter.get("value", "")
            for parameter in stream.findall("Parameter")
        },
    )


def _outcome(verbs: Sequence[ElementTree.Element]) -> str:
    for verb in verbs:
        if verb.tag == "Reject" and verb.get("reason") == "busy":
            return "busy"
        if verb.tag in _OUTCOMES:
            return _OUTCOMES[verb.tag]
    return "hung_up"
