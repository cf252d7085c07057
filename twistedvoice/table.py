# -*- test-case-name: tests.test_table -*-
"""A table of words: for a terminal, for a file, or for a page of documentation."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from attrs import field, frozen

__all__ = ["Table", "printable", "show"]


@frozen(kw_only=True)
class Table:
    """Rows of words under columns; the first column but one is flush left."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: Colours for a terminal, by the whole of a cell.
    colours: Mapping[str, str] = field(factory=dict)

    def as_text(self) -> str:
        """:returns: lines for any terminal."""
        lines = [self.columns, *(tuple(map(printable, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        told = (
            "  ".join(
                cell.rjust(width) if _is_number(cell) else cell.ljust(width)
                for cell, width in zip(line, widths, strict=True)
            ).rstrip()
            for line in lines
        )
        return "\n".join([self.title, "", *told, ""])

    def as_rst(self) -> str:
        """:returns: a ``list-table`` of reStructuredText."""
        return "\n".join(self._rst_lines()) + "\n"

    def _rst_lines(self) -> Iterator[str]:
        yield f".. list-table:: {self.title}"
        yield "   :header-rows: 1"
        yield ""
        for line in (self.columns, *self.rows):
            for place, cell in enumerate(line):
                yield f"   {' ' if place else '*'} - {cell}".rstrip()


def _is_number(cell: str) -> bool:
    return not cell.strip("0123456789.,%-")


def show(table: Table) -> None:
    """Print it, with rich where that is installed and there is a terminal."""
    if find_spec("rich") is None or not sys.stdout.isatty():
        sys.stdout.write(f"\n{table.as_text()}\n")
        return
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(title=table.title)
    for column in table.columns:
        drawn.add_column(column)
    for row in table.rows:
        # Words of others, such as paths, are no markup.
        drawn.add_row(
            *(Text(printable(cell), table.colours.get(cell, "")) for cell in row)
        )
    Console().print(drawn)


def printable(words: str) -> str:
    """
    Make words of others harmless to a terminal.

    :returns: one line; what is no letter, figure or sign is told by its number.
    """
    if words.isprintable():
        return words
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in words
    )
