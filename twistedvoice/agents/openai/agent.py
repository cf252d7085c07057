# -*- test-case-name: tests.agents.openai.test_agent -*-
"""The agent that lets OpenAI's Realtime API talk with the caller."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...interfaces import AgentFactory
from ..model.agent import ModelAgent
from ..model.factory import Model
from .api import OpenAiApi
from .options import read_options

__all__ = ["OpenAi"]


class OpenAi(ModelAgent):
    """Talks with the caller by a model; see docs/openai.rst for its settings."""

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the settings and encode the prompts."""
        options = read_options(settings, folder)
        return Model(cls, OpenAiApi(options), options.conduct)
