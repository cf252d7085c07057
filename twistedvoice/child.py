# -*- test-case-name: tests.test_child -*-
"""What our processes are started with: their words, environments, import paths.

All of it is explicit. A process that only computes gets no setting and no secret. A
worker gets the settings of its parent, by the same sources, and the secrets where the
parent found them; it gets nothing that would have it speak to systemd in the parent's
place.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from .settings import SETTINGS

__all__ = ["import_path", "plain_environ", "worker_environ", "worker_words"]

#: What an interpreter and the system's libraries look at.
_PLAIN = (
    *("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
)
#: How systemd speaks with the process that it started, and with no other.
_SYSTEMD = ("LISTEN_", "NOTIFY_", "WATCHDOG_")
#: A third of it is the pace at which a worker tells its parent that it lives.
_WATCHDOG_USEC = 15_000_000


def worker_words(options: Mapping[str, object], node_id: str) -> list[str]:
    """
    :param options: what the parent was started with.
    :returns: the same as words, for one worker of this node id.
    """
    own = {**options, "node-id": node_id, "workers": "1"}
    words = []
    for name in ("config", *(setting.option for setting in SETTINGS)):
        value = own.get(name)
        if _is_flag(name):
            words += [f"--{name}"] if value else []
        elif value is not None:
            words.append(f"--{name}={value}")
    return words


def plain_environ(ours: Mapping[str, str], path: Sequence[str]) -> dict[str, str]:
    """
    :param ours: the environment of this process.
    :param path: where modules are that Python would not find by itself.
    :returns: the environment of a process that computes: no setting, no secret.
    """
    environ = {name: ours[name] for name in _PLAIN if name in ours}
    return _with_path(environ, path)


def worker_environ(ours: Mapping[str, str], path: Sequence[str]) -> dict[str, str]:
    """
    :param ours: the environment of the parent.
    :param path: where modules are that Python would not find by itself.
    :returns: the environment of a worker.
    """
    environ = {name: ours[name] for name in ours if not name.startswith(_SYSTEMD)}
    environ = _with_path(environ, path)
    # Its watchdog is the parent.
    environ["WATCHDOG_USEC"] = str(_WATCHDOG_USEC)
    return environ


def _with_path(environ: Mapping[str, str], path: Sequence[str]) -> dict[str, str]:
    folders = [*path, *filter(None, [environ.get("PYTHONPATH")])]
    added = {"PYTHONPATH": os.pathsep.join(folders)} if folders else {}
    return {**environ, **added}


def import_path(sys_path: Sequence[str], folder: str) -> list[str]:
    """
    :param sys_path: where the parent's modules come from.
    :param folder: the working directory.
    :returns: those folders in which agents or this package may lie, and which a new
        interpreter does not look in: the working directory, if the parent does, and
        a checkout.
    """
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    package = str(Path(__file__).resolve().parents[1])
    looked_in = [os.path.abspath(os.path.join(folder, each)) for each in sys_path]
    wanted = [folder] if folder in looked_in else []
    return [*wanted, *({package} - installed - {*wanted})]


def _is_flag(name: str) -> bool:
    return any(setting.option == name and setting.is_flag for setting in SETTINGS)
