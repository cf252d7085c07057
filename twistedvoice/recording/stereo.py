# -*- test-case-name: tests.recording.test_stereo -*-
"""The sound of a whole recording in its file: checksums, and changes of one channel.

Reads and writes in place, by position; what is to be changed, and in which file, is
:mod:`.settle`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import FileIO

from attrs import frozen

from ..audio.riff import Layout, read_layout
from ..formats import AudioFormat, Encoding
from .mixer import Late, Moved
from .pieces import CHANNELS, SERVICE, put
from .sidecar import Line, checksum, sum_line
from .vault import damaged_spans

__all__ = ["Stereo"]

_ENCODINGS: dict[int, Encoding] = {1: "l16", 6: "alaw", 7: "mulaw"}


@frozen
class Stereo:
    """The sound in an open file of two channels."""

    file: FileIO
    layout: Layout

    @classmethod
    def of(cls, file: FileIO, name: str) -> Stereo:
        """:raises AudioFormatError: when it is no WAV file; ``name`` is its name."""
        return cls(file, read_layout(file, name))

    @property
    def format(self) -> AudioFormat:
        """How each side is encoded."""
        form = self.layout.format
        return AudioFormat(_ENCODINGS[form.tag], form.rate)

    @property
    def width(self) -> int:
        """Bytes of one sample."""
        return self.layout.format.bits // 8

    @property
    def second_bytes(self) -> int:
        """Bytes of one second."""
        return self.layout.format.rate * self.layout.format.frame_bytes

    @property
    def duration_ms(self) -> float:
        """How long it is."""
        frames = self.layout.data_bytes // self.layout.format.frame_bytes
        return frames * 1000 / self.layout.format.rate

    def read(self, at: int, size: int) -> bytes:
        """:param at: the first byte, from the beginning of the sound."""
        size = min(size, self.layout.data_bytes - at)
        self.file.seek(self.layout.data_at + at)
        return self.file.read(max(size, 0))

    # -- checksums --------------------------------------------------------------------

    def header(self) -> Line:
        """:returns: the line that says what lies before the sound."""
        self.file.seek(0)
        there = self.file.read(self.layout.data_at)
        return {"kind": "header", "bytes": len(there), "blake2b": checksum(there)}

    def damaged(self, lines: Iterable[Line]) -> Iterator[int]:
        """:returns: the seconds that are not what was written, each once."""
        lost = set(self._lost_seconds())
        yield from sorted(lost)
        for line in lines:
            if line["kind"] != "sum" or line["ms"] != 1000:
                continue
            second = int(line["at"]) // 1000
            if second in lost:
                continue
            there = self.read(second * self.second_bytes, self.second_bytes)
            if len(there) == self.second_bytes and checksum(there) != line["blake2b"]:
                yield second

    def _lost_seconds(self) -> Iterator[int]:
        """:returns: what cannot be read at all, perhaps more than once."""
        for start, end in damaged_spans(self.file):
            first, last = start - self.layout.data_at, end - self.layout.data_at - 1
            yield from range(first // self.second_bytes, last // self.second_bytes + 1)

    def sums(self, known: Iterable[Line] = ()) -> Iterator[Line]:
        """:param known: lines, of which those of whole seconds are true still."""
        digests = {
            int(line["at"]) // 1000: line["blake2b"]
            for line in known
            if line["kind"] == "sum" and line["ms"] == 1000
        }
        size = self.second_bytes
        for number, at in enumerate(range(0, self.layout.data_bytes, size)):
            length = min(size, self.layout.data_bytes - at)
            digest = digests.get(number) if length == size else None
            length_ms = length * 1000 / size
            digest = digest or checksum(self.read(at, size))
            yield sum_line(number * 1000, length_ms, digest)

    def seconds_of(self, edits: Iterable[Late | Moved]) -> Iterator[int]:
        """:returns: which seconds the edits change, perhaps more than once."""
        rate = self.layout.format.rate
        for edit in edits:
            for start, end in _spans_of(edit, self.width):
                yield from range(start // rate, -(-end // rate))

    def seconds_in(self, spans: Iterable[tuple[int, int]]) -> Iterator[int]:
        """:returns: which seconds the spans of sample frames touch, up to the end."""
        form = self.layout.format
        frames = self.layout.data_bytes // form.frame_bytes
        for start, end in spans:
            yield from range(start // form.rate, -(-min(end, frames) // form.rate))

    # -- edits ------------------------------------------------------------------------

    def replace_lost(self) -> None:
        """Put silence where nothing can be read, so that it can be changed again."""
        for start, end in damaged_spans(self.file):
            self._write(start, self._silence(end - start)[: end - start])

    def silence(self, spans: Iterable[tuple[int, int]]) -> None:
        """
        Make both sides silent.

        :param spans: sample frames: from, until; what is beyond the end is left out.
        """
        form = self.layout.format
        frames = self.layout.data_bytes // form.frame_bytes
        for start, end in spans:
            # Second by second, since a span may be long.
            for at in range(start, min(end, frames), form.rate):
                silence = self._silence(min(form.rate, end - at))
                for channel in range(CHANNELS):
                    self._put(channel, at, silence)

    def apply(self, edits: Iterable[Late | Moved]) -> None:
        """Change the sound, one edit after the other."""
        for edit in edits:
            if isinstance(edit, Late):
                self._put(*edit)
            else:
                self._move(edit.pieces)

    def _move(self, pieces: Sequence[tuple[int, int, int]]) -> None:
        sounds = [self._get(SERVICE, at, until - at) for at, until, _ in pieces]
        for (at, _, _), sound in zip(pieces, sounds, strict=True):
            self._put(SERVICE, at, self._silence(len(sound) // self.width))
        for (at, _, by), sound in zip(pieces, sounds, strict=True):
            self._put(SERVICE, at + by, sound)

    def _get(self, channel: int, position: int, count: int) -> bytes:
        frame_bytes, width = self.layout.format.frame_bytes, self.width
        there = self.read(position * frame_bytes, count * frame_bytes)
        one = bytearray(len(there) // CHANNELS)
        for byte in range(width):
            one[byte::width] = there[channel * width + byte :: frame_bytes]
        return bytes(one)

    def _put(self, channel: int, position: int, payload: bytes) -> None:
        """Write one channel; what lies before the beginning or the end is left out."""
        frame_bytes, width = self.layout.format.frame_bytes, self.width
        payload = payload[max(0, -position) * width :]
        position = max(0, position)
        at = position * frame_bytes
        there = bytearray(self.read(at, len(payload) * CHANNELS))
        payload = payload[: len(there) // CHANNELS]
        put(there, 0, payload, width, channel)
        self._write(self.layout.data_at + at, there)

    def _write(self, at: int, data: bytes | bytearray) -> None:
        """:param at: the first byte, from the beginning of the file."""
        self.file.seek(at)
        view = memoryview(data)
        while view:
            view = view[self.file.write(view) :]

    def _silence(self, count: int) -> bytes:
        return self.format.silence(count * self.width)


def _spans_of(edit: Late | Moved, width: int) -> Iterator[tuple[int, int]]:
    """:returns: the sample frames that an edit changes."""
    if isinstance(edit, Late):
        yield edit.position, edit.position + len(edit.payload) // width
        return
    for at, until, by in edit.pieces:
        yield at, until
        yield max(0, at + by), max(0, until + by)
