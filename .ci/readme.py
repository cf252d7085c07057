# -*- test-case-name: tests.test_ci -*-
"""The commands for a fresh machine, as the README has them.

``python3 .ci/readme.py N`` prints the Nth of them. The checks run what the README says,
so that the two cannot differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["commands"]


def commands(readme: str) -> list[str]:
    """:returns: the literal lines of the section "Try it"."""
    _, _, rest = readme.partition("\nTry it\n------\n")
    section, _, _ = rest.partition("\nWhat it does\n")
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


if __name__ == "__main__":
    readme = Path(__file__).parents[1] / "README.rst"
    found = commands(readme.read_text("utf-8"))
    sys.stdout.write(f"{found[int(sys.argv[1]) - 1]}\n")
