# -*- test-case-name: tests.recording.test_afterwards -*-
"""What is to be done with a finished recording: the one rule, as a function."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from ..errands import Errand
from .todo import Finished

__all__ = ["Plan", "errands_for"]


@frozen(kw_only=True)
class Plan:
    """Which errands a recording gets, in this order, each after the one before."""

    #: Make a smaller file of it.
    export: bool = False
    #: Put it into the object storage.
    upload: bool = False
    #: Tell a receiver that it is ready.
    webhook: bool = False


def errands_for(recording: Finished, plan: Plan, folder: Path) -> list[Errand]:
    """
    :param folder: what keys are relative to.
    :returns: the errands of a recording; the same ids whenever this is asked.
    """
    steps = {"export": plan.export, "upload": plan.upload, "webhook": plan.webhook}
    details = {
        "path": str(recording.path.absolute()),
        "key": recording.path.relative_to(folder).as_posix(),
        "call_id": recording.call_id,
        "started_at": recording.started_at,
        "finished_at": recording.finished_at,
        "duration_ms": recording.duration_ms,
        "degraded": recording.degraded,
    }
    errands: list[Errand] = []
    for kind in (kind for kind, wanted in steps.items() if wanted):
        errands.append(
            Errand(
                id=f"{recording.session_id}/{kind}",
                kind=kind,
                session_id=recording.session_id,
                details=details,
                after=errands[-1].id if errands else "",
            )
        )
    return errands
