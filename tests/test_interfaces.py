"""The seams of the house, and that all who stand at one can be called the same way."""

from __future__ import annotations

import inspect
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import interfaces
from twistedvoice.agents.agent import Agent
from twistedvoice.agents.echo import Echo
from twistedvoice.agents.prompt import Prompt
from twistedvoice.calls.control import Control
from twistedvoice.calls.utterance import SpokenUtterance
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.store.memory import MemoryStore
from twistedvoice.store.sqlite import SqliteStore
from twistedvoice.testing import FakeCall, FakeUtterance

from .carriers.second import BinaryDialect
from .realtime.doubles import FakeTransport, PrefixTransport

#: Who stands at each seam.
STANDING: dict[type, list[type]] = {
    interfaces.Agent: [Agent, Echo, Prompt],
    interfaces.CallControl: [Control, FakeCall],
    interfaces.Dialect: [TwilioDialect, BinaryDialect],
    interfaces.MediaTransport: [FakeTransport, PrefixTransport],
    interfaces.ErrandStore: [MemoryStore, SqliteStore],
    interfaces.Store: [MemoryStore, SqliteStore],
    interfaces.Utterance: [SpokenUtterance, FakeUtterance],
}


def methods(seam: type) -> dict[str, Any]:
    """:returns: the methods that a seam asks for."""
    return {
        name: value
        for name, value in vars(seam).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def call_shape(function: Any) -> list[tuple[str, Any]]:
    """:returns: by what names, and in what way, a function takes its arguments."""
    return [(p.name, p.kind) for p in inspect.signature(function).parameters.values()]


class InterfacesTests(SynchronousTestCase):
    """What types alone do not say of the seams."""

    def test_methods_say_what_they_must_do(self) -> None:
        """Each seam and each of its methods has its contract written down."""
        for name in interfaces.__all__:
            seam = getattr(interfaces, name)
            if getattr(seam, "_is_protocol", False):
                self.assertTrue(seam.__doc__, name)
                for method, function in methods(seam).items():
                    self.assertTrue(function.__doc__, f"{name}.{method}")

    def test_same_call_for_all(self) -> None:
        """A call by keyword or by place means the same to all who stand at a seam."""
        for seam, implementations in STANDING.items():
            for name, wanted in methods(seam).items():
                for each in implementations:
                    shape = call_shape(getattr(each, name))
                    self.assertEqual(shape, call_shape(wanted), f"{each}.{name}")
