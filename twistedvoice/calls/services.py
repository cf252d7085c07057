# -*- test-case-name: tests.calls.test_switchboard -*-
"""What every call of a process shares, as plain values.

``wiring`` makes one :class:`CallServices`; the switchboard gives it to each call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ..interfaces import AgentFactory, CallObserver, CarrierControl
from ..realtime.schedule import Schedule
from .admission import Admission

__all__ = ["CallLimits", "CallServices", "Route"]


@frozen(kw_only=True)
class CallLimits:
    """The watchdogs of a call, in seconds [TD-5, TD-6]."""

    #: From the open socket to the carrier's ``start``.
    start: float
    #: From ``start`` to the end, whatever happens.
    longest: float
    #: Without any sound from the carrier.
    silence: float
    #: With frames waiting that the peer does not read.
    stall: float = 10.0


@frozen(kw_only=True)
class Route:
    """What a call to one number gets."""

    agent_name: str
    make_agent: AgentFactory = field(repr=False)
    #: Whether its sound is kept for the recorder.
    recorded: bool = True
    #: The key by which its caller agrees to that; empty when there is no need.
    consent_key: str = ""
    #: The most that a call may cost, in the operator's unit.
    spend_cap: float | None = None


@define(kw_only=True)
class CallServices:
    """What a call needs of its surroundings; what is set anew counts for new calls."""

    clock: IReactorTime
    #: Seconds since the epoch.
    wall: Callable[[], float]
    schedule: Schedule
    admission: Admission
    #: From the number that was called to what it gets.
    route: Callable[[str], Route]
    new_session_id: Callable[[], str]
    node_id: str
    limits: CallLimits
    #: Whether silence is sent while there is nothing to say.
    comfort_silence: bool = False
    #: Overrides the carrier's own lead.
    lead_ms: int | None = None
    #: Streams of this process need a token unless the carrier's end is trusted.
    trusted: bool = False
    control: CarrierControl | None = None
    #: Whether a hang-up must go through the carrier's API, since its markup goes on
    #: with something else when the socket closes.
    hang_up_by_control: bool = False
    observers: Sequence[CallObserver] = ()
    #: Reads a WAV file in a call's format, off the reactor.
    load_sound: Callable[..., Deferred[bytes]]
    #: Keeps the record of a finished call.
    keep_cdr: Callable[[dict[str, object]], Deferred[None]]
