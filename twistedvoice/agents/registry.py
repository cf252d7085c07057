# -*- test-case-name: tests.agents.test_registry -*-
"""Finds the class of an agent by the name that the configuration gives.

The agents of twistedvoice have short names; anyone else's is named by where Python
finds it. Called when the configuration is checked, never during a call.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from inspect import iscoroutinefunction

from ..errors import ConfigError
from .agent import Agent

__all__ = ["SHORT_NAMES", "find_agent"]

#: Where the agents with a short name are.
SHORT_NAMES = {
    "cascade": "twistedvoice.agents.cascade.agent:Cascade",
    "echo": "twistedvoice.agents.echo:Echo",
    "gemini": "twistedvoice.agents.gemini.agent:Gemini",
    "local": "twistedvoice.agents.local:Local",
    "openai": "twistedvoice.agents.openai.agent:OpenAi",
    "prompt": "twistedvoice.agents.prompt:Prompt",
}


def find_agent(name: str) -> type[Agent]:
    """
    Find the class of an agent.

    :param name: a short name, ``package.module:Class`` or ``package.module.Class``.
    :raises ConfigError: saying what is wrong with the name or with the import.
    """
    module_name, class_name = _split(SHORT_NAMES.get(name, name))
    if not (module_name and class_name):
        raise ConfigError([f"no agent is called {name!r}; {_known(name)}"])
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            [
                f"the agent {name!r} cannot be imported: {error}; install it into"
                f" the environment of twistedvoice, or set PYTHONPATH; {_known(name)}"
            ]
        ) from error
    except Exception as error:  # the module is someone else's and may raise anything
        raise ConfigError(
            [
                f"the agent {name!r} cannot be imported:"
                f" {type(error).__name__}: {error}; {_known(name)}"
            ]
        ) from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Agent)):
        raise ConfigError(
            [
                f"the agent {name!r} is not usable: {module_name} has no class"
                f" {class_name!r} derived from twistedvoice.agents.agent.Agent"
            ]
        )
    if iscoroutinefunction(found.audio_heard):
        raise ConfigError(
            [
                f"the agent {name!r} is not usable: its audio_heard is called fifty"
                " times a second, so it must be a plain method, not an async one"
            ]
        )
    return found


def _split(path: str) -> tuple[str, str]:
    """:returns: the module and the class; empty where the path names none."""
    module_name, _, class_name = path.rpartition(":" if ":" in path else ".")
    return module_name, class_name


def _known(name: str) -> str:
    """:returns: what the name could have been."""
    close = get_close_matches(name, SHORT_NAMES, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known are {', '.join(SHORT_NAMES)} and package.module:Class"
