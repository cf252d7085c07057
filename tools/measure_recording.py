"""Print how true a recording is after an hour of trouble; see docs/recording.

The hour is virtual and takes a few seconds. How a recording lies against what a caller
heard in real time is in the report of ``twistedvoice demo``::

    PYTHONPATH=. python tools/measure_recording.py
"""

from __future__ import annotations

import sys

import numpy as np

from tests.recording.hour import Hour

__all__ = ["main"]


def main() -> None:
    """Let an hour go by, and print a line for each figure."""
    found = Hour().run()
    off = np.array(found.service_off_ms)
    middle, most, worst = np.percentile(off, [50, 99.9, 100])
    within = (off < 20).mean()
    for what, figure in (
        ("the hour is longer by", f"{found.length_off_ms:+.1f} ms"),
        ("caller: frames lost on the way", f"{found.caller_lost}"),
        ("caller: gaps in the sidecar", f"{found.gaps_ms / 20:.0f} frames"),
        ("caller: frames in a wrong place", f"{found.caller_wrong}"),
        ("caller: frames missing", f"{found.caller_missing}"),
        ("service: frames", f"{len(off)}"),
        ("service: within a frame", f"{within:.3%}"),
        ("service: off, median, 99.9 %, most",
         f"{middle:.1f}, {most:.1f}, {worst:.1f} ms"),
        ("service: cut too early at clears", f"{found.service_missing} frames"),
    ):  # fmt: skip
        sys.stdout.write(f"{what:36} {figure}\n")


if __name__ == "__main__":
    main()
