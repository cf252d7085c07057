# -*- test-case-name: tests.test_errors -*-
"""Every exception of twistedvoice, in one tree.

The docstring of a class is the sentence an operator reads when the error reaches
the terminal; the message of an instance says what was wrong and what to do::

    TwistedVoiceError
    ├── ConfigError
    ├── AudioFormatError
    ├── EncryptionError
    ├── DialectError
    ├── RequestRefused
    ├── CallStateError
    ├── QueueFull
    ├── NotSupported
    ├── CarrierApiError
    ├── SocketRefused
    ├── ChatFailed
    ├── StoreError
    ├── ErrandFailed
    ├── ErrandRefused
    ├── ErrandPostponed
    ├── ArchiveError
    ├── EngineError
    ├── SimulationError
    └── BenchError
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ArchiveError",
    "AudioFormatError",
    "BenchError",
    "CallStateError",
    "CarrierApiError",
    "ChatFailed",
    "ConfigError",
    "DialectError",
    "EncryptionError",
    "EngineError",
    "ErrandFailed",
    "ErrandPostponed",
    "ErrandRefused",
    "NotSupported",
    "QueueFull",
    "RequestRefused",
    "SimulationError",
    "SocketRefused",
    "StoreError",
    "TwistedVoiceError",
]


class TwistedVoiceError(Exception):
    """Something went wrong in twistedvoice."""


class ConfigError(TwistedVoiceError):
    """The configuration cannot be used."""

    def __init__(self, problems: Sequence[str]) -> None:
        """
        :param problems: one sentence for each problem: the key, what was wrong with
            it, and what is allowed.
        """
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class AudioFormatError(TwistedVoiceError):
    """The audio is not in a format that can be used here."""


class EncryptionError(TwistedVoiceError):
    """An encrypted recording cannot be read."""


class DialectError(TwistedVoiceError):
    """The carrier sent something that its protocol does not allow."""


class RequestRefused(TwistedVoiceError):
    """The request was not let in."""

    def __init__(self, reason: str, status: int = 403) -> None:
        """
        :param reason: one word for the metric and the log; never tells a caller more.
        :param status: the HTTP status to answer with.
        """
        super().__init__(reason)
        self.reason = reason
        self.status = status


class CallStateError(TwistedVoiceError):
    """The call is not in a state that allows this."""


class QueueFull(TwistedVoiceError):
    """The call has more audio waiting than it may hold; wait for room."""


class NotSupported(TwistedVoiceError):
    """The service cannot do this."""


class CarrierApiError(TwistedVoiceError):
    """The carrier's API refused a request or could not be reached."""

    def __init__(
        self, message: str, *, status: int | None, code: int | None, retryable: bool
    ) -> None:
        """
        :param status: the HTTP status, None when no answer came.
        :param code: the carrier's own error number, None when it gave none.
        :param retryable: whether the same request may succeed later and was
            certainly not carried out.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.retryable = retryable


class SocketRefused(TwistedVoiceError):
    """A WebSocket to another service could not be opened."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """:param status: the HTTP status, None when no answer came."""
        super().__init__(message)
        self.status = status

    @property
    def retryable(self) -> bool:
        """Whether it may be let in later as it is: it was not the asker's fault."""
        return self.status is None or self.status == 429 or self.status >= 500


class ChatFailed(TwistedVoiceError):
    """A chat model gave no whole answer."""

    def __init__(
        self, reason: str, *, hopeless: bool = False, wait_seconds: float = 0.0
    ) -> None:
        """
        :param reason: a word or two for the log.
        :param hopeless: it would be so with the next answer, too.
        :param wait_seconds: how long the service wants to be left alone.
        """
        super().__init__(reason)
        self.reason = reason
        self.hopeless = hopeless
        self.wait_seconds = wait_seconds


class StoreError(TwistedVoiceError):
    """The store could not do what was asked."""


class ErrandFailed(TwistedVoiceError):
    """What must be done after a call could not be done this time."""


class ErrandRefused(TwistedVoiceError):
    """What must be done after a call cannot be done, and trying again will not help."""


class ErrandPostponed(TwistedVoiceError):
    """What must be done after a call has to wait."""

    def __init__(self, reason: str, seconds: float) -> None:
        """:param seconds: how long at least before it may be tried again."""
        super().__init__(reason)
        self.seconds = seconds


class ArchiveError(TwistedVoiceError):
    """The recordings are not what was asked for."""


class EngineError(TwistedVoiceError):
    """An engine that hears or speaks could not do what was asked."""


class SimulationError(TwistedVoiceError):
    """The simulated call could not be placed."""


class BenchError(TwistedVoiceError):
    """The load test could not be run."""
