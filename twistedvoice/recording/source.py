# -*- test-case-name: tests.recording.test_source -*-
"""The file that an errand is about: where it is, and whether it is still there."""

from __future__ import annotations

from pathlib import Path

from ..errands import Errand
from ..errors import ErrandRefused

__all__ = ["source_of"]


def source_of(errand: Errand) -> Path:
    """
    Find the recording, in the form that the errands before left it in. It blocks.

    :raises ErrandRefused: when somebody has removed it.
    :raises OSError: when its whole folder cannot be found: the disk may come back.
    """
    path = Path(str(errand.found.get("path", errand.details["path"])))
    path.parent.stat()
    if not path.is_file():
        raise ErrandRefused(f"{path} is gone")
    return path
