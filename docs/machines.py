# -*- test-case-name: tests.test_docs -*-
"""Draws the state machines of the code, for docs/state-machines.

It reads what Automat built, so the picture cannot differ from what runs, and needs
neither graphviz nor Sphinx. The states of a life stand in a row in the order in which
they can be reached, and below them those in which it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from attrs import field, frozen

__all__ = ["Drawing", "Machine", "read"]

#: Sizes in pixels.
_COLUMN, _BOX, _TALL, _LINE = 190, 116, 38, 15
_ROWS = (100.0, 300.0)
#: Where on a line down, to the left or else, its label stands: beside where lines meet.
_SHARES = (0.28, 0.62)
_STYLE = (
    'fill="none" stroke="currentColor" font-family="sans-serif" font-size="13"'
    ' style="max-width:100%;height:auto"'
)


@frozen(kw_only=True)
class Machine:
    """The states of a machine, and what leads from one to another."""

    #: Those that something leads out of, in the order of the longest way to each.
    live: Sequence[str]
    #: Those that nothing leads out of.
    final: Sequence[str]
    #: The inputs from one state to another, or that do something and stay.
    arrows: Mapping[tuple[str, str], Sequence[str]]
    #: The inputs that change nothing in a state.
    ignored: Mapping[str, Sequence[str]]

    def table(self) -> Iterator[str]:
        """:returns: the same as lines of a reStructuredText table."""
        yield from (".. list-table::", "   :header-rows: 1", "")
        yield from _row("in", "upon", "goes to", "and takes no notice of")
        for state in (*self.live, *self.final):
            leaving = [
                (", ".join(inputs), "itself, at work" if to == state else to)
                for (start, to), inputs in self.arrows.items()
                if start == state
            ] or [("", "")]
            ignored = ", ".join(self.ignored.get(state, ()))
            for inputs, to in leaving:
                yield from _row(state, inputs, to, ignored)
                state = ignored = ""


def read(machine: Any) -> Machine:
    """:param machine: what ``TypeMachineBuilder.build()`` gave."""
    automaton = machine.__automat_automaton__
    arrows: dict[tuple[str, str], list[str]] = {}
    ignored: dict[str, list[str]] = {}
    transitions = sorted(
        (start.name, end.name, word, [output.name for output in outputs])
        for start, word, end, outputs in automaton.allTransitions()
    )
    for start, end, word, outputs in transitions:
        if start == end and outputs == ["returns(None)"]:
            ignored.setdefault(start, []).append(word)
        else:
            arrows.setdefault((start, end), []).append(word)
    ranks = {automaton.initialState.name: 0}
    _rank(automaton.initialState.name, arrows, ranks)
    states = sorted(ranks, key=lambda state: (ranks[state], state))
    going = {start for start, end in arrows if start != end}
    return Machine(
        live=[state for state in states if state in going],
        final=sorted(
            set(states) - going, key=lambda state: _mean(state, arrows, ranks)
        ),
        arrows=arrows,
        ignored=ignored,
    )


@frozen
class Drawing:
    """A machine as an SVG picture in the colours of the text around it."""

    machine: Machine
    _places: dict[str, tuple[float, float]] = field(init=False)

    @_places.default
    def _place(self) -> dict[str, tuple[float, float]]:
        live, final = self.machine.live, self.machine.final
        width = len(live) * _COLUMN
        share = width / len(final)
        above = {s: (_COLUMN * (n + 0.5), _ROWS[0]) for n, s in enumerate(live)}
        below = {s: (share * (n + 0.5), _ROWS[1]) for n, s in enumerate(final)}
        return above | below

    def svg(self) -> str:
        """:returns: the picture as one element of HTML."""
        width = len(self.machine.live) * _COLUMN
        height = _ROWS[1] + _TALL
        parts = [*self._boxes(), *self._lines()]
        names = " ".join(self._places)
        return (
            f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img"'
            f' aria-label="{escape(names)}" {_STYLE}>'
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4"'
            ' markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0 0 8 4 0 8z" fill="currentColor" stroke="none"/>'
            "</marker></defs>" + "".join(parts) + "</svg>"
        )

    def _boxes(self) -> Iterator[str]:
        for state, (x, y) in self._places.items():
            thick = 2.5 if state == self.machine.live[0] else 1.2
            yield (
                f'<rect x="{x - _BOX / 2}" y="{y - _TALL / 2}" width="{_BOX}"'
                f' height="{_TALL}" rx="8" stroke-width="{thick}"/>'
            )
            yield _text(x, y + 5, [state], weight=600)

    def _lines(self) -> Iterator[str]:
        for (start, end), words in self.machine.arrows.items():
            (x, y), (to_x, to_y) = self._places[start], self._places[end]
            middle, top = (x + to_x) / 2, y - _TALL / 2
            if y != to_y:
                top, bottom = y + _TALL / 2, to_y - _TALL / 2
                share = _SHARES[to_x >= x]
                yield _arrow(f"M{x} {top} {to_x} {bottom}")
                yield _text(x + (to_x - x) * share, top + (bottom - top) * share, words)
            elif start == end:
                yield _arrow(f"M{x - 15} {top}Q{x} {top - 40} {x + 15} {top}")
                yield _text(x, top - 24, words)
            elif abs(to_x - x) == _COLUMN:
                yield _arrow(f"M{x + _BOX / 2} {y} {to_x - _BOX / 2} {y}")
                yield _text(middle, y - 8, words)
            else:
                yield _arrow(f"M{x} {top}Q{middle} {top - 110} {to_x} {top}")
                yield _text(middle, top - 61, words)


def _rank(
    state: str, arrows: Mapping[tuple[str, str], object], ranks: dict[str, int]
) -> None:
    for start, end in arrows:
        if start == state != end and ranks.get(end, -1) <= ranks[state]:
            ranks[end] = ranks[state] + 1
            _rank(end, arrows, ranks)


def _mean(
    state: str, arrows: Mapping[tuple[str, str], object], ranks: Mapping[str, int]
) -> float:
    """Where the states stand that lead to this one: it is put below them."""
    sources = [ranks[start] for start, end in arrows if end == state != start]
    return sum(sources) / len(sources)


def _arrow(path: str) -> str:
    return f'<path d="{path}" marker-end="url(#tip)" stroke-opacity=".7"/>'


def _text(x: float, y: float, lines: Sequence[str], weight: int = 400) -> str:
    first = y - (len(lines) - 1) * _LINE
    spans = (
        f'<tspan x="{x}" y="{first + n * _LINE}">{escape(line)}</tspan>'
        for n, line in enumerate(lines)
    )
    return (
        f'<text text-anchor="middle" font-weight="{weight}" fill="currentColor"'
        ' style="paint-order:stroke;stroke:var(--color-background-primary,#fff);'
        f'stroke-width:5px">{"".join(spans)}</text>'
    )


def _row(*cells: str) -> Iterator[str]:
    for lead, cell in zip("*   ", cells, strict=True):
        yield f"   {lead} - {cell}".rstrip()
