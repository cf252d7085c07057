# -*- test-case-name: tests.bench.test_usual -*-
"""How a service's frames of sound look, to know the next one at a glance.

A service writes all of them alike but for the sound. So the first is read in full, and
what is like it in every byte around the sound need not be.
"""

from __future__ import annotations

from typing import Self

from attrs import frozen

__all__ = ["UsualFrame"]

_LONGEST_SHORT = 125


@frozen(kw_only=True)
class UsualFrame:
    """A frame of a server, but for the sound in it."""

    #: From the first byte of the frame to the sound, and from there to its end.
    head: bytes
    end: bytes
    #: The whole frame.
    size: int
    #: How many bytes of sound are in it.
    sound: int

    @classmethod
    def learned(cls, text: bytes, sound: int) -> Self | None:
        """
        Learn from a message of so much sound, which was read in full.

        :returns: None when it is so short that its frame begins in another way.
        """
        if len(text) <= _LONGEST_SHORT:
            return None
        before, key, rest = text.partition(b'"payload":')
        blank = rest[: rest.find(b'"') + 1]
        payload, _, after = rest[len(blank) :].partition(b'"')
        header = b"\x81\x7e" + len(text).to_bytes(2, "big")
        return cls(
            head=header + before + key + blank,
            # How the base64 is padded tells how much sound there is.
            end=payload[len(payload.rstrip(b"=")) :] + b'"' + after,
            size=len(header) + len(text),
            sound=sound,
        )

    def is_at(self, data: bytes, start: int) -> bool:
        """:returns: whether such a frame is there, whole."""
        stop = start + self.size
        if stop == len(data) and not start:  # nearly always; and the shortest way
            return data.startswith(self.head) and data.endswith(self.end)
        return (
            stop <= len(data)
            and data.startswith(self.head, start)
            and data.endswith(self.end, start, stop)
        )

    def payload(self, data: bytes, start: int) -> bytes:
        """:returns: the sound of the one that is there, in base64 without padding."""
        return data[start + len(self.head) : start + self.size - len(self.end)]
