# -*- test-case-name: tests.test_cli -*-
"""``twistedvoice``: serve, demo, call, bench, recordings, outbox, check-config.

Each command turns words into a plan and an outcome into an exit status; the work is
done elsewhere. What needs an extra is imported only by the command that needs it.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from . import __version__
from .config import default_node_id, warnings
from .crew import LEASH
from .errors import (
    ArchiveError,
    AudioFormatError,
    BenchError,
    ConfigError,
    EncryptionError,
    SimulationError,
    StoreError,
)
from .outbox.command import outbox
from .process import ProcessService
from .speech.engines import require_engines
from .store.sqlite import BlockingStore
from .tap import Options, build, build_worker, configure, explained
from .worker import Leash

__all__ = ["main"]

#: What a shell expects of a command that Ctrl-C ended.
_INTERRUPTED = 128 + signal.SIGINT

_Command = Callable[[list[str]], int]


def main(words: Sequence[str] | None = None) -> int:
    """
    Run one command.

    :param words: by default those of the command line.
    :returns: the exit status; 2 when the words or the configuration are wrong.
    """
    words = list(sys.argv[1:] if words is None else words)
    name = words[0] if words else "--help"
    if name == "--version":
        sys.stdout.write(f"twistedvoice {__version__}\n")
        return 0
    command = _COMMANDS.get(name)
    if command is None:
        asked = name in ("-h", "--help", "help")
        if not asked:
            sys.stderr.write(f"twistedvoice: {name!r} is no command\n")
        (sys.stdout if asked else sys.stderr).write(_USAGE)
        return 0 if asked else 2
    try:
        return command(words[1:])
    except ConfigError as error:
        sys.stderr.write(f"twistedvoice {name}: {explained(error)}\n")
    except (
        UsageError,
        SimulationError,
        BenchError,
        AudioFormatError,
        EncryptionError,
        StoreError,
        ArchiveError,
    ) as error:
        sys.stderr.write(f"twistedvoice {name}: {error}\n")
    except OSError as error:
        about = "" if error.filename is None else f"{error.filename}: "
        reason = error.strerror or error
        sys.stderr.write(f"twistedvoice {name}: {about}{reason}\n")
    except KeyboardInterrupt:  # while it was still being imported
        return _INTERRUPTED
    return 2


def _serve(words: list[str]) -> int:
    from twisted.internet import reactor

    # Until there is something to reload, a SIGHUP must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return _run_service(reactor, build(_options("serve", words)))


def _worker(words: list[str]) -> int:
    """Answer calls for the parent that started this; not for people."""
    from twisted.internet import reactor

    if not words:
        raise UsageError("this is how a service starts its workers; give serve")
    the_reactor: Any = reactor
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Ctrl-C is for the parent, which passes it on once.
    os.setpgid(0, 0)
    log_name, *options = words
    service = build_worker(_options("worker", options), log_name)
    Leash(the_reactor, LEASH, service.abandon).start()
    return _run_service(the_reactor, service)


def _run_service(reactor: Any, service: ProcessService) -> int:
    globalLogBeginner.beginLoggingTo([service.log_output], redirectStandardIO=False)
    # Unlike twistd, this ends with 0 after a drain.
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    service.startService()
    reactor.run()
    return 1 if service.failed else 0


def _check_config(words: list[str]) -> int:
    options = _options("check-config", words)
    node_id = default_node_id(socket.gethostname(), os.getpid())
    config, _ = configure(options, dict(os.environ), node_id)
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    for warning in warnings(config, hard_limit):
        sys.stdout.write(f"warning: {warning}\n")
    sys.stdout.write("the configuration is good\n")
    return 0


def _options(name: str, words: list[str]) -> Any:
    options: Any = Options()
    options.synopsis = f"Usage: twistedvoice {name} [options]"
    options.parseOptions(words)
    return options


def _demo(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "twistedvoice demo",
        description="Start the service, have a simulated carrier call it, and check"
        " what was heard and recorded. Needs no account, no key, no network.",
    )
    parser.add_argument("--out", type=Path, default=Path("twistedvoice-demo"))
    parser.add_argument(
        "--agent",
        choices=("prompt", "local"),
        default="prompt",
        help="local holds a spoken dialogue; it needs the extra local",
    )
    said = parser.parse_args(words)
    _require_extras()
    if said.agent == "local":
        require_engines()
    from rich.console import Console

    from .simulator.demo import demo

    return _run(
        lambda reactor: demo(reactor, Console(), said.out, os.environ, said.agent)
    )


def _call(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "twistedvoice call",
        description="Call a running service as its carrier would, and report what the"
        " caller heard. Webhooks are signed with TWISTEDVOICE_AUTH_TOKEN.",
    )
    parser.add_argument("url", help="the service's voice webhook")
    parser.add_argument("--say", type=Path, help="WAV file that the caller says")
    parser.add_argument("--digits", type=_digits, default="", help="keys to press: 1,2")
    parser.add_argument("--out", type=Path, default=Path("twistedvoice-call"))
    parser.add_argument("--connect-to", metavar="HOST:PORT", type=_host_and_port,
                        help="connect there, whatever the URL says")  # fmt: skip
    parser.add_argument("--max-seconds", type=float, default=120.0)
    said = parser.parse_args(words)
    _require_extras()
    from rich.console import Console

    from .simulator.call import call

    plan = _plan(said)
    return _run(lambda reactor: call(reactor, Console(), plan, said.out))


def _bench(words: list[str]) -> int:
    if words[:1] == ["local"]:
        return _bench_local(words[1:])
    from .bench.command import main as bench

    return bench(words)


def _recordings(words: list[str]) -> int:
    from .archive.command import recordings

    return recordings(words)


def _outbox(words: list[str]) -> int:
    outcome: list[int | Failure] = []
    # The store answers at once, so there is an outcome.
    outbox(words, BlockingStore, time.time).addBoth(outcome.append)
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


def _bench_local(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "twistedvoice bench local",
        description="How well and how fast does the local agent understand?",
    )
    parser.add_argument("--calls", type=int, default=4, help="calls at the same time")
    parser.add_argument("--lines", type=Path, metavar="FOLDER",
                        help="the lines in another voice")  # fmt: skip
    said = parser.parse_args(words)
    _require_extras()
    require_engines()
    from .bench.dialogue import LINES_FOLDER, figures

    lines = said.lines or LINES_FOLDER
    return _run(
        lambda reactor: figures(
            reactor, os.environ, sys.stdout.write, said.calls, lines
        )
    )


def _plan(said: argparse.Namespace) -> Any:
    from .simulator.plan import CallPlan
    from .simulator.script import plain_steps, say_file

    spoken = None if said.say is None else say_file(said.say)
    return CallPlan(
        webhook_url=said.url,
        connect_to=said.connect_to,
        auth_token=os.environ.get("TWISTEDVOICE_AUTH_TOKEN"),
        steps=plain_steps(spoken, said.digits),
        max_seconds=said.max_seconds,
    )


def _digits(text: str) -> str:
    digits = text.replace(",", "")
    if set(digits) - set("0123456789*#ABCD"):
        raise argparse.ArgumentTypeError(f"{text!r} are no keys of a telephone")
    return digits


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _require_extras() -> None:
    from .simulator.extras import require_extras

    require_extras()


def _run(work: Callable[[Any], Deferred[int]]) -> int:
    """Run the reactor, on monotonic time, until the work is done."""
    from twisted.internet import reactor as the_reactor

    reactor: Any = the_reactor
    reactor.seconds = time.monotonic
    outcome: list[int | Exception] = []

    def done(result: Any) -> None:
        outcome.append(result if isinstance(result, int) else result.value)
        with suppress(ReactorNotRunning):  # Ctrl-C came first
            reactor.stop()

    reactor.callWhenRunning(lambda: work(reactor).addBoth(done))
    reactor.run()
    result = outcome[0] if outcome else _INTERRUPTED
    if isinstance(result, Exception):
        raise result
    return result


_COMMANDS: dict[str, _Command] = {
    "serve": _serve,
    "worker": _worker,
    "demo": _demo,
    "call": _call,
    "bench": _bench,
    "check-config": _check_config,
    "recordings": _recordings,
    "outbox": _outbox,
}

_USAGE = """\
usage: twistedvoice COMMAND [OPTIONS]

  serve         answer calls, in the foreground (as twistd -n twistedvoice)
  demo          start the service, call it, and show what was heard and recorded
  call URL      call a running service, as its carrier would
  bench COMMAND put the service under load, and say what this machine holds
  check-config  say whether the configuration is good
  recordings COMMAND
                list, show, check, finish, decrypt, export or remove recordings
  outbox        list, retry or drop what is still to be done after calls

twistedvoice COMMAND --help says more.
"""
